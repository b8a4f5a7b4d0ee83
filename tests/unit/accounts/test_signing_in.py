"""Signing in: counted before it is tried, alike whatever is wrong, and with a code where two factors are on."""

from datetime import timedelta

import pytest

from gatehouse.accounts.lockout import account, no_account
from gatehouse.accounts.model import Origin, SignIn
from gatehouse.consumers.model import Role, User
from gatehouse.errors import NotFound, RateLimitExceeded, TwoFactorRequired, Unauthenticated
from gatehouse.tokens import SESSION
from gatehouse.wiring import Gatehouse
from tests.unit.factors import app_code, wrong_code
from tests.unit.fakes import (
    HOME,
    PASSWORD,
    PASSWORD_HASH,
    START,
    TOKENS,
    MemoryStore,
    StoppedClock,
    a_user,
    signed_in,
    the_house,
    the_settings,
)

ELSEWHERE = "198.51.100.7"
DEVICE = "Firefox on Windows"
WRONG = "WrongPass123!"
SECRET = b"a secret of 20 bytes"


class Door:
    """The house, and a user who may have two factors on."""

    def __init__(self, store: MemoryStore, clock: StoppedClock) -> None:
        self.store, self.clock = store, clock
        self.house: Gatehouse = the_house(store, clock, the_settings(GUESS_LIMIT_ADDRESS="20"))
        self.user = store.add(a_user("john"))
        self.codes: tuple[str, ...] = ()

    def login(self, password: str = PASSWORD, address: str = HOME, user: User | None = None) -> SignIn:
        return self.house.people.accounts.login((user or self.user).email, password, Origin(address, DEVICE))

    def turn_on(self) -> None:
        caller = TOKENS.verify(SESSION, self.login().access_token, self.clock.now())
        who = signed_in(self.user)
        who = type(who)(consumer_id=caller.subject, session_id=caller.own["sid"])
        self.house.people.two_factor.enable(who)
        secret = self.store.factors.factor(self.user.id).pending
        assert secret is not None
        self.secret = secret
        self.codes = self.house.people.two_factor.confirm(who, HOME, app_code(secret, self.clock.now()))
        self.clock.advance(minutes=5)

    def challenge(self, address: str = HOME) -> str:
        with pytest.raises(TwoFactorRequired) as asked:
            self.login(address=address)
        assert asked.value.challenge is not None
        return asked.value.challenge

    def complete(self, code: str, challenge: str | None = None, address: str = HOME) -> SignIn:
        return self.house.people.accounts.complete_login(
            challenge or self.challenge(address), code, Origin(address, DEVICE)
        )

    def refusal_of_code(self, code: str, challenge: str | None = None) -> str | None:
        with pytest.raises(Unauthenticated) as refusal:
            self.complete(code, challenge)
        return refusal.value.reason

    def fails(self, times: int, address: str = HOME, password: str = WRONG) -> set[tuple[str, str | None]]:
        told = set()
        for _ in range(times):
            with pytest.raises(Unauthenticated) as refusal:
                self.login(password, address)
            told.add((refusal.value.message, refusal.value.reason))
        return told


@pytest.fixture
def door(store: MemoryStore, clock: StoppedClock) -> Door:
    return Door(store, clock)


def test_a_locked_account_answers_as_one_with_another_password(door: Door) -> None:
    wrong = door.fails(5)
    assert door.fails(3, password=PASSWORD) == wrong == door.fails(1, ELSEWHERE)
    assert door.login(address=ELSEWHERE).user == door.user
    door.clock.advance(minutes=15)
    assert door.login().user == door.user


def test_whatever_is_wrong_the_same_is_asked_of_the_store(door: Door) -> None:
    door.turn_on()
    locked, off = door.store.add(a_user("locked")), door.store.add(a_user("off", is_active=False))
    door.store.add(a_user("robot"), None)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            door.login(WRONG, "192.0.2.200", locked)
    seen = []
    for user, password in (
        (door.user, WRONG),
        (door.store.add(a_user("without-factors")), WRONG),
        (a_user("nobody"), PASSWORD),
        (locked, PASSWORD),
        (off, PASSWORD),
        (a_user("robot"), PASSWORD),
    ):
        for calls in (door.store.calls, door.store.lockouts.calls):
            calls.clear()
        with pytest.raises(Unauthenticated):
            door.login(password, "192.0.2.200", user)
        seen.append((door.store.calls[:], len(door.store.lockouts.calls)))
    assert seen == [(["find_account", "count_refusal", "keep_event"], 4)] * 6


def test_a_wrong_code_asks_the_same_of_the_store_as_a_right_one_at_a_locked_account(door: Door) -> None:
    door.turn_on()
    challenge, now, seen = door.challenge(), door.clock.now(), []
    for code in (*[wrong_code(door.secret, now)] * 5, app_code(door.secret, now)):
        for calls in (door.store.calls, door.store.lockouts.calls):
            calls.clear()
        with pytest.raises(Unauthenticated):
            door.complete(code, challenge)
        seen.append((door.store.calls[:], len(door.store.lockouts.calls)))
    asked = ["find_account_of", "count_refusal", "keep_event"]
    assert seen == [(asked, 4)] * 4 + [([*asked, "keep_notice"], 4), (asked, 4)]


