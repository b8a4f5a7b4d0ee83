"""Who comes in, who does not, and how a session ends, is told; of what somebody typed in vain, nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.model import Origin
from gatehouse.accounts.refresh import RefreshToken
from gatehouse.accounts.service import MOST_SESSIONS
from gatehouse.audit.model import AuditAction, Outcome, Target, TargetType
from gatehouse.audit.refusals import KEPT_AN_HOUR
from gatehouse.consumers.model import Role, User
from gatehouse.errors import Forbidden, NotFound, ServiceUnavailable, TwoFactorRequired, Unauthenticated
from gatehouse.permissions import Caller
from tests.unit.events import an_expected, by, by_a_stranger, personal
from tests.unit.factors import app_code, wrong_code
from tests.unit.fakes import HOME, PASSWORD, START, MemoryStore, StoppedClock, a_user
from tests.unit.people import ASKED_FROM_HOME, REQUEST, WRONG_PASSWORD, Town, asking, refusal

DEVICE = ASKED_FROM_HOME.device


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock, GUESS_LIMIT_ADDRESS="1000")


@pytest.fixture
def john(town: Town) -> User:
    return town.add(role=Role.MODERATOR)


@pytest.fixture
def caller(town: Town, john: User) -> Caller:
    """John in a session; that it began is not in the events any more."""
    signed = town.caller(town.login(john))
    town.store.audit.events.clear()
    return replace(signed, address=HOME, correlation_id=REQUEST)


def actions(store: MemoryStore) -> list[AuditAction]:
    return [event.action for event in store.events]


def session_of(caller: Caller) -> Target:
    return Target(TargetType.SESSION, caller.session_id or "")


def test_who_signs_in_is_told_with_the_session_that_begins(town: Town, store: MemoryStore, john: User) -> None:
    signed = town.caller(town.login(john, origin=ASKED_FROM_HOME))

    assert store.events.told() == [
        an_expected(
            AuditAction.SIGNED_IN,
            at=START,
            actor=by(replace(signed, address=HOME)),
            subject_id=john.id,
            target=session_of(signed),
            after={"device": personal(DEVICE), "email": personal(john.email)},
            correlation_id=REQUEST,
        )
    ]
    assert signed.session_id in store.sessions


def test_who_signs_in_with_a_code_is_told_when_the_code_has_come(
    town: Town, store: MemoryStore, john: User, caller: Caller
) -> None:
    secret = town.turn_on_two_factors(caller)
    store.audit.events.clear()
    town.clock.advance(minutes=1)

    with pytest.raises(TwoFactorRequired) as asked:
        town.login(john)
    assert store.events == []
    code = app_code(secret, town.clock.now())
    town.people.accounts.complete_login(asked.value.challenge or "", code, ASKED_FROM_HOME)

    [event] = store.events
    assert (event.action, event.correlation_id) == (AuditAction.SIGNED_IN, REQUEST)


def test_who_is_not_let_in_is_told_about_with_the_account_if_there_is_one_and_nothing_they_typed(
    town: Town, store: MemoryStore, john: User
) -> None:
    off = town.add("off", is_active=False)
    for user, password in ((john, WRONG_PASSWORD), (off, PASSWORD), (a_user("nobody"), PASSWORD)):
        with pytest.raises(Unauthenticated):
            town.login(user, password, ASKED_FROM_HOME)

    assert store.events.told() == [
        an_expected(
            AuditAction.SIGN_IN_FAILED,
            at=START,
            outcome=Outcome.REFUSED,
            actor=by_a_stranger(HOME),
            subject_id=subject_id,
            after={"reason": "WRONG_CREDENTIALS"},
            correlation_id=REQUEST,
        )
        for subject_id in (john.id, off.id, None)
    ]


def test_a_wrong_code_is_told_as_one(town: Town, store: MemoryStore, john: User, caller: Caller) -> None:
    secret = town.turn_on_two_factors(caller)
    store.audit.events.clear()
    town.clock.advance(minutes=1)
    with pytest.raises(TwoFactorRequired) as asked:
        town.login(john)

    with pytest.raises(Unauthenticated):
        town.people.accounts.complete_login(
            asked.value.challenge or "", wrong_code(secret, town.clock.now()), ASKED_FROM_HOME
        )

    [event] = store.events
    assert (event.action, event.outcome) == (AuditAction.SIGN_IN_FAILED, Outcome.REFUSED)
    assert (event.subject_id, event.after) == (john.id, {"reason": "WRONG_CODE"})


def test_of_what_is_refused_one_address_so_many_an_hour_are_kept_whomever_they_are_about(
    town: Town, store: MemoryStore, john: User
) -> None:
    elsewhere = Origin("198.51.100.7", "curl")
    for number in range(KEPT_AN_HOUR + 2):
        town.clock.advance(minutes=1)  # an address that fails faster is shut out
        refusal(town.login, john if number % 2 else a_user(f"nobody{number}"), WRONG_PASSWORD)
    refusal(town.login, john, WRONG_PASSWORD, elsewhere)
    assert actions(store).count(AuditAction.SIGN_IN_FAILED) == KEPT_AN_HOUR + 1

    town.clock.advance(hours=1)
    refusal(town.login, john, WRONG_PASSWORD)
    assert actions(store).count(AuditAction.SIGN_IN_FAILED) == KEPT_AN_HOUR + 2


def test_where_a_refusal_cannot_be_kept_the_answer_is_the_same_and_the_log_tells_so(
    town: Town,
    store: MemoryStore,
    john: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def down(_tally: object) -> None:
        raise ServiceUnavailable("The store is busy. Try again.")

    monkeypatch.setattr(store.audit, "count_refusal", down)

    for user in (john, a_user("nobody")):
        assert refusal(town.login, user, WRONG_PASSWORD)[0] is Unauthenticated
    assert [record.message for record in caplog.records] == ["a refusal was not kept"] * 2
    assert town.failures(john) == 1
    assert store.sessions == {}


def test_each_lock_is_told_once_and_the_one_that_takes_a_new_password_says_so(
    town: Town, store: MemoryStore, john: User
) -> None:
    nobody = a_user("nobody")
    for user in (john, nobody):
        for number in range(100):
            town.fails(user, 1, Origin(f"203.0.113.{number // 5}", "curl", f"request-{number}"))

    locks = [event for event in store.events.told() if event.action is AuditAction.ACCOUNT_LOCKED]
    assert locks == [
        an_expected(
            AuditAction.ACCOUNT_LOCKED,
            at=START,
            outcome=Outcome.REFUSED,
            actor=by_a_stranger(f"203.0.113.{number}"),
            subject_id=subject_id,
            after={"needsReset": number == 19},
            correlation_id=f"request-{5 * number + 4}",
        )
        for subject_id in (john.id, None)
        for number in range(20)
    ]


def test_a_token_that_returns_after_its_time_is_told_once_with_the_session_that_it_ends(
    town: Town, store: MemoryStore, john: User
) -> None:
    first = town.login(john)
    second = town.people.accounts.refresh(first.refresh_token, ASKED_FROM_HOME)
    town.people.accounts.refresh(second.refresh_token, ASKED_FROM_HOME)
    assert actions(store) == [AuditAction.SIGNED_IN]
    store.audit.events.clear()
    town.clock.advance(minutes=1)

    for _ in range(2):
        with pytest.raises(Unauthenticated):
            town.people.accounts.refresh(first.refresh_token, ASKED_FROM_HOME)

    assert store.events.told() == [
        an_expected(
            AuditAction.TOKEN_REUSED,
            at=START + timedelta(minutes=1),
            outcome=Outcome.REFUSED,
            actor=by_a_stranger(HOME),
            subject_id=john.id,
            target=Target(TargetType.SESSION, RefreshToken.parse(first.refresh_token).session_id),
            correlation_id=REQUEST,
        )
    ]


def test_who_signs_out_is_told_once(town: Town, store: MemoryStore, john: User, caller: Caller) -> None:
    for _ in range(2):
        town.people.accounts.logout(caller)

    assert store.events.told() == [
        an_expected(
            AuditAction.SIGNED_OUT,
            at=START,
            actor=by(caller),
            subject_id=john.id,
            target=session_of(caller),
            correlation_id=REQUEST,
        )
    ]


def test_sessions_that_end_because_another_begins_are_told(town: Town, store: MemoryStore, john: User) -> None:
    for number in range(MOST_SESSIONS):
        town.login(john)
        town.clock.advance(seconds=number)
    store.audit.events.clear()

    town.login(john, origin=ASKED_FROM_HOME)

    pruned, signed_in = store.events.told()
    assert pruned == an_expected(
        AuditAction.SESSIONS_PRUNED,
        at=town.clock.now(),
        actor=by_a_stranger(HOME),
        subject_id=john.id,
        correlation_id=REQUEST,
    )
    assert signed_in.action is AuditAction.SIGNED_IN


def test_a_session_that_is_revoked_is_told_with_the_one_it_was_revoked_by(
    town: Town, store: MemoryStore, john: User, caller: Caller
) -> None:
    other = town.sign_in(john)
    store.audit.events.clear()

    town.people.sessions.revoke(caller, other.session_id or "")
    for gone in (other.session_id or "", "nothing"):
        with pytest.raises(NotFound):
            town.people.sessions.revoke(caller, gone)

    assert store.events.told() == [
        an_expected(
            AuditAction.SESSION_REVOKED,
            at=START,
            actor=by(caller),
            subject_id=john.id,
            target=session_of(other),
            correlation_id=REQUEST,
        )
    ]


def test_all_sessions_that_are_revoked_are_one_event_and_each_credential_has_its_own(
    town: Town, store: MemoryStore, john: User, caller: Caller
) -> None:
    town.give(john)
    town.give(john, 2)

    town.people.sessions.revoke_all(caller, include_credentials=False)
    town.people.sessions.revoke_all(caller, include_credentials=True)

    known = {"at": START, "actor": by(caller), "subject_id": john.id, "correlation_id": REQUEST}
    first, *off, last = store.events.told()
    assert first == an_expected(AuditAction.SESSIONS_REVOKED, **known, after={"includeCredentials": False})
    assert last == an_expected(AuditAction.SESSIONS_REVOKED, **known, after={"includeCredentials": True})
    assert off == [
        an_expected(
            AuditAction.CREDENTIAL_UPDATED,
            **known,
            target=Target(TargetType.CREDENTIAL, credential_id),
            before={"isActive": True},
            after={"isActive": False},
        )
        for credential_id in sorted(store.credentials, reverse=True)
    ]


def test_what_is_unlocked_is_told_and_who_may_not_unlock_tells_nothing(
    town: Town, store: MemoryStore, john: User
) -> None:
    admin = asking(town.add("root", role=Role.ADMIN))
    with pytest.raises(Forbidden):
        town.people.unlocking.unlock(asking(john), john.id)
    assert store.events == []

    town.people.unlocking.unlock(admin, john.id)

    assert store.events.told() == [
        an_expected(AuditAction.ACCOUNT_UNLOCKED, at=START, actor=by(admin), subject_id=john.id, correlation_id=REQUEST)
    ]
