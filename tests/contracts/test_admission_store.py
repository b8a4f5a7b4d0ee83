"""The port of the gate's first sight, `admission.lookup.AdmissionStore`, on every implementation."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from gatehouse.accounts.model import Session
from gatehouse.admission.model import Gate, KeyClaim, StoredCredential
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.credentials.model import Credential
from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.tokens import DynamoTokens
from tests.contracts.faults import Fault, PatientTime, Send, cancelled, faults, none, refused, silent
from tests.contracts.made_up import NOBODY, a_credential, a_session, changed, entrance, keep_account
from tests.stores import Store, cost_of
from tests.unit.fakes import START, MemoryStore, a_user

ADMISSION = DynamoAdmission()

type House = tuple[User, Session, Credential]
"""A user with a session and a key."""


@dataclass(frozen=True)
class Keep:
    """An implementation, and those of the stores that write what it reads."""

    admission: Any
    consumers: Any
    accounts: Any
    credentials: Any
    tokens: Any


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def keep(request: pytest.FixtureRequest) -> Keep:
    if request.param == "memory":
        store = MemoryStore()
        return Keep(store, store, store, store, store)
    request.getfixturevalue(f"{request.param}_store")
    return _on_the_table()


def _on_the_table() -> Keep:
    return Keep(ADMISSION, DynamoConsumers(), DynamoAccounts(), DynamoCredentials(), DynamoTokens())


@pytest.fixture
def owner(keep: Keep) -> User:
    user = a_user("owner", role=Role.MODERATOR)
    keep.consumers.create_user(user, "hash")
    return user


@pytest.fixture
def session(keep: Keep, owner: User) -> Session:
    opened = a_session(owner)
    keep.accounts.open_session(keep.accounts.find_account(owner.email), opened, entrance())
    return opened


@pytest.fixture
def credential(keep: Keep, owner: User) -> Credential:
    kept: Credential = keep.credentials.create_credential(a_credential(owner, scopes=("users:read",)), "hash")
    return kept


def gate(user: User, *, epoch: int = 0, generation: int = 0) -> Gate:
    standing = Standing(
        consumer_id=user.id, is_active=user.is_active, role=user.role, epoch=epoch, generation=generation
    )
    return Gate(standing=standing, counts={})


def claim_of(credential: Credential) -> KeyClaim:
    return KeyClaim(consumer_id=credential.consumer_id, credential_id=credential.id)


def test_gate_and_session_are_read_as_they_are(keep: Keep, owner: User, session: Session) -> None:
    assert keep.admission.find_gate_and_session(owner.id, session.id) == (gate(owner), session)


def test_what_there_is_not_is_none(keep: Keep, owner: User, session: Session, credential: Credential) -> None:
    assert keep.admission.find_gate_and_session(owner.id, NOBODY) == (gate(owner), None)
    assert keep.admission.find_gate_and_session(NOBODY, session.id)[0] is None
    assert keep.admission.find_claim("unknown-key") is None
    assert keep.admission.find_gate_and_credential(None) == (None, None)
    unknown = KeyClaim(consumer_id=owner.id, credential_id=NOBODY)
    assert keep.admission.find_gate_and_credential(unknown) == (gate(owner), None)
    assert keep.admission.find_gate_and_token(unknown, NOBODY) == (gate(owner), None, False)
    elsewhere = KeyClaim(consumer_id=NOBODY, credential_id=credential.id)
    assert keep.admission.find_gate_and_credential(elsewhere) == (None, None)
    assert keep.admission.find_gate_and_token(elsewhere, NOBODY) == (None, None, False)


def test_a_session_of_one_consumer_is_not_found_for_another(keep: Keep, owner: User, session: Session) -> None:
    other = a_user("other")
    keep.consumers.create_user(other, None)
    assert keep.admission.find_gate_and_session(other.id, session.id) == (gate(other), None)


def test_a_key_is_found_by_its_key_id_with_its_hash_and_its_owner_s_gate(
    keep: Keep, owner: User, credential: Credential
) -> None:
    claim = keep.admission.find_claim(credential.key_id)
    assert claim == claim_of(credential)
    stored = StoredCredential(credential=credential, secret_hash="hash")
    assert keep.admission.find_gate_and_credential(claim) == (gate(owner), stored)
    assert keep.admission.find_gate_and_token(claim, NOBODY) == (gate(owner), stored, False)


def test_a_token_is_found_with_its_credential_and_whether_it_was_revoked(
    keep: Keep, owner: User, credential: Credential
) -> None:
    revoked, other = new_id(START), new_id(START)
    keep.tokens.revoke_token(owner.id, revoked, START)
    stored = StoredCredential(credential=credential, secret_hash="hash")
    for token_id, is_revoked in ((revoked, True), (other, False)):
        found = keep.admission.find_gate_and_token(claim_of(credential), token_id)
        assert found == (gate(owner, epoch=1), stored, is_revoked)


def test_a_key_id_is_found_in_its_own_spelling_only(keep: Keep, credential: Credential) -> None:
    assert keep.admission.find_claim(credential.key_id.upper()) is None


def test_every_end_counts_on_the_next_reading(
    keep: Keep, owner: User, session: Session, credential: Credential
) -> None:
    claim = claim_of(credential)
    keep.accounts.end_session(owner.id, session.id)
    assert keep.admission.find_gate_and_session(owner.id, session.id) == (gate(owner, epoch=1), None)
    keep.credentials.delete_credential(credential)
    assert keep.admission.find_claim(credential.key_id) == claim
    assert keep.admission.find_gate_and_credential(claim) == (gate(owner, epoch=2), None)
    off = changed(owner, is_active=False)
    keep.consumers.update_user(owner, off, None)
    assert keep.admission.find_gate_and_credential(claim) == (gate(off, epoch=3, generation=1), None)
    keep.consumers.delete_user(off)
    assert keep.admission.find_gate_and_credential(claim) == (None, None)


# How the table is read: at one moment, or else the gate first


@pytest.fixture
def house(dynoxide_store: Store) -> House:
    keep, user = _on_the_table(), a_user("owner")
    session = a_session(user)
    keep_account(user, session)
    return user, session, keep.credentials.create_credential(a_credential(user), "hash")


def readings(house: House) -> list[partial[Any]]:
    user, session, credential = house
    return [
        partial(ADMISSION.find_gate_and_session, user.id, session.id),
        partial(ADMISSION.find_gate_and_credential, claim_of(credential)),
        partial(ADMISSION.find_gate_and_token, claim_of(credential), NOBODY),
        partial(ADMISSION.find_gate_and_credential, None),
    ]


def test_what_belongs_together_is_read_by_one_call(house: House) -> None:
    assert [cost_of(read).calls for read in readings(house)] == [{"TransactGetItems": 1}] * 4


def test_what_others_are_writing_just_now_is_read_one_after_the_other_the_gate_first(house: House) -> None:
    user = house[0]
    partitions = [
        [f"G#{user.id}", f"C#{user.id}"],
        [f"G#{user.id}", f"C#{user.id}"],
        [f"G#{user.id}", f"C#{user.id}", f"TOK#{NOBODY}"],
    ]
    for read, expected in zip(readings(house), partitions, strict=False):
        undisturbed = read()
        conflict = cancelled("TransactionConflict", *["None"] * (len(expected) - 1))
        with faults("TransactGetItems", [conflict]), faults("GetItem", []) as asked:
            assert read() == undisturbed
        assert [(body["Key"]["PK"]["S"], body["ConsistentRead"]) for body in asked] == [(key, True) for key in expected]


def test_what_ends_between_the_two_readings_is_told_with_a_gate_that_is_older(house: House) -> None:
    user, session, _ = house

    def ends_now(_request: object, send: Send) -> AWSResponse:
        DynamoAccounts().end_session(user.id, session.id)
        return send()

    with (
        faults("TransactGetItems", [cancelled("TransactionConflict", "None")]),
        faults("GetItem", [none, ends_now]),
    ):
        found, ended = ADMISSION.find_gate_and_session(user.id, session.id)
    assert (found, ended) == (gate(user, epoch=0), None)


@pytest.mark.parametrize("fault", [refused("ThrottlingException"), silent], ids=["throttled", "silent"])
def test_a_reading_that_goes_on_failing_is_503(house: House, patient_time: PatientTime, fault: Fault) -> None:
    for read in readings(house):
        with faults("TransactGetItems", [fault] * 10), pytest.raises(ServiceUnavailable):
            read()
        conflict = cancelled("TransactionConflict", "None")
        with (
            faults("TransactGetItems", [conflict]),
            faults("GetItem", [fault] * 10),
            pytest.raises(ServiceUnavailable),
        ):
            read()
