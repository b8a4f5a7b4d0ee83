"""One code used many times at once, on a store that is right about concurrency: it works once."""

import base64
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from gatehouse.accounts.factors import Factor
from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lockout import Lockout
from gatehouse.accounts.model import Session
from gatehouse.accounts.two_factor import TwoFactor
from gatehouse.audit.recording import Recorder
from gatehouse.errors import BadRequest
from gatehouse.permissions import Caller
from gatehouse.persistence import Stale
from gatehouse.storage.lockout import DynamoLockouts
from gatehouse.storage.records import ProfileRecord, SessionRecord
from gatehouse.storage.transactions import Transaction
from gatehouse.storage.two_factor import DynamoTwoFactor, use_up
from tests.contracts.made_up import a_session, at_once, keep_account
from tests.stores import Store
from tests.unit.factors import app_code
from tests.unit.fakes import PASSWORD_HASH, StoppedClock, a_user
from tests.unit.post import the_writer

AT_ONCE = 16
FAR_OFF = Rules(per_address=99, in_all=999, first_lock=timedelta(minutes=15))


class Home:
    """A user who is signed in 16 times over, from as many addresses, and has turned two factors on."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.keep = DynamoTwoFactor()
        self.two_factor = TwoFactor(
            store=self.keep,
            clock=clock,
            lockout=Lockout(DynamoLockouts(), FAR_OFF),
            writer=the_writer(clock),
            recorder=Recorder(clock),
            issuer="Gatehouse",
            draw=str,
        )
        self.user = a_user("john")
        sessions = [a_session(self.user) for _ in range(AT_ONCE)]
        keep_account(self.user, sessions[0], PASSWORD_HASH)
        for session in sessions[1:]:
            SessionRecord.of(session).save()
        self.callers = [Caller(consumer_id=self.user.id, session_id=session.id) for session in sessions]
        self.secret = base64.b32decode(self.two_factor.enable(self.callers[0]).secret)

    def turn_on(self) -> tuple[str, ...]:
        return self.two_factor.confirm(self.callers[0], "192.0.2.1", app_code(self.secret, self.clock.now()))

    def each_confirms(self, code: str) -> list[Any]:
        confirm = self.two_factor.confirm
        return at_once([partial(confirm, caller, f"192.0.2.{n}", code) for n, caller in enumerate(self.callers)])

    @property
    def factor(self) -> Factor:
        holder = self.keep.find_holder(self.user.id, None)
        assert holder is not None
        return holder.factor

    def fresh_sessions(self) -> int:
        holders = [self.keep.find_holder(self.user.id, caller.session_id) for caller in self.callers]
        return sum(holder is not None and holder.is_fresh(self.clock.now()) for holder in holders)


@pytest.fixture
def home(dynoxide_store: Store, clock: StoppedClock) -> Home:
    return Home(clock)


def won(answers: list[Any]) -> list[Any]:
    """What the one that came through got; all others were told that the code is wrong."""
    refused = [answer for answer in answers if isinstance(answer, BadRequest) and answer.reason == "WRONG_CODE"]
    assert len(refused) == AT_ONCE - 1, Counter(map(repr, answers))
    return [answer for answer in answers if answer not in refused]


@pytest.mark.parametrize("_round", range(3))
def test_of_16_confirmations_at_once_one_turns_it_on_and_tells_the_codes_that_count(home: Home, _round: int) -> None:
    [codes] = won(home.each_confirms(app_code(home.secret, home.clock.now())))
    assert len(codes) == 10
    assert (home.factor.secret, len(home.factor.recovery), home.fresh_sessions()) == (home.secret, 10, 1)
    assert home.factor.recognise(codes[0], home.clock.now()) is not None


def by_app(home: Home, _codes: tuple[str, ...]) -> str:
    return app_code(home.secret, home.clock.now())


def by_paper(_home: Home, codes: tuple[str, ...]) -> str:
    return codes[0]


@pytest.mark.parametrize("_round", range(3))
@pytest.mark.parametrize("code_of", [by_app, by_paper])
def test_of_16_uses_of_one_code_at_once_one_counts(
    home: Home, code_of: Callable[[Home, tuple[str, ...]], str], _round: int
) -> None:
    codes = home.turn_on()
    home.clock.advance(minutes=20)
    assert won(home.each_confirms(code_of(home, codes))) == [()]
    assert len(home.factor.recovery) == (10 if code_of is by_app else 9)
    assert home.fresh_sessions() == 1


def open_session(home: Home, session: Session, code: str) -> None:
    """What signing in writes, with the code used up in it."""
    proof = home.factor.recognise(code, home.clock.now())
    if proof is None:
        raise Stale
    actions, unused = use_up(home.factor, proof)
    transaction = Transaction()
    transaction.update(
        ProfileRecord.key(home.user.id), [ProfileRecord.sessions.add(1), *actions], unused, otherwise=Stale()
    )
    transaction.put(SessionRecord.of(session))
    transaction.commit()


@pytest.mark.parametrize("code_of", [by_app, by_paper])
def test_of_16_sign_ins_at_once_with_one_code_one_opens_a_session(
    dynoxide_store: Store, home: Home, code_of: Callable[[Home, tuple[str, ...]], str]
) -> None:
    codes = home.turn_on()
    home.clock.advance(minutes=20)
    before = len(dynoxide_store.items())
    sessions = [a_session(home.user) for _ in range(AT_ONCE)]
    answers = at_once([partial(open_session, home, session, code_of(home, codes)) for session in sessions])
    assert Counter(map(type, answers)) == {Stale: AT_ONCE - 1, type(None): 1}
    assert len(dynoxide_store.items()) == before + 1


def test_of_a_code_that_turns_it_off_and_proves_at_once_one_comes_through(home: Home) -> None:
    home.turn_on()
    home.clock.advance(minutes=1)
    code = app_code(home.secret, home.clock.now())
    acts = [home.two_factor.disable, home.two_factor.confirm] * 8
    answers = at_once([partial(act, home.callers[n], f"192.0.2.{n}", code) for n, act in enumerate(acts)])
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
