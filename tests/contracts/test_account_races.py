"""What must hold of accounts however many call at once, with real threads on a store that is atomic."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from threading import Barrier, BrokenBarrierError, Lock
from typing import Any

import bcrypt
import pytest

from gatehouse.accounts.model import Origin, SignIn
from gatehouse.audit.model import AuditAction
from gatehouse.consumers.model import Role, User
from gatehouse.errors import Conflict, GatehouseError, ServiceUnavailable, TooManyTries, Unauthenticated
from gatehouse.mail.model import MailKind
from gatehouse.storage.accounts import DynamoAccounts
from tests.contracts.made_up import (
    at_once,
)
from tests.contracts.towns import Town
from tests.stores import Store
from tests.unit.fakes import AT_HOME, PASSWORD, StoppedClock

pytestmark = pytest.mark.long

AT_ONCE = 16
WRONG = "WrongPass123!"
NEW = "Another-Pass-456"
ELSEWHERE = Origin("198.51.100.7", "curl")


@pytest.fixture
def town(dynoxide_store: Store, clock: StoppedClock) -> Town:
    return Town(dynoxide_store, clock)


def split[T](answers: Sequence[Any], kind: type[T]) -> tuple[list[T], list[Any]]:
    """The answers of a kind, and the others."""
    return [a for a in answers if isinstance(a, kind)], [a for a in answers if not isinstance(a, kind)]


def reasons(refused: Sequence[Any]) -> set[str | None]:
    assert all(isinstance(refusal, GatehouseError) for refusal in refused), Counter(map(repr, refused))
    return {refusal.reason for refusal in refused}


# Refresh tokens.


def test_each_of_16_answers_to_one_refresh_goes_on_and_nobody_is_signed_out(town: Town) -> None:
    tokens = {town.login().refresh_token}
    for turn in range(1, 4):
        answers = at_once([partial(town.people.accounts.refresh, token, AT_HOME) for token in [*tokens] * AT_ONCE])
        signed, others = split(answers, SignIn)
        assert others == []
        tokens = {answer.refresh_token for answer in signed}
        assert len(tokens) == 1
        [session] = DynamoAccounts().sessions_of(town.john.id)
        assert session.used == turn
        assert all(town.is_let_in(answer) for answer in signed[:2])
    assert town.mails(MailKind.TOKEN_REUSED) == []


@pytest.mark.parametrize("_round", range(3))
def test_a_token_that_returns_after_its_grace_ends_the_session_and_tells_of_it_once(town: Town, _round: int) -> None:
    first = town.login()
    second = town.people.accounts.refresh(first.refresh_token, AT_HOME)
    third = town.people.accounts.refresh(second.refresh_token, AT_HOME)
    town.clock.advance(seconds=30)
    in_grace = at_once([partial(town.people.accounts.refresh, first.refresh_token, AT_HOME) for _ in range(AT_ONCE)])
    assert {answer.refresh_token for answer in in_grace} == {second.refresh_token}
    town.clock.advance(milliseconds=1)
    returned = [first.refresh_token] * AT_ONCE + [third.refresh_token] * 4
    answers = at_once([partial(town.people.accounts.refresh, token, AT_HOME) for token in returned])
    spent, present = answers[:AT_ONCE], answers[AT_ONCE:]
    assert reasons(spent) <= {"TOKEN_REUSED", None}
    assert "TOKEN_REUSED" in reasons(spent)
    assert reasons(split(present, SignIn)[1]) <= {None}
    assert [mail.to for mail in town.mails(MailKind.TOKEN_REUSED)] == [town.john.email]
    assert town.told(AuditAction.TOKEN_REUSED) == 1
    assert DynamoAccounts().sessions_of(town.john.id) == []
    for signed in (first, second, third, *split(present, SignIn)[0]):
        assert not town.is_let_in(signed)


# Passwords.


class SlowHashes:
    """bcrypt that waits until 32 passwords are being tried, or for half a second; `most` is how many were at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried = self.most = self.running = 0
        self.lock, self.barrier, self.check = Lock(), Barrier(32), bcrypt.checkpw
        monkeypatch.setattr(bcrypt, "checkpw", self.checkpw)

    def checkpw(self, password: bytes, hashed: bytes) -> bool:
        with self.lock:
            self.tried += 1
            self.running += 1
            self.most = max(self.most, self.running)
        with suppress(BrokenBarrierError):
            self.barrier.wait(0.5)
        self.barrier.abort()
        with self.lock:
            self.running -= 1
        return self.check(password, hashed)


@pytest.mark.parametrize("_round", range(2))
def test_40_wrong_passwords_at_once_lock_their_address_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch, _round: int
) -> None:
    other = town.add("other")
    with monkeypatch.context() as patch:
        hashes = SlowHashes(patch)
        answers = at_once([partial(town.login, password=WRONG) for _ in range(40)])
    told, untried = split(answers, Unauthenticated)
    assert {type(answer) for answer in untried} <= {TooManyTries, ServiceUnavailable}
    assert reasons(told) == {"WRONG_CREDENTIALS"}
    failed, refused = town.count()
    assert (failed + refused, hashes.tried) == (len(told), len(told))
    assert hashes.most <= 32
    assert failed >= 5
    with pytest.raises(Unauthenticated) as locked:
        town.login()
    assert locked.value.reason == "WRONG_CREDENTIALS"
    assert town.login(origin=ELSEWHERE).user.id == town.john.id
    assert town.login(other).user.id == other.id


