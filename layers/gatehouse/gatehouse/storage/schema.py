"""The table as PynamoDB knows it: the two keys that every item has, and the indexes."""

from typing import Any, ClassVar

from pynamodb.attributes import UnicodeAttribute
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
