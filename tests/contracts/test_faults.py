"""What the house does when the store refuses, hangs or answers into the void: right, or 503, and never by halves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pynamodb.exceptions import PynamoDBException

from gatehouse.accounts.refresh import RefreshToken, present
from gatehouse.admission.model import KeyClaim
from gatehouse.changes import PersonGone
from gatehouse.consumers.erasure import Erasure
from gatehouse.consumers.listing import UserQuery
from gatehouse.consumers.model import Role
from gatehouse.credentials.model import Credential, CredentialQuery
from gatehouse.credentials.rotation import rotated
from gatehouse.errors import Conflict, ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.storage import keys
from gatehouse.storage.accounts import DynamoAccounts
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.audit import DynamoAuditEvents
from gatehouse.storage.belongings import DynamoBelongings
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.tokens import DynamoTokens
from tests.contracts.faults import (
    Fault,
    PatientTime,
    cancelled,
    faults,
    lost,
    refused,
    silent,
    unprocessed,
    unreachable,
    wordless,
)
from tests.contracts.made_up import (
    MONTH,
    a_credential,
    a_session,
    an_admin,
    changed,
    consumers_on_the_table,
    credentials_on_the_table,
    entrance,
    keep_account,
    new_session,
    people_on_the_table,
)
from tests.stores import Store
from tests.unit.fakes import AT_HOME, PASSWORD_HASH, START, StoppedClock, a_user, signed_in

ACCOUNTS = DynamoAccounts()
ADMISSION = DynamoAdmission()
CONSUMERS = DynamoConsumers()
CREDENTIALS = DynamoCredentials()
TOKENS = DynamoTokens()

PASSING: dict[str, Fault] = {
    "throttled": refused("ThrottlingException"),
    "over its throughput": refused("ProvisionedThroughputExceededException"),
    "over the account's limit": refused("RequestLimitExceeded"),
    "broken within": refused("InternalServerError", 500),
    "unavailable": refused("ServiceUnavailable", 503),
    "unreachable": unreachable,
    "silent": silent,
}


class House:
    """One user with a session and a key, and every call to the store that there is."""

    def __init__(self) -> None:
        self.user = a_user("john")
        self.session, self.token = new_session(self.user)
        keep_account(self.user, self.session, PASSWORD_HASH)
        self.credential = CREDENTIALS.create_credential(a_credential(self.user), "hash")
        account = ACCOUNTS.find_account(self.user.email)
        assert account is not None
        self.account = account
        self.claim = KeyClaim(consumer_id=self.user.id, credential_id=self.credential.id)


@pytest.fixture
def house(dynoxide_store: Store) -> House:
    return House()


type Call = Callable[[House], object]

READS: dict[str, tuple[str, Call]] = {
    "find_user": ("GetItem", lambda h: CONSUMERS.find_user(h.user.id)),
    "find_account": ("GetItem", lambda h: ACCOUNTS.find_account(h.user.email)),
    "find_session": ("BatchGetItem", lambda h: ACCOUNTS.find_session(h.user.id, h.session.id)),
    "find_credential": ("GetItem", lambda h: CREDENTIALS.find_credential(h.credential.id)),
    "find_claim": ("GetItem", lambda h: ADMISSION.find_claim(h.credential.key_id)),
    "find_gate_and_session": (
        "TransactGetItems",
        lambda h: ADMISSION.find_gate_and_session(h.user.id, h.session.id),
    ),
    "find_gate_and_credential": ("TransactGetItems", lambda h: ADMISSION.find_gate_and_credential(h.claim)),
    "find_gate_and_token": ("TransactGetItems", lambda h: ADMISSION.find_gate_and_token(h.claim, new_id(START))),
    "create_credential, its number": (
        "GetItem",
        lambda h: CREDENTIALS.create_credential(a_credential(h.user, "new"), "hash"),
    ),
    "circumstances": ("BatchGetItem", lambda h: TOKENS.circumstances(h.user.id, h.credential.id, new_id(START))),
    "page_users, queries": ("Query", lambda h: CONSUMERS.page_users(UserQuery(), 5, None)),
    "page_users, reads": ("BatchGetItem", lambda h: CONSUMERS.page_users(UserQuery(), 5, None)),
    "page_credentials of one": (
        "Query",
        lambda h: CREDENTIALS.page_credentials(CredentialQuery(consumer_id=h.user.id), 5, None),
    ),
    "page_credentials of all": ("BatchGetItem", lambda _: CREDENTIALS.page_credentials(CredentialQuery(), 5, None)),
}

TRANSACTIONS: dict[str, Call] = {
    "create_user": lambda _: CONSUMERS.create_user(a_user("new", role=Role.ADMIN), None),
    "create_first_admin": lambda _: CONSUMERS.create_first_admin(a_user("new", role=Role.ADMIN), "hash"),
    "update_user": lambda h: CONSUMERS.update_user(
        h.user, changed(h.user, username="new", email="new@example.com", role=Role.ADMIN), None
    ),
    "update_user, off": lambda h: CONSUMERS.update_user(h.user, changed(h.user, is_active=False), None),
    "delete_user": lambda h: CONSUMERS.delete_user(h.user),
    "create_account": lambda _: keep_account(user := a_user("new"), a_session(user)),
    "open_session": lambda h: ACCOUNTS.open_session(h.account, a_session(h.user), entrance("new hash")),
    "prune_sessions": lambda h: ACCOUNTS.prune_sessions(h.account, START + timedelta(days=31), MONTH),
    "end_session": lambda h: ACCOUNTS.end_session(h.user.id, h.session.id),
    "create_credential": lambda h: CREDENTIALS.create_credential(a_credential(h.user, "new"), "hash"),
    "update_credential": lambda h: CREDENTIALS.update_credential(h.credential, switched_off(h.credential)),
    "rotate_credential": lambda h: CREDENTIALS.rotate_credential(h.credential, rotated_now(h.credential), "hash 2"),
    "revoke_token": lambda h: TOKENS.revoke_token(h.user.id, new_id(START), START + timedelta(hours=1)),
    "delete_credential": lambda h: CREDENTIALS.delete_credential(h.credential),
}

SINGLE_WRITES: dict[str, Call] = {
    "step_session": lambda h: ACCOUNTS.step_session(h.session, present(h.session, h.token, START)),
}


def rotated_now(credential: Credential) -> Credential:
    return rotated(credential, timedelta(days=1), START)


def switched_off(credential: Credential) -> Credential:
    return a_credential(
        a_user("john", id=credential.consumer_id), id=credential.id, is_active=False, revision=credential.revision + 1
    )


def named[T](cases: dict[str, T]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


@named(PASSING)
def test_a_read_that_fails_once_is_asked_again(house: House, patient_time: PatientTime, case: Fault) -> None:
    with faults("GetItem", [case, case]) as asked:
        assert CONSUMERS.find_user(house.user.id) == house.user
    assert len(asked) == 3


@named(READS)
@pytest.mark.parametrize("fault", [refused("ThrottlingException"), unreachable], ids=["throttled", "unreachable"])
def test_a_read_that_goes_on_failing_is_503(
    house: House, patient_time: PatientTime, case: tuple[str, Call], fault: Fault
) -> None:
    operation, read = case
    with faults(operation, [fault] * 200), pytest.raises(ServiceUnavailable):
        read(house)


@named({**TRANSACTIONS, **SINGLE_WRITES})
@pytest.mark.parametrize("fault", [refused("ThrottlingException"), silent], ids=["throttled", "silent"])
def test_a_write_that_goes_on_failing_is_503_and_writes_nothing(
    dynoxide_store: Store, house: House, patient_time: PatientTime, case: Call, fault: Fault
) -> None:
    operation = "UpdateItem" if case in SINGLE_WRITES.values() else "TransactWriteItems"
    before = dynoxide_store.items()
    with faults(operation, [fault] * 20), pytest.raises(ServiceUnavailable):
        case(house)
    assert dynoxide_store.items() == before


@named(TRANSACTIONS)
def test_a_transaction_whose_answer_is_lost_has_one_effect_and_is_told_as_done(
    dynoxide_store: Store, house: House, patient_time: PatientTime, case: Call
) -> None:
    before = dynoxide_store.items()
    with faults("TransactWriteItems", [lost, lost]) as asked:
        case(house)
    assert len({request["ClientRequestToken"] for request in asked}) == 1
    assert len(asked) == 3
    assert dynoxide_store.items() != before


def test_a_sign_in_whose_answer_is_lost_is_counted_once(
    dynoxide_store: Store, house: House, patient_time: PatientTime
) -> None:
    with faults("TransactWriteItems", [lost, lost]):
        ACCOUNTS.open_session(house.account, a_session(house.user), entrance())
    account = ACCOUNTS.find_account(house.user.email)
    assert account is not None
    assert account.sessions == 2


def test_where_every_answer_is_lost_the_caller_is_told_503_and_may_ask_again(
    dynoxide_store: Store, house: House, patient_time: PatientTime
) -> None:
    user = a_user("new")
    with faults("TransactWriteItems", [lost] * 3), pytest.raises(ServiceUnavailable):
        CONSUMERS.create_user(user, None)
    assert CONSUMERS.find_user(user.id) == user
    with pytest.raises(Conflict):
        CONSUMERS.create_user(user, None)


def test_a_rotation_that_was_told_as_503_can_be_asked_for_again(
    dynoxide_store: Store, house: House, patient_time: PatientTime, clock: StoppedClock
) -> None:
    credentials, caller = credentials_on_the_table(clock), signed_in(house.user)
    with faults("TransactWriteItems", [lost] * 3), pytest.raises(ServiceUnavailable):
        credentials.rotate(caller, house.credential.id, None)
    assert credentials.get(caller, house.credential.id).version == 2
    assert credentials.rotate(caller, house.credential.id, None).credential.version == 3


def test_a_step_whose_answer_is_lost_gives_the_same_successor(
    house: House, patient_time: PatientTime, clock: StoppedClock
) -> None:
    with faults("UpdateItem", [lost]) as asked:
        answer = people_on_the_table(clock).accounts.refresh(house.token.text(), AT_HOME)
    assert len(asked) == 2
    assert RefreshToken.parse(answer.refresh_token) == house.token.successor(house.session.salt)


@named(TRANSACTIONS)
@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_others_cross_is_tried_again_as_another_one(
    dynoxide_store: Store, house: House, patient_time: PatientTime, case: Call, code: str
) -> None:
    before = dynoxide_store.items()
    with faults("TransactWriteItems", [cancelled("None", code)] * 3) as asked:
        case(house)
    assert len({request["ClientRequestToken"] for request in asked}) == 4
    assert patient_time.slept < 2
    assert dynoxide_store.items() != before


def test_a_transaction_that_others_cross_for_two_seconds_is_503_and_writes_nothing(
    dynoxide_store: Store, house: House, patient_time: PatientTime
) -> None:
    before = dynoxide_store.items()
    with faults("TransactWriteItems", [cancelled("TransactionConflict")] * 10_000), pytest.raises(ServiceUnavailable):
        CONSUMERS.delete_user(house.user)
    assert 2 <= patient_time.slept < 2.3
    assert dynoxide_store.items() == before


@pytest.mark.parametrize(
    ("codes", "field"),
    [
        (("ConditionalCheckFailed", "TransactionConflict", "None", "None"), "email"),
        (("TransactionConflict", "ConditionalCheckFailed", "None", "None"), "username"),
    ],
)
def test_a_refusal_counts_for_more_than_others_crossing(
    house: House, patient_time: PatientTime, codes: tuple[str, ...], field: str
) -> None:
    with faults("TransactWriteItems", [cancelled(*codes)]) as asked, pytest.raises(Conflict) as refusal:
        CONSUMERS.create_user(a_user("new"), None)
    assert refusal.value.field == field
    assert len(asked) == 1


def test_a_step_that_a_transaction_crosses_is_not_made_and_not_told_as_made(
    dynoxide_store: Store, house: House
) -> None:
    before = dynoxide_store.items()
    with faults("UpdateItem", [refused("TransactionConflictException")]) as asked:
        assert SINGLE_WRITES["step_session"](house) is False
    assert len(asked) == 1
    assert dynoxide_store.items() == before


def test_a_refresh_that_a_transaction_crosses_is_tried_again(house: House, clock: StoppedClock) -> None:
    with faults("UpdateItem", [refused("TransactionConflictException")] * 3) as asked:
        answer = people_on_the_table(clock).accounts.refresh(house.token.text(), AT_HOME)
    assert len(asked) == 4
    assert RefreshToken.parse(answer.refresh_token) == house.token.successor(house.session.salt)


def test_a_status_of_500_without_a_word_is_503(house: House, patient_time: PatientTime) -> None:
    with faults("GetItem", [wordless] * 3) as asked, pytest.raises(ServiceUnavailable):
        CONSUMERS.find_user(house.user.id)
    assert len(asked) == 3


@pytest.mark.parametrize(
    "code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"]
)
@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("GetItem", READS["find_user"][1]),
        ("TransactGetItems", READS["find_gate_and_session"][1]),
        ("BatchGetItem", READS["page_users, reads"][1]),
        ("Query", READS["page_users, queries"][1]),
        ("TransactWriteItems", TRANSACTIONS["update_user"]),
        ("UpdateItem", SINGLE_WRITES["step_session"]),
    ],
)
def test_a_mistake_of_ours_is_not_told_as_a_store_that_does_not_answer(
    house: House, patient_time: PatientTime, operation: str, call: Call, code: str
) -> None:
    with faults(operation, [refused(code)] * 100) as asked, pytest.raises(PynamoDBException) as mistake:
        call(house)
    assert mistake.value.cause_response_code == code
    assert patient_time.slept == 0
    assert asked


def test_a_transaction_that_the_store_finds_invalid_is_a_mistake_of_ours(
    house: House, patient_time: PatientTime
) -> None:
    with (
        faults("TransactWriteItems", [cancelled("ValidationError", "None")]) as asked,
        pytest.raises(PynamoDBException),
    ):
        CONSUMERS.delete_user(house.user)
    assert len(asked) == 1


def test_what_a_batch_read_leaves_unprocessed_is_asked_again(house: House, patient_time: PatientTime) -> None:
    with faults("BatchGetItem", [unprocessed, unprocessed]) as asked:
        found = ACCOUNTS.find_session(house.user.id, house.session.id)
    assert found is not None
    assert found.session == house.session
    assert len(asked) == 3


@named({name: read for name, (operation, read) in READS.items() if operation == "BatchGetItem"})
def test_a_batch_read_that_stays_unprocessed_is_503_and_ends(
    house: House, patient_time: PatientTime, case: Call
) -> None:
    with faults("BatchGetItem", [unprocessed] * 40) as asked, pytest.raises(ServiceUnavailable):
        case(house)
    assert len(asked) < 10


@pytest.mark.parametrize("operation", ["Query", "BatchWriteItem"])
def test_an_erasure_that_stops_half_way_is_finished_by_the_next_try_and_all_access_had_ended_before(
    dynoxide_store: Store, patient_time: PatientTime, clock: StoppedClock, operation: str
) -> None:
    admin = signed_in(an_admin("admin", CONSUMERS))
    before = dynoxide_store.stored_keys()
    house = House()
    consumers_on_the_table(clock).delete(admin, house.user.id)
    assert ADMISSION.find_gate_and_session(house.user.id, house.session.id)[0] is None
    assert ADMISSION.find_gate_and_credential(house.claim)[0] is None
    [event_id] = [keys.event_id(pk) for pk, sk in dynoxide_store.stored_keys() if sk == keys.EVENT]
    erasure = Erasure(DynamoBelongings(), DynamoAuditEvents())
    gone = PersonGone(event_id, house.user.id, house.user.email)
    with faults(operation, [unreachable] * 3), pytest.raises(ServiceUnavailable):
        erasure.forget(gone)
    erasure.forget(gone)
    left = [key for key in dynoxide_store.stored_keys() if key not in before and key[1] != keys.EVENT]
    assert left == [("KEY#mobile-app", "C")]
    assert house.user.email not in str(dynoxide_store.items())


def test_belongings_that_a_batch_write_leaves_unprocessed_are_removed_by_the_next(
    dynoxide_store: Store, house: House, patient_time: PatientTime
) -> None:
    CONSUMERS.delete_user(house.user)
    with faults("BatchWriteItem", [unprocessed]) as asked:
        DynamoBelongings().delete_belongings(house.user.id)
    assert len(asked) == 2
    assert ACCOUNTS.find_session(house.user.id, house.session.id) is None
