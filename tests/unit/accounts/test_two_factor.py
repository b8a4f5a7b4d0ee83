"""Two factors: pending until confirmed, each code once, off by a code, reset by an ADMIN, fresh for 15 minutes."""

import base64
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from gatehouse.accounts import recovery
from gatehouse.accounts.factors import Factor, RecoveryProof, StepProof
from gatehouse.accounts.ledger import Rules
from gatehouse.accounts.lockout import Lockout, account
from gatehouse.accounts.two_factor import Enrolment, TwoFactor
from gatehouse.audit.recording import Recorder
from gatehouse.consumers.model import Role, User
from gatehouse.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    GatehouseError,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    TwoFactorRequired,
    Unauthenticated,
)
from gatehouse.ids import new_id
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.factors import MemoryFactors, app_code, wrong_code
from tests.unit.fakes import HOME, START, StoppedClock, a_user, signed_in
from tests.unit.lockouts import MemoryLockouts
from tests.unit.post import the_writer

RULES = Rules(per_address=5, in_all=100, first_lock=timedelta(minutes=15))


class Home:
    """A user who is signed in, with an app to hand."""

    def __init__(self, clock: StoppedClock) -> None:
        self.clock = clock
        self.store = MemoryFactors()
        self.lockouts = MemoryLockouts()
        self.two_factor = TwoFactor(
            store=self.store,
            clock=clock,
            lockout=Lockout(self.lockouts, RULES),
            writer=the_writer(clock),
            recorder=Recorder(clock),
            issuer="Gatehouse",
            draw=lambda text: f"<svg>{text}</svg>",
        )
        self.user = a_user("john")
        self.caller = self.sign_in(self.user)

    def sign_in(self, user: User) -> Caller:
        caller = signed_in(user)
        assert caller.session_id is not None
        self.store.users[user.id] = user
        self.store.sessions[caller.session_id] = self.clock.now()
        return caller

    def turn_on(self, caller: Caller | None = None) -> tuple[bytes, tuple[str, ...]]:
        """The secret that is on then, and the recovery codes; the step of now is used up."""
        caller = caller or self.caller
        secret = secret_of(self.two_factor.enable(caller))
        return secret, self.two_factor.confirm(caller, HOME, app_code(secret, self.clock.now()))

    @property
    def factor(self) -> Factor:
        return self.store.factor(self.user.id)

    @property
    def failures(self) -> int:
        return self.lockouts.ledger(account(self.user.id).name).failed


@pytest.fixture
def home(clock: StoppedClock) -> Home:
    return Home(clock)


def secret_of(enrolment: Enrolment) -> bytes:
    return base64.b32decode(enrolment.secret)


def refusal_of(act: Callable[[], object]) -> tuple[type[GatehouseError], str | None]:
    with pytest.raises(GatehouseError) as refusal:
        act()
    return type(refusal.value), refusal.value.reason


WRONG = (BadRequest, "WRONG_CODE")
CODE_NEEDED = (TwoFactorRequired, "CODE_NEEDED")


def test_turning_it_on_tells_the_secret_a_uri_with_it_and_that_as_a_picture_and_changes_nothing_yet(home: Home) -> None:
    told = home.two_factor.enable(home.caller)
    uri = urlsplit(told.uri)
    assert (uri.path, parse_qs(uri.query)) == ("/Gatehouse:john", {"secret": [told.secret], "issuer": ["Gatehouse"]})
    assert told.qr == f"<svg>{told.uri}</svg>"
    assert home.factor == Factor(pending=secret_of(told))
    home.two_factor.require_fresh(home.caller)


def test_nothing_secret_is_in_a_repr(home: Home) -> None:
    told = home.two_factor.enable(home.caller)
    home.two_factor.confirm(home.caller, HOME, app_code(secret_of(told), START))
    holder = home.store.find_holder(home.user.id, home.caller.session_id)
    shown = f"{told!r} {holder!r} {RecoveryProof(b'digest')!r} {home.two_factor.enable(home.caller)!r}"
    assert told.secret not in shown
    assert repr(secret_of(told)) not in shown
    assert "digest" not in shown.lower()


def test_a_code_of_the_pending_secret_turns_it_on_and_tells_ten_recovery_codes(home: Home) -> None:
    secret, codes = home.turn_on()
    step = home.factor.step
    assert home.factor == Factor(secret=secret, step=step, recovery=recovery.digests(codes))
    assert (len(codes), home.failures) == (10, 0)
    assert home.factor.recognise(app_code(secret, START), START) is None
    assert home.factor.recognise(app_code(secret, START, 1), START) == StepProof(step + 1)


