"""The table as PynamoDB knows it: the two keys that every item has, and the indexes."""

from typing import Any, ClassVar

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection
from pynamodb.models import Model

from gatehouse.storage import keys


class UsersByCreation(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.USERS_BY_CREATION
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True, attr_name="PK")


class UsersByUsername(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.USERS_BY_USERNAME
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    username_key = UnicodeAttribute(range_key=True, attr_name="usernameKey")


class Names(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.NAMES
        projection = IncludeProjection(["owner"])

    name_shard = UnicodeAttribute(hash_key=True, attr_name="nameShard")
    name = UnicodeAttribute(range_key=True)


class CredentialsByCreation(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.CREDENTIALS_BY_CREATION
        projection = KeysOnlyProjection()

    credential_shard = UnicodeAttribute(hash_key=True, attr_name="credentialShard")
    sk = UnicodeAttribute(range_key=True, attr_name="SK")


class Sweep(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.SWEEP
        projection = KeysOnlyProjection()

    sweep = UnicodeAttribute(hash_key=True)
    active_at = NumberAttribute(range_key=True, attr_name="activeAt")


class CredentialsByEnd(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.CREDENTIALS_BY_END
        projection = KeysOnlyProjection()

    ends_shard = UnicodeAttribute(hash_key=True, attr_name="endsShard")
    ends_at = NumberAttribute(range_key=True, attr_name="endsAt")


class OwnedBy(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.OWNED_BY
        projection = KeysOnlyProjection()

    owned_by = UnicodeAttribute(hash_key=True, attr_name="ownedBy")
    pk = UnicodeAttribute(range_key=True, attr_name="PK")


class AuditBySubject(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.AUDIT_BY_SUBJECT
        projection = KeysOnlyProjection()

    subject_id = UnicodeAttribute(hash_key=True, attr_name="subjectId")
    pk = UnicodeAttribute(range_key=True, attr_name="PK")


class AuditByActor(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.AUDIT_BY_ACTOR
        projection = KeysOnlyProjection()

    actor_id = UnicodeAttribute(hash_key=True, attr_name="actorId")
    pk = UnicodeAttribute(range_key=True, attr_name="PK")


class AuditByAction(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.AUDIT_BY_ACTION
        projection = KeysOnlyProjection()

    action_shard = UnicodeAttribute(hash_key=True, attr_name="actionShard")
    pk = UnicodeAttribute(range_key=True, attr_name="PK")


class AuditAll(GlobalSecondaryIndex["Record"]):
    class Meta:
        index_name = keys.AUDIT_ALL
        projection = KeysOnlyProjection()

    audit_shard = UnicodeAttribute(hash_key=True, attr_name="auditShard")
    pk = UnicodeAttribute(range_key=True, attr_name="PK")


class Record(Model):
    """Any item of the table; `storage.table.connect` names the table and its endpoint in `Meta`.

    The indexes stand here, because PynamoDB keeps one connection, with one schema, for the class that opened it.
    """

    class Meta:
        table_name = ""

    counting_client: ClassVar[Any] = None  # kept beside PynamoDB's own connection, and made with it

    pk = UnicodeAttribute(hash_key=True, attr_name="PK")
    sk = UnicodeAttribute(range_key=True, attr_name="SK")

    users_by_creation = UsersByCreation()
    users_by_username = UsersByUsername()
    names = Names()
    credentials_by_creation = CredentialsByCreation()
    by_sweep = Sweep()
    credentials_by_end = CredentialsByEnd()
    owned_by_index = OwnedBy()
    audit_by_subject = AuditBySubject()
    audit_by_actor = AuditByActor()
    audit_by_action = AuditByAction()
    audit_all = AuditAll()