def test_right_ones_at_once_beside_wrong_ones_at_another_account_all_come_in(town: Town) -> None:
    other = town.add("other")
    right, wrong = [partial(town.login)] * 10, [partial(town.login, other, WRONG)] * 10
    answers = at_once([call for pair in zip(right, wrong, strict=True) for call in pair])
    signed, refused = split(answers, SignIn)
    assert {town.caller(answer).consumer_id for answer in signed} == {town.john.id}
    assert len({town.caller(answer).session_id for answer in signed}) == 10
    assert reasons(refused) == {"WRONG_CREDENTIALS"}
    assert town.account().sessions == 10


@pytest.mark.parametrize("_round", range(3))
def test_of_16_changes_of_one_password_one_is_made_and_its_session_alone_lives(town: Town, _round: int) -> None:
    signed = [town.login() for _ in range(4)]
    chosen = [f"{NEW}-{number}" for number in range(AT_ONCE)]

    def change(number: int) -> SignIn:
        origin = Origin(f"192.0.2.{number}", "curl")
        return town.people.passwords.change(town.caller(signed[number % 4]), origin, PASSWORD, chosen[number])

    answers = at_once([partial(change, number) for number in range(AT_ONCE)])
    [winner], refused = split(answers, SignIn)
    came_second, came_late = split(refused, Conflict)
    assert reasons(came_late) <= {"WRONG_PASSWORD"}
    assert len(came_second) + len(came_late) == AT_ONCE - 1
    assert town.count()[0] == len(came_late)
    assert town.is_let_in(winner)
    assert not any(town.is_let_in(answer) for answer in signed)
    account = town.account()
    assert (account.generation, account.sessions) == (1, 1)
    assert len([s for s in DynamoAccounts().sessions_of(town.john.id) if s.generation == 1]) == 1
    assert town.which_signs_in(*chosen) == [chosen[answers.index(winner)]]
    assert len(town.mails(MailKind.PASSWORD_CHANGED)) == 1


@pytest.mark.parametrize("_round", range(3))
def test_one_reset_token_used_by_16_at_once_sets_one_password(town: Town, _round: int) -> None:
    signed = town.login()
    town.people.passwords.ask_for_reset(town.john.email, AT_HOME)
    token, chosen = town.link(), [f"{NEW}-{number}" for number in range(AT_ONCE)]
    answers = at_once([partial(town.people.passwords.reset, token, password, AT_HOME) for password in chosen])
    [winner] = [number for number, answer in enumerate(answers) if answer is None]
    assert reasons([answer for answer in answers if answer is not None]) == {"TOKEN_NOT_VALID"}
    assert town.which_signs_in(*chosen) == [chosen[winner]]
    assert not town.is_let_in(signed)
    assert town.account().generation == 1
    assert len(town.mails(MailKind.PASSWORD_CHANGED)) == 1
    assert town.told(AuditAction.PASSWORD_RESET) == 1


# Invitations and emails.


def test_one_invitation_accepted_by_16_at_once_opens_one_account(town: Town) -> None:
    admin = town.add("admin", role=Role.ADMIN)
    town.people.registration.invite(town.caller(town.login(admin)), "jane@example.com", Role.MODERATOR)
    token, before = town.link(), town.store.stored_keys()

    def accept(number: int) -> SignIn:
        given: Any = {"token": token, "username": f"jane{number}", "password": PASSWORD}
        return town.people.registration.accept(given, AT_HOME)

    [winner], refused = split(at_once([partial(accept, number) for number in range(AT_ONCE)]), SignIn)
    assert len(refused) == AT_ONCE - 1
    assert reasons(refused) <= {"TOKEN_NOT_VALID", None}
    assert {refusal.field for refusal in refused} <= {"token", "email"}
    user = winner.user
    made = set(town.store.stored_keys()) - set(before)
    [event] = [event for event in town.store.events() if event.action is AuditAction.INVITATION_ACCEPTED]
    assert made == {
        (f"EV#{event.id}", "E"),
        (f"C#{user.id}", "P"),
        (f"C#{user.id}", f"S#{town.caller(winner).session_id}"),
        (f"G#{user.id}", "G"),
        ("E#jane@example.com", "C"),
        (f"N#{user.username}", "C"),
    }
    assert (user.role, town.is_let_in(winner)) == (Role.MODERATOR, True)


@pytest.mark.parametrize("_round", range(4))
def test_an_email_that_is_confirmed_and_registered_at_once_has_one_owner(town: Town, _round: int) -> None:
    caller = town.caller(town.login())
    town.people.emails.ask_for_change(caller, AT_HOME, "new@example.com", PASSWORD)
    token = town.link()

    def register(number: int) -> SignIn | None:
        new: Any = {"username": f"jane{number}", "email": "NEW@example.com", "password": PASSWORD}
        return town.people.registration.register(new, AT_HOME)

    confirm = partial(town.people.emails.verify, caller, token)
    registers = [partial(register, number) for number in range(7)]
    answers = at_once([*registers[:3], confirm, *registers[3:]])
    confirmed = answers.pop(3)
    signed, refused = split(answers, SignIn)
    assert [(type(refusal), refusal.field) for refusal in refused] == [(Conflict, "email")] * len(refused)
    owner = DynamoAccounts().find_account("new@example.com")
    assert owner is not None
    claims = [partition for partition, _ in town.store.stored_keys() if partition.startswith("E#")]
    if isinstance(confirmed, User):
        assert (owner.user, signed) == (confirmed, [])
        assert claims == ["E#new@example.com"]
    else:
        [registered] = signed
        assert (owner.user, confirmed.field) == (registered.user, "email")
        assert town.account().user == town.john
        assert claims == ["E#john@example.com", "E#new@example.com"]
        assert any(partition.startswith("TOK#") for partition, _ in town.store.stored_keys())