def test_of_secrets_shown_one_after_the_other_the_last_one_counts(home: Home) -> None:
    first = secret_of(home.two_factor.enable(home.caller))
    second = secret_of(home.two_factor.enable(home.caller))
    assert refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, app_code(first, START))) == WRONG
    assert len(home.two_factor.confirm(home.caller, HOME, app_code(second, START))) == 10


def test_a_wrong_code_confirms_nothing_and_counts_at_the_account(home: Home) -> None:
    secret = secret_of(home.two_factor.enable(home.caller))
    assert refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, wrong_code(secret, START))) == WRONG
    assert (home.factor, home.failures) == (Factor(pending=secret), 1)


def test_after_too_many_wrong_codes_a_right_one_is_refused_from_there(home: Home) -> None:
    secret = secret_of(home.two_factor.enable(home.caller))
    for _ in range(5):
        refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, wrong_code(secret, START)))
    with pytest.raises(RateLimitExceeded):
        home.two_factor.confirm(home.caller, HOME, app_code(secret, START))
    assert len(home.two_factor.confirm(home.caller, "198.51.100.7", app_code(secret, START))) == 10


def test_a_right_code_clears_the_failures_of_its_address(home: Home) -> None:
    secret = secret_of(home.two_factor.enable(home.caller))
    for _ in range(4):
        refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, wrong_code(secret, START)))
    home.two_factor.confirm(home.caller, HOME, app_code(secret, START))
    assert home.failures == 0


@pytest.mark.parametrize("act", ["confirm", "disable"])
def test_where_nothing_is_on_or_pending_there_is_nothing_to_confirm_or_turn_off(home: Home, act: str) -> None:
    with pytest.raises(Conflict):
        getattr(home.two_factor, act)(home.caller, HOME, "123456")
    assert home.failures == 0


def test_a_code_works_once(home: Home) -> None:
    secret, codes = home.turn_on()
    home.clock.advance(seconds=30)
    for code in (app_code(secret, home.clock.now()), codes[3]):
        assert home.two_factor.confirm(home.caller, HOME, code) == ()
        assert refusal_of(lambda code=code: home.two_factor.confirm(home.caller, HOME, code)) == WRONG
    assert home.factor.recovery == recovery.digests(codes) - {recovery.digest(codes[3])}


def test_an_earlier_code_does_not_work_behind_a_later_one(home: Home) -> None:
    secret, _ = home.turn_on()
    home.clock.advance(minutes=5)
    home.two_factor.confirm(home.caller, HOME, app_code(secret, home.clock.now(), 1))
    now = home.clock.now()
    assert refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, app_code(secret, now))) == WRONG


def test_a_code_counts_for_15_minutes_and_for_its_session_alone(home: Home) -> None:
    secret, _ = home.turn_on()
    other = home.sign_in(home.user)
    home.clock.advance(minutes=15)
    home.two_factor.require_fresh(home.caller)
    assert refusal_of(lambda: home.two_factor.require_fresh(other)) == CODE_NEEDED
    home.clock.advance(milliseconds=1)
    assert refusal_of(lambda: home.two_factor.require_fresh(home.caller)) == CODE_NEEDED
    home.two_factor.confirm(other, HOME, app_code(secret, home.clock.now()))
    home.two_factor.require_fresh(other)


def test_a_program_can_give_no_code_where_its_owner_has_a_second_factor(home: Home) -> None:
    program = Caller(consumer_id=home.user.id, credential_id=new_id(START), scopes=frozenset({"credentials:write"}))
    home.two_factor.require_fresh(program)
    home.turn_on()
    assert refusal_of(lambda: home.two_factor.require_fresh(program)) == CODE_NEEDED


def test_turning_it_on_takes_a_sign_in_of_the_last_15_minutes(home: Home) -> None:
    home.clock.advance(minutes=15)
    secret = secret_of(home.two_factor.enable(home.caller))
    home.clock.advance(milliseconds=1)
    again = (Forbidden, "SIGN_IN_AGAIN")
    assert refusal_of(lambda: home.two_factor.enable(home.caller)) == again
    code = app_code(secret, home.clock.now())
    assert refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, code)) == again
    assert home.failures == 0
    assert len(home.two_factor.confirm(home.sign_in(home.user), HOME, code)) == 10


def test_another_app_takes_a_fresh_code_of_the_one_before_and_brings_new_recovery_codes(home: Home) -> None:
    old, old_codes = home.turn_on()
    home.clock.advance(minutes=16)
    assert refusal_of(lambda: home.two_factor.enable(home.caller)) == CODE_NEEDED
    home.two_factor.confirm(home.caller, HOME, old_codes[0])
    new = secret_of(home.two_factor.enable(home.caller))
    assert home.factor.secret == old
    codes = home.two_factor.confirm(home.caller, HOME, app_code(new, home.clock.now()))
    assert (home.factor.secret, home.factor.pending) == (new, None)
    assert home.factor.recovery == recovery.digests(codes)