def test_failures_are_counted_for_whoever_they_are_of(door: Door) -> None:
    door.fails(2)
    with pytest.raises(Unauthenticated):
        door.login(user=a_user("nobody"))
    ledgers = door.store.lockouts.ledgers.items()
    failed = {subject: ledger.failed for subject, ledger in ledgers if not subject.startswith("address/")}
    assert failed == {account(door.user.id).name: 2, no_account("nobody@example.com").name: 1}


def test_an_address_that_tries_too_many_accounts_is_refused_at_all_of_them(door: Door) -> None:
    for number in range(20):
        with pytest.raises(Unauthenticated):
            door.login(user=a_user(f"nobody-{number}"))
    with pytest.raises(RateLimitExceeded):
        door.login()
    assert door.login(address=ELSEWHERE).user == door.user


def test_with_two_factors_a_right_password_gets_a_challenge_and_a_code_a_session(door: Door) -> None:
    door.turn_on()
    sessions = len(door.store.sessions)
    challenge = door.challenge()
    assert len(door.store.sessions) == sessions
    signed = door.complete(app_code(door.secret, door.clock.now()), challenge)
    sid = TOKENS.verify(SESSION, signed.access_token, door.clock.now()).own["sid"]
    assert (signed.user.id, door.store.sessions[sid].proved_at) == (door.user.id, door.clock.now())


def test_with_two_factors_a_wrong_password_gets_nothing_else_than_without(door: Door) -> None:
    without = door.fails(1)
    door.login()
    door.turn_on()
    assert door.fails(1) == without


def test_a_code_works_once_from_the_app_and_from_paper(door: Door) -> None:
    door.turn_on()
    for code in (app_code(door.secret, door.clock.now()), door.codes[0]):
        assert door.complete(code).user.id == door.user.id
        assert door.refusal_of_code(code) == "WRONG_CODE"


def test_wrong_codes_lock_as_wrong_passwords_do_and_with_them_and_a_right_password_clears_none(door: Door) -> None:
    door.turn_on()
    door.fails(2)
    for _ in range(3):
        assert door.refusal_of_code(wrong_code(door.secret, door.clock.now())) == "WRONG_CODE"
    door.fails(1, password=PASSWORD)
    elsewhere = door.challenge(ELSEWHERE)
    right = app_code(door.secret, door.clock.now())
    assert door.refusal_of_code(right, elsewhere) == "WRONG_CODE"
    assert door.complete(right, elsewhere, ELSEWHERE).user.id == door.user.id


@pytest.mark.parametrize(
    "ends",
    [
        lambda door: door.clock.advance(minutes=5),
        lambda door: door.store.generations.update({door.user.id: 1}),
        lambda door: door.store.factors.factors.clear(),
        lambda door: door.store.users.clear(),
        lambda door: door.store.users.update({door.user.id: a_user("john", id=door.user.id, is_active=False)}),
    ],
    ids=["five minutes", "all sessions ended", "it is off", "the user is gone", "the user is off"],
)
def test_a_challenge_ends_with_what_it_was_given_for(door: Door, ends: object) -> None:
    door.turn_on()
    challenge = door.challenge()
    assert callable(ends)
    ends(door)
    assert door.refusal_of_code(app_code(door.secret, door.clock.now()), challenge) == "CHALLENGE_EXPIRED"


def test_a_session_token_is_no_challenge(door: Door) -> None:
    token = door.login().access_token
    assert door.refusal_of_code("123456", token) is None


def test_an_admin_unlocks_and_nobody_else(door: Door) -> None:
    admin = signed_in(door.store.add(a_user("root", role=Role.ADMIN)))
    door.fails(5)
    assert door.house.people.unlocking.unlock(admin, door.user.id) == door.user
    assert door.login().user == door.user
    with pytest.raises(NotFound):
        door.house.people.unlocking.unlock(admin, "nobody")


def test_a_deleted_user_and_the_next_one_share_no_failures(door: Door) -> None:
    door.fails(5)
    del door.store.users[door.user.id]
    again = door.store.add(a_user("john", id="0198c3a0-0000-7000-8000-000000000009"), PASSWORD_HASH)
    assert door.login(user=again).user == again


def test_a_code_is_counted_as_fresh_for_15_minutes_by_the_clock_of_the_sign_in(door: Door) -> None:
    door.turn_on()
    signed = door.complete(app_code(door.secret, door.clock.now()))
    told = TOKENS.verify(SESSION, signed.access_token, door.clock.now())
    holder = door.store.factors.find_holder(told.subject, told.own["sid"])
    assert holder is not None
    assert holder.is_fresh(door.clock.now() + timedelta(minutes=15))
    assert not holder.is_fresh(door.clock.now() + timedelta(minutes=15, milliseconds=1))
    assert door.clock.now() > START
