"""The port of the gate, `admission.service.AdmissionStore`, on every implementation."""

from datetime import timedelta

import pytest

from gatehouse.accounts.model import Session
from gatehouse.admission.model import KeyClaim, StoredKey
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.credentials.model import Credential
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from tests.contracts.made_up import NOBODY, a_credential, a_session, changed
from tests.stores import Store
from tests.unit.fakes import START, a_user

ADMISSION = DynamoAdmission()
ACCOUNTS = DynamoAccounts()
CONSUMERS = DynamoConsumers()
CREDENTIALS = DynamoCredentials()


@pytest.fixture
def owner(store: Store) -> User:
    user = a_user("owner", role=Role.MODERATOR)
    CONSUMERS.create_user(user, "hash")
    return user


@pytest.fixture
def session(owner: User) -> Session:
    account = ACCOUNTS.find_account(owner.email)
    assert account is not None
    opened = a_session(owner)
    ACCOUNTS.open_session(account, opened, None)
    return opened


@pytest.fixture
def credential(owner: User) -> Credential:
    made = a_credential(owner, scopes=("users:read",))
    CREDENTIALS.create_credential(made, "hash")
    return made


def standing(user: User, *, epoch: int = 0, generation: int = 0) -> Standing:
    return Standing(consumer_id=user.id, is_active=user.is_active, role=user.role, epoch=epoch, generation=generation)


def test_standing_and_session_are_read_as_they_are(store: Store, owner: User, session: Session) -> None:
    assert ADMISSION.standing_with_session(owner.id, session.id) == (standing(owner), session)


def test_what_there_is_not_is_none(store: Store, owner: User, session: Session, credential: Credential) -> None:
    assert ADMISSION.standing_with_session(owner.id, NOBODY) == (standing(owner), None)
    assert ADMISSION.standing_with_session(NOBODY, session.id) == (None, None)
    assert ADMISSION.find_key_claim("unknown-key") is None
    unknown = KeyClaim(consumer_id=owner.id, credential_id=NOBODY)
    assert ADMISSION.standing_with_key(unknown) == (standing(owner), None)
    elsewhere = KeyClaim(consumer_id=NOBODY, credential_id=credential.id)
    assert ADMISSION.standing_with_key(elsewhere) == (None, None)


def test_a_session_of_one_consumer_is_not_found_for_another(store: Store, owner: User, session: Session) -> None:
    other = a_user("other")
    CONSUMERS.create_user(other, None)
    assert ADMISSION.standing_with_session(other.id, session.id) == (standing(other), None)


def test_a_key_is_found_by_its_key_id_with_its_hash_and_its_owner_s_standing(
    store: Store, owner: User, credential: Credential
) -> None:
    claim = ADMISSION.find_key_claim(credential.key_id)
    assert claim == KeyClaim(consumer_id=owner.id, credential_id=credential.id)
    assert ADMISSION.standing_with_key(claim) == (
        standing(owner),
        StoredKey(credential=credential, secret_hash="hash"),
    )


def test_a_key_id_is_found_in_its_own_spelling_only(store: Store, credential: Credential) -> None:
    assert ADMISSION.find_key_claim(credential.key_id.upper()) is None


def test_every_end_counts_on_the_next_reading(
    store: Store, owner: User, session: Session, credential: Credential
) -> None:
    claim = KeyClaim(consumer_id=owner.id, credential_id=credential.id)
    ACCOUNTS.end_session(owner.id, session.id)
    assert ADMISSION.standing_with_session(owner.id, session.id) == (standing(owner, epoch=1), None)
    CREDENTIALS.delete_credential(credential)
    assert ADMISSION.find_key_claim(credential.key_id) == claim
    assert ADMISSION.standing_with_key(claim) == (standing(owner, epoch=2), None)
    off = changed(owner, is_active=False)
    CONSUMERS.update_user(owner, off)
    assert ADMISSION.standing_with_key(claim) == (standing(off, epoch=3, generation=1), None)
    CONSUMERS.delete_user(off)
    assert ADMISSION.standing_with_key(claim) == (None, None)


def test_a_use_is_written_down_and_changes_nothing_else(store: Store, owner: User, credential: Credential) -> None:
    before = store.items()
    at = START + timedelta(hours=3, milliseconds=7)
    ADMISSION.note_use(KeyClaim(consumer_id=owner.id, credential_id=credential.id), at)
    found = CREDENTIALS.find_credential(credential.id)
    assert found is not None
    assert found.last_used_at == at
    assert [{k: v for k, v in item.items() if k != "lastUsedAt"} for item in store.items()] == before


def test_a_use_does_not_make_a_change_of_the_credential_stale(
    store: Store, owner: User, credential: Credential
) -> None:
    ADMISSION.note_use(KeyClaim(consumer_id=owner.id, credential_id=credential.id), START)
    CREDENTIALS.delete_credential(credential)
    assert CREDENTIALS.find_credential(credential.id) is None


def test_a_use_of_a_credential_that_is_gone_does_not_bring_it_back(
    store: Store, owner: User, credential: Credential
) -> None:
    CREDENTIALS.delete_credential(credential)
    before = store.items()
    ADMISSION.note_use(KeyClaim(consumer_id=owner.id, credential_id=credential.id), START)
    assert store.items() == before