def test_what_is_pending_is_not_confirmed_by_a_session_that_has_seen_no_code_lately(home: Home) -> None:
    home.turn_on()
    planted = secret_of(home.two_factor.enable(home.caller))
    home.clock.advance(minutes=16)
    code = app_code(planted, home.clock.now())
    assert refusal_of(lambda: home.two_factor.confirm(home.caller, HOME, code)) == CODE_NEEDED


def test_a_code_of_the_app_or_of_paper_turns_it_off(home: Home) -> None:
    for on_paper in (False, True):
        secret, codes = home.turn_on()
        home.two_factor.enable(home.caller)
        home.clock.advance(minutes=20)
        home.two_factor.disable(home.caller, HOME, codes[9] if on_paper else app_code(secret, home.clock.now()))
        assert home.factor == Factor()
        home.caller = home.sign_in(home.user)


def test_neither_a_wrong_code_nor_a_used_one_nor_one_of_what_is_pending_turns_it_off(home: Home) -> None:
    secret, _ = home.turn_on()
    pending = secret_of(home.two_factor.enable(home.caller))
    for code in (wrong_code(secret, START), app_code(secret, START), app_code(pending, START)):
        assert refusal_of(lambda code=code: home.two_factor.disable(home.caller, HOME, code)) == WRONG
    assert (home.factor.secret, home.failures) == (secret, 3)


def test_an_admin_resets_it_for_somebody_else(home: Home) -> None:
    admin = home.sign_in(a_user("root", role=Role.ADMIN))
    home.turn_on()
    assert home.two_factor.reset(admin, home.user.id) == home.user
    assert home.factor == Factor()
    assert home.two_factor.reset(admin, home.user.id.upper()) == home.user


def test_an_admin_resets_it_with_a_fresh_code_of_their_own_and_not_for_themselves(home: Home) -> None:
    root = a_user("root", role=Role.ADMIN)
    admin = home.sign_in(root)
    home.turn_on()
    home.turn_on(admin)
    assert refusal_of(lambda: home.two_factor.reset(admin, root.id)) == (Forbidden, "ROLE")
    home.clock.advance(minutes=16)
    assert refusal_of(lambda: home.two_factor.reset(admin, home.user.id)) == CODE_NEEDED
    assert home.factor.is_on


def test_nobody_else_resets_it(home: Home) -> None:
    home.turn_on()
    moderator = home.sign_in(a_user("mod", role=Role.MODERATOR))
    for caller in (home.caller, moderator):
        assert refusal_of(lambda caller=caller: home.two_factor.reset(caller, home.user.id)) == (Forbidden, "ROLE")
    assert home.factor.is_on


@pytest.mark.parametrize("user_id", ["", "nobody", "019ca945-0a00-7a20-a23e-db541e69b61f"])
def test_who_is_not_there_is_not_found(home: Home, user_id: str) -> None:
    admin = home.sign_in(a_user("root", role=Role.ADMIN))
    with pytest.raises(NotFound):
        home.two_factor.reset(admin, user_id)


@pytest.mark.parametrize(
    "act",
    [
        lambda home, caller: home.two_factor.enable(caller),
        lambda home, caller: home.two_factor.confirm(caller, HOME, "123456"),
        lambda home, caller: home.two_factor.disable(caller, HOME, "123456"),
        lambda home, caller: home.two_factor.reset(caller, home.user.id),
    ],
)
def test_all_of_it_takes_a_person(home: Home, act: Callable[[Home, Caller], object]) -> None:
    home.turn_on()
    program = Caller(consumer_id=home.user.id, role=Role.ADMIN, credential_id=new_id(START))
    assert refusal_of(lambda: act(home, program)) == (Forbidden, "SCOPE")
    assert refusal_of(lambda: act(home, ANONYMOUS)) == (Unauthenticated, None)
    assert home.factor.is_on


def test_a_session_that_ends_meanwhile_changes_nothing(home: Home) -> None:
    secret = secret_of(home.two_factor.enable(home.caller))
    home.store.sessions.clear()
    with pytest.raises(Unauthenticated):
        home.two_factor.confirm(home.caller, HOME, app_code(secret, START))
    assert (home.factor, home.failures) == (Factor(pending=secret), 0)


def test_what_others_change_meanwhile_is_looked_at_again_and_not_for_ever(home: Home) -> None:
    home.store.stale = 4
    secret = secret_of(home.two_factor.enable(home.caller))
    home.store.stale = 4
    assert len(home.two_factor.confirm(home.caller, HOME, app_code(secret, START))) == 10
    home.store.stale = 5
    with pytest.raises(ServiceUnavailable):
        home.two_factor.disable(home.caller, HOME, app_code(secret, START, 1))
    assert (home.factor.is_on, home.failures) == (True, 0)
