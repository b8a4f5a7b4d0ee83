"""How an account begins, what its mailbox shows, its passwords and its second factor: each step is told as it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.accounts.admittance import Mode
from gatehouse.accounts.model import SignIn
from gatehouse.audit.model import AuditAction, Target, TargetType
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import DeactivatedBy, Role, User
from gatehouse.errors import Conflict, Forbidden, GatehouseError
from gatehouse.permissions import Caller
from tests.unit.events import an_expected, by, by_a_stranger, personal
from tests.unit.factors import app_code, wrong_code
from tests.unit.fakes import HOME, PASSWORD, START, MemoryStore, StoppedClock
from tests.unit.people import ASKED_FROM_HOME, NEW_PASSWORD, REQUEST, WRONG_PASSWORD, Town, asking, refusal

NEW: NewUser = {"username": "jane", "email": "jane@example.com", "password": PASSWORD, "first_name": "Jane"}
NOW = "2026-03-01T12:00:00.000Z"
JANE = {
    "kind": "USER",
    "role": "USER",
    "isActive": True,
    "username": personal("jane"),
    "email": personal("jane@example.com"),
    "firstName": personal("Jane"),
}


@pytest.fixture
def town(store: MemoryStore, clock: StoppedClock) -> Town:
    return Town(store, clock, GUESS_LIMIT_ADDRESS="1000")


@pytest.fixture
def john(town: Town) -> User:
    return town.add()


@pytest.fixture
def caller(town: Town, john: User) -> Caller:
    """John in a session; that it began is not in the events any more."""
    return _asking(town, town.login(john))


def _asking(town: Town, signed: SignIn | None) -> Caller:
    assert signed is not None
    forget(town)
    return replace(town.caller(signed), address=HOME, correlation_id=REQUEST)


def forget(town: Town) -> None:
    town.store.audit.events.clear()


def test_who_registers_is_told_as_the_one_who_is_in_then(town: Town, store: MemoryStore) -> None:
    signed = town.people.registration.register(NEW, ASKED_FROM_HOME)
    [event] = store.events.told()
    caller = _asking(town, signed)

    assert event == an_expected(
        AuditAction.USER_REGISTERED,
        at=START,
        actor=by(caller),
        subject_id=caller.consumer_id,
        after=JANE,
        correlation_id=REQUEST,
    )


def test_who_has_to_show_their_mailbox_first_is_told_as_a_stranger(store: MemoryStore, clock: StoppedClock) -> None:
    town = Town(store, clock, REQUIRE_VERIFIED_EMAIL="true")
    town.people.registration.register(NEW, ASKED_FROM_HOME)

    [user_id] = store.users
    assert store.events.told() == [
        an_expected(
            AuditAction.USER_REGISTERED,
            at=START,
            actor=by_a_stranger(HOME),
            subject_id=user_id,
            after=JANE,
            correlation_id=REQUEST,
        )
    ]


@pytest.mark.parametrize("email", ["jane@example.com", "john@example.com"], ids=["free", "taken"])
def test_who_begins_with_a_mail_is_told_about_without_what_they_typed_whatever_there_is_at_the_address(
    store: MemoryStore, clock: StoppedClock, email: str
) -> None:
    town = Town(store, clock, REGISTRATION_MODE=Mode.VERIFY_FIRST)
    town.add("john")

    assert town.people.registration.register({**NEW, "email": email}, ASKED_FROM_HOME) is None
    assert store.events.told() == [
        an_expected(AuditAction.REGISTRATION_ASKED, at=START, actor=by_a_stranger(HOME), correlation_id=REQUEST)
    ]


def test_an_invitation_is_told_with_whom_and_as_what_and_its_acceptance_with_who_they_are(
    town: Town, store: MemoryStore
) -> None:
    admin = asking(town.add("root", role=Role.ADMIN))
    town.people.registration.invite(admin, "jane@example.com", Role.MODERATOR)
    given = {"token": town.link("jane@example.com"), "username": "jane", "password": PASSWORD}
    town.clock.advance(hours=1)
    signed = town.people.registration.accept(given, ASKED_FROM_HOME)  # type: ignore[arg-type]
    invited, accepted = store.events.told()
    jane = _asking(town, signed)

    assert invited == an_expected(
        AuditAction.INVITED,
        at=START,
        actor=by(admin),
        after={"maskedEmail": "j***@example.com", "role": "MODERATOR"},
        correlation_id=REQUEST,
    )
    assert accepted == an_expected(
        AuditAction.INVITATION_ACCEPTED,
        at=town.clock.now(),
        actor=by(jane),
        subject_id=jane.consumer_id,
        after={
            "kind": "USER",
            "role": "MODERATOR",
            "isActive": True,
            "emailVerifiedAt": "2026-03-01T13:00:00.000Z",
            "username": personal("jane"),
            "email": personal("jane@example.com"),
        },
        correlation_id=REQUEST,
    )


def test_an_account_that_does_without_its_mail_is_told_once(town: Town, store: MemoryStore) -> None:
    town.fill("jane@example.com")

    town.people.registration.register(NEW, ASKED_FROM_HOME)

    assert [event.action for event in store.events] == [AuditAction.USER_REGISTERED]


@pytest.mark.parametrize(
    "changes", [{"email": "JOHN@example.com"}, {"username": "JOHN"}, {"password": "weak"}, {"username": "-"}]
)
def test_who_is_refused_an_account_is_not_told_about(
    town: Town, store: MemoryStore, john: User, changes: NewUser
) -> None:
    with pytest.raises(GatehouseError):
        town.people.registration.register({**NEW, **changes}, ASKED_FROM_HOME)
    assert store.events == []


def test_who_may_not_invite_is_not_told_about(town: Town, store: MemoryStore, john: User) -> None:
    admin = asking(town.add("root", role=Role.ADMIN))
    with pytest.raises(Forbidden):
        town.people.registration.invite(asking(john), "jane@example.com", Role.USER)
    with pytest.raises(Conflict):
        town.people.registration.invite(admin, john.email, Role.USER)
    assert store.events == []


def test_a_verification_is_told_when_it_is_asked_for_and_when_it_is_done(town: Town, store: MemoryStore) -> None:
    user = town.add("jane", email_verified_at=None)
    caller = _asking(town, town.login(user))

    town.people.emails.ask_for_verification(caller)
    town.people.emails.verify(caller, town.link(user.email))
    refusal(town.people.emails.ask_for_verification, caller)

    known = {"at": START, "actor": by(caller), "subject_id": user.id, "correlation_id": REQUEST}
    assert store.events.told() == [
        an_expected(AuditAction.EMAIL_VERIFICATION_ASKED, **known),
        an_expected(
            AuditAction.EMAIL_VERIFIED,
            **known,
            before={"emailVerifiedAt": None},
            after={"emailVerifiedAt": NOW},
        ),
    ]


def test_another_email_is_told_when_it_is_asked_for_and_when_it_is_shown_to_be_theirs(
    town: Town, store: MemoryStore, john: User, caller: Caller
) -> None:
    town.people.emails.ask_for_change(caller, ASKED_FROM_HOME, "new@example.com", PASSWORD)
    link = town.link("new@example.com")
    town.clock.advance(minutes=1)
    town.people.emails.verify(caller, link)
    refusal(town.people.emails.verify, caller, link)

    known = {"actor": by(caller), "subject_id": john.id, "correlation_id": REQUEST}
    assert store.events.told() == [
        an_expected(AuditAction.EMAIL_CHANGE_ASKED, at=START, **known, after={"newEmail": personal("new@example.com")}),
        an_expected(
            AuditAction.EMAIL_CHANGED,
            at=town.clock.now(),
            **known,
            before={"email": personal("john@example.com"), "emailVerifiedAt": NOW},
            after={"email": personal("new@example.com"), "emailVerifiedAt": "2026-03-01T12:01:00.000Z"},
        ),
    ]


def test_what_is_refused_or_has_no_room_is_not_told(town: Town, store: MemoryStore, john: User, caller: Caller) -> None:
    ask = town.people.emails.ask_for_change
    refusal(ask, caller, ASKED_FROM_HOME, "new@example.com", WRONG_PASSWORD)
    refusal(ask, caller, ASKED_FROM_HOME, john.email, PASSWORD)
    refusal(town.people.emails.ask_for_verification, caller)
    town.fill("new@example.com")
    ask(caller, ASKED_FROM_HOME, "new@example.com", PASSWORD)

    assert store.events == []


def test_who_verifies_while_they_sign_in_is_a_stranger_until_they_are_in(
    store: MemoryStore, clock: StoppedClock
) -> None:
    town = Town(store, clock, REQUIRE_VERIFIED_EMAIL="true")
    user = town.add("jane", email_verified_at=None)
    refusal(town.login, user, PASSWORD, ASKED_FROM_HOME)
    town.login(user, PASSWORD, ASKED_FROM_HOME, town.link(user.email))

    asked, verified, signed_in = store.events.told()
    known = {"at": START, "actor": by_a_stranger(HOME), "subject_id": user.id, "correlation_id": REQUEST}
    assert asked == an_expected(AuditAction.EMAIL_VERIFICATION_ASKED, **known)
    assert verified == an_expected(
        AuditAction.EMAIL_VERIFIED, **known, before={"emailVerifiedAt": None}, after={"emailVerifiedAt": NOW}
    )
    assert signed_in.action is AuditAction.SIGNED_IN


def test_a_change_is_told_without_either_password(town: Town, store: MemoryStore, john: User, caller: Caller) -> None:
    refusal(town.people.passwords.change, caller, ASKED_FROM_HOME, WRONG_PASSWORD, NEW_PASSWORD)
    refusal(town.people.passwords.change, caller, ASKED_FROM_HOME, PASSWORD, "weak")
    town.people.passwords.change(caller, ASKED_FROM_HOME, PASSWORD, NEW_PASSWORD)

    assert store.events.told() == [
        an_expected(
            AuditAction.PASSWORD_CHANGED,
            at=START,
            actor=by(caller),
            subject_id=john.id,
            correlation_id=REQUEST,
        )
    ]


def test_a_link_is_told_about_with_the_account_whose_it_is_and_without_one_with_nothing(
    town: Town, store: MemoryStore, john: User
) -> None:
    off = town.add("off", is_active=False, deactivated_by=DeactivatedBy.ADMIN)
    for email in (john.email, off.email, "nobody@example.com"):
        town.people.passwords.ask_for_reset(email, ASKED_FROM_HOME)

    assert store.events.told() == [
        an_expected(
            AuditAction.PASSWORD_RESET_ASKED,
            at=START,
            actor=by_a_stranger(HOME),
            subject_id=subject_id,
            correlation_id=REQUEST,
        )
        for subject_id in (john.id, None, None)
    ]


def test_what_is_asked_for_too_often_or_is_no_address_is_not_told(town: Town, store: MemoryStore, john: User) -> None:
    town.fill(john.email)
    town.people.passwords.ask_for_reset(john.email, ASKED_FROM_HOME)
    forget(town)

    town.people.passwords.ask_for_reset(john.email, ASKED_FROM_HOME)
    refusal(town.people.passwords.ask_for_reset, "john", ASKED_FROM_HOME)

    assert store.events == []


def test_a_reset_is_told_with_what_it_changes_beside_the_password(town: Town, store: MemoryStore) -> None:
    user = town.add("jane", is_active=False, deactivated_by=DeactivatedBy.SWEEP)
    town.people.passwords.ask_for_reset(user.email, ASKED_FROM_HOME)
    forget(town)
    link = town.link(user.email)
    town.clock.advance(minutes=1)

    town.people.passwords.reset(link, NEW_PASSWORD, ASKED_FROM_HOME)
    refusal(town.people.passwords.reset, link, PASSWORD, ASKED_FROM_HOME)

    assert store.events.told() == [
        an_expected(
            AuditAction.PASSWORD_RESET,
            at=START + timedelta(minutes=1),
            actor=by_a_stranger(HOME),
            subject_id=user.id,
            before={"isActive": False, "deactivatedBy": "SWEEP", "emailVerifiedAt": NOW},
            after={"isActive": True, "deactivatedBy": None, "emailVerifiedAt": "2026-03-01T12:01:00.000Z"},
            correlation_id=REQUEST,
        )
    ]


def test_what_goes_with_a_reset_because_a_stranger_may_have_put_it_there_is_told(
    town: Town, store: MemoryStore
) -> None:
    user = town.add("jane", email_verified_at=None)
    town.turn_on_two_factors(town.sign_in(user))
    credential = town.give(user)
    town.people.passwords.ask_for_reset(user.email, ASKED_FROM_HOME)
    forget(town)

    town.people.passwords.reset(town.link(user.email), NEW_PASSWORD, ASKED_FROM_HOME)

    known = {"at": START, "actor": by_a_stranger(HOME), "subject_id": user.id, "correlation_id": REQUEST}
    assert store.events.told() == [
        an_expected(
            AuditAction.CREDENTIAL_DELETED,
            **known,
            target=Target(TargetType.CREDENTIAL, credential.id),
            before={"type": "KEY_AUTH", "keyId": personal("jane-1"), "role": "USER", "isActive": True},
        ),
        an_expected(
            AuditAction.PASSWORD_RESET,
            **known,
            before={"emailVerifiedAt": None, "twoFactorEnabled": True},
            after={"emailVerifiedAt": NOW, "twoFactorEnabled": False},
        ),
    ]


def test_each_step_is_told_with_what_is_on_then(town: Town, store: MemoryStore, john: User, caller: Caller) -> None:
    two_factor = town.people.two_factor
    admin = asking(town.add("root", role=Role.ADMIN))
    secret = town.turn_on_two_factors(caller)
    steps: list[Callable[[str], object]] = [
        lambda code: two_factor.confirm(caller, HOME, code),
        lambda code: two_factor.disable(caller, HOME, code),
    ]
    for step in steps:
        town.clock.advance(seconds=30)
        step(app_code(secret, town.clock.now()))
    town.turn_on_two_factors(caller)
    two_factor.reset(admin, john.id)
    two_factor.reset(admin, john.id)

    on, off = {"twoFactorEnabled": True}, {"twoFactorEnabled": False}
    told = [(event.action, event.before, event.after) for event in store.events]
    assert told == [
        (AuditAction.TWO_FACTOR_BEGUN, {}, {}),
        (AuditAction.TWO_FACTOR_ON, off, on),
        (AuditAction.TWO_FACTOR_PROVED, {}, {}),
        (AuditAction.TWO_FACTOR_OFF, on, off),
        (AuditAction.TWO_FACTOR_BEGUN, {}, {}),
        (AuditAction.TWO_FACTOR_ON, off, on),
        (AuditAction.TWO_FACTOR_RESET, on, off),
    ]
    assert {event.subject_id for event in store.events} == {john.id}
    assert [event.actor for event in store.events.told()] == [by(caller)] * 6 + [by(admin)]
    assert {event.correlation_id for event in store.events} == {REQUEST}


def test_a_secret_that_is_only_shown_is_reset_as_one_that_was_never_on(
    town: Town, store: MemoryStore, john: User, caller: Caller
) -> None:
    admin = asking(town.add("root", role=Role.ADMIN))
    town.people.two_factor.enable(caller)
    forget(town)

    town.people.two_factor.reset(admin, john.id)

    [event] = store.events
    assert (event.action, event.before, event.after) == (AuditAction.TWO_FACTOR_RESET, {}, {})


def test_a_wrong_code_changes_nothing_and_is_not_told_as_a_change(
    town: Town, store: MemoryStore, john: User, caller: Caller
) -> None:
    secret = town.turn_on_two_factors(caller)
    forget(town)
    for step in (town.people.two_factor.confirm, town.people.two_factor.disable):
        refusal(step, caller, HOME, wrong_code(secret, START))

    assert store.events == []
