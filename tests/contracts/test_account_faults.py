"""Accounts on a store that refuses, hangs or answers into the void, at every call that a use case makes of it.

The answer is right or 503; what is written is what it is at some moment of a run without faults, mails and links with
it; and who repeats the call has one effect, as who calls twice without faults.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from gatehouse.accounts.model import SignIn
from gatehouse.consumers.model import Role, User
from gatehouse.errors import GatehouseError, ServiceUnavailable
from gatehouse.permissions import Caller
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.tokens import SESSION
from gatehouse.wiring.people import People
from tests.contracts.faults import Fault, PatientTime, Send, cancelled, faults, none, refused, silent
from tests.contracts.made_up import a_credential, keep_account, new_session, people_on_the_table
from tests.contracts.worlds import mails_in
from tests.stores import Item, Store, clients
from tests.unit.factors import app_code
from tests.unit.fakes import (
    AT_HOME,
    HASHER,
    HOME,
    PASSWORD,
    PASSWORD_HASH,
    START,
    TOKENS,
    StoppedClock,
    a_user,
    the_settings,
)
from tests.unit.post import SEAL

pytestmark = pytest.mark.long

NEW = "Another-Pass-456"
JANE = "jane@example.com"


class Town:
    """John, who is signed in twice, and an ADMIN, on a table; the settings are those of one case."""

    def __init__(self, store: Store, clock: StoppedClock, environment: Mapping[str, str], **john: Any) -> None:
        self.store, self.clock, self.settings = store, clock, the_settings(**environment)
        self.john, self.admin = self._add("john", **john), self._add("admin", role=Role.ADMIN)
        self.other = self._sign_in(self.john)
        self.caller, self.of_admin = self._sign_in(self.john), self._sign_in(self.admin)
        self.token = ""

    @property
    def people(self) -> People:
        """The use cases, as a function has them that has seen nothing yet."""
        return people_on_the_table(self.clock, self.settings)

    def link(self) -> str:
        """The token of the only link that was mailed."""
        [mail] = [mail for mail in mails_in(self.store) if mail.sealed_token is not None]
        return SEAL.open(mail.sealed_token or "", mail.id).text()

    def login(self, token: str | None = None) -> SignIn:
        return self.people.accounts.login(self.john.email, PASSWORD, AT_HOME, token)

    def accept(self) -> SignIn:
        given = {"token": self.token, "username": "jane", "password": PASSWORD}
        return self.people.registration.accept(given, AT_HOME)  # type: ignore[arg-type]

    def register(self, email: str = JANE) -> SignIn | None:
        return self.people.registration.register({"username": "jane", "email": email, "password": PASSWORD}, AT_HOME)

    def _add(self, name: str, **changes: Any) -> User:
        user = a_user(name, **{"email_verified_at": START, **changes})
        keep_account(user, new_session(user)[0], PASSWORD_HASH)
        return user

    def _sign_in(self, user: User) -> Caller:
        signed = people_on_the_table(self.clock).accounts.login(user.email, PASSWORD, AT_HOME)
        claims = TOKENS.verify(SESSION, signed.access_token, self.clock.now())
        return Caller(consumer_id=user.id, role=user.role, session_id=claims.own["sid"])


def nothing(_town: Town) -> None:
    return


def a_reset(town: Town) -> None:
    town.people.passwords.ask_for_reset(town.john.email, AT_HOME)
    town.token = town.link()


def a_reset_of_a_strangers(town: Town) -> None:
    """The account was opened by a stranger, who has put all they could into it."""
    for number in (1, 2):
        DynamoCredentials().create_credential(a_credential(town.john, f"key-{number}", number=number), "hash")
    town.people.two_factor.enable(town.caller)
    holder = town.people.two_factor.store.find_holder(town.john.id, None)
    assert holder is not None
    assert holder.factor.pending is not None
    town.people.two_factor.confirm(town.caller, HOME, app_code(holder.factor.pending, town.clock.now()))
    for mail in mails_in(town.store):
        assert mail.sealed_token is None
    a_reset(town)


def programs(town: Town) -> None:
    for number in (1, 2):
        DynamoCredentials().create_credential(a_credential(town.john, f"key-{number}", number=number), "hash")


def a_change(town: Town) -> None:
    town.people.emails.ask_for_change(town.caller, AT_HOME, "new@example.com", PASSWORD)
    town.token = town.link()


def a_verification(town: Town) -> None:
    town.people.emails.ask_for_verification(town.caller)
    town.token = town.link()


def a_demanded_verification(town: Town) -> None:
    with pytest.raises(GatehouseError):
        town.login()
    town.token = town.link()


def an_invitation(town: Town) -> None:
    town.people.registration.invite(town.of_admin, JANE, Role.ADMIN)
    town.token = town.link()


def a_registration(town: Town) -> None:
    town.register()
    town.token = town.link()


def a_spent_token(town: Town) -> None:
    first = town.login().refresh_token
    second = town.people.accounts.refresh(first, AT_HOME).refresh_token
    town.people.accounts.refresh(second, AT_HOME)
    town.clock.advance(minutes=1)
    town.token = first


def a_full_mailbox(town: Town) -> None:
    for _ in range(2):
        town.people.registration.invite(town.of_admin, JANE, Role.USER)


@dataclass(frozen=True)
class Case:
    """A use case, what was before it, and how many states it has from beginning to end."""

    act: Callable[[Town], object]
    before: Callable[[Town], None] = nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    is_verified: bool = True
    states: int = 2


VERIFY_FIRST = {"REGISTRATION_MODE": "VERIFY_FIRST"}
ONLY_VERIFIED = {"REQUIRE_VERIFIED_EMAIL": "true"}

CASES = {
    "register": Case(lambda t: t.register()),
    "register, its mailbox full": Case(lambda t: t.register(), a_full_mailbox),
    "register, to be verified": Case(lambda t: t.register(), environment=ONLY_VERIFIED),
    "register, verified first": Case(lambda t: t.register(), environment=VERIFY_FIRST),
    "register, verified first, taken": Case(lambda t: t.register("john@example.com"), environment=VERIFY_FIRST),
    "changePassword": Case(lambda t: t.people.passwords.change(t.caller, AT_HOME, PASSWORD, NEW), programs),
    "requestPasswordReset": Case(lambda t: t.people.passwords.ask_for_reset("JOHN@example.com", AT_HOME)),
    "requestPasswordReset, of nobody": Case(lambda t: t.people.passwords.ask_for_reset("nobody@example.com", AT_HOME)),
    "resetPassword": Case(lambda t: t.people.passwords.reset(t.token, NEW, AT_HOME), a_reset),
    "resetPassword, a stranger's": Case(
        lambda t: t.people.passwords.reset(t.token, NEW, AT_HOME), a_reset_of_a_strangers, is_verified=False, states=4
    ),
    "changeEmail": Case(lambda t: t.people.emails.ask_for_change(t.caller, AT_HOME, "new@example.com", PASSWORD)),
    "verifyEmail": Case(lambda t: t.people.emails.verify(t.caller, t.token), a_verification, is_verified=False),
    "verifyEmail, a change": Case(lambda t: t.people.emails.verify(t.caller, t.token), a_change),
    "requestEmailVerification": Case(lambda t: t.people.emails.ask_for_verification(t.caller), is_verified=False),
    "revokeSession": Case(lambda t: t.people.sessions.revoke(t.caller, t.other.session_id or "")),
    "revokeAllSessions": Case(lambda t: t.people.sessions.revoke_all(t.caller, include_credentials=False)),
    "revokeAllSessions, with credentials": Case(
        lambda t: t.people.sessions.revoke_all(t.caller, include_credentials=True), programs, states=4
    ),
    "inviteUser": Case(lambda t: t.people.registration.invite(t.of_admin, JANE, Role.USER)),
    "acceptInvitation": Case(lambda t: t.accept(), an_invitation),
    "acceptInvitation, of a registration": Case(lambda t: t.accept(), a_registration, VERIFY_FIRST),
    "login, to be verified": Case(lambda t: t.login(), environment=ONLY_VERIFIED, is_verified=False),
    "login, with its link": Case(
        lambda t: t.login(t.token), a_demanded_verification, ONLY_VERIFIED, is_verified=False, states=3
    ),
    "refresh, with a spent token": Case(lambda t: t.people.accounts.refresh(t.token, AT_HOME), a_spent_token),
}

NO_EFFECT: tuple[Fault, ...] = (refused("ThrottlingException"), silent, refused("InternalServerError", 500))


def unheard(request: AWSPreparedRequest, send: Send) -> AWSResponse:
    """The store does what it is asked, or refuses to, and the answer is lost."""
    send()
    raise ReadTimeoutError(endpoint_url=request.url)


type View = tuple[str, ...]


class Walk:
    """One case on one town, which is as it was before each run."""

    def __init__(self, store: Store, clock: StoppedClock, case: Case) -> None:
        self.store, self.case = store, case
        verified_at = START if case.is_verified else None
        self.town = Town(store, clock, case.environment, email_verified_at=verified_at)
        case.before(self.town)
        self.items = self.present = store.items()
        self.known = set(_IDS.findall(json.dumps(self.items, default=repr)))
        self.passwords: dict[str, str] = {}

    def run(self, sequence: list[Fault]) -> tuple[object, View]:
        """How it ends where these faults meet the store's requests in turn, and what there is then."""
        with faults("*", sequence):
            return self.end(), self.view()

    def begin(self) -> None:
        self.store.put_back(self.items, self.present)

    def end(self) -> object:
        try:
            self.case.act(self.town)
        except GatehouseError as refusal:
            return type(refusal), refusal.reason
        return None

    def trace(self) -> tuple[list[Fault | None], list[View]]:
        """Of a run without faults: how others cross each of its requests, None where it only reads; and what there is
        before each of them and at the end.
        """
        self.begin()
        views: list[View] = []

        def look(**_call: object) -> None:
            views.append(self.view())

        with faults("*", []) as asked:
            for client in clients():
                client.meta.events.register("before-call.dynamodb", look)
            try:
                self.end()
            finally:
                for client in clients():
                    client.meta.events.unregister("before-call.dynamodb", look)
        views.append(self.view())
        return [_crossed(body) for body in asked], views

    def view(self) -> View:
        """All that is kept, but for ids and secrets that were drawn since, and for what is counted of attempts."""
        self.present = self.store.items()
        kept = [item for item in self.present if not _is_ledger(item)]
        links = {item["PK"]["S"].removeprefix("TOK#") for item in kept if item["PK"]["S"].startswith("TOK#")}
        return tuple(sorted(_IDS.sub(self._name, self._text(item, links)) for item in kept))

    def _name(self, found: re.Match[str]) -> str:
        return found[0] if found[0] in self.known else "new"

    def _text(self, item: Item, links: set[str]) -> str:
        told = {name: value for name, value in item.items() if name not in _DRAWN}
        for name in _TOLD_OF_EVENTS & told.keys():
            told[name] = {"S": _SALT.sub("", told[name]["S"])}
        if "passwordHash" in item:
            told["passwordHash"] = {"S": self._password(item["passwordHash"]["S"])}
        if "sealedToken" in item:
            token = SEAL.open(item["sealedToken"]["S"], item["PK"]["S"].removeprefix("MAIL#"))
            told["link"] = {"BOOL": token.digest in links}
        return json.dumps(told, sort_keys=True, default=repr)

    def _password(self, hashed: str) -> str:
        if hashed not in self.passwords:
            self.passwords[hashed] = next(known for known in (PASSWORD, NEW) if HASHER.matches(known, hashed))
        return self.passwords[hashed]


# Ids of version 7, and digests in hexadecimal.
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}")
_DRAWN = {"salt", "places", "nextDigest", "sealedToken", "nameShard", "listing", "sweep", "actionShard", "auditShard"}
_TOLD_OF_EVENTS = {"actor", "before", "after"}
_SALT = re.compile(r'"salt":"[^"]*"')


def _is_ledger(item: Item) -> bool:
    """Whether attempts or refusals are counted in it; what is tried is settled beside what it leads to."""
    partition = item["PK"]["S"]
    return partition.startswith("REF#") or (partition.startswith("TRY#") and not partition.startswith("TRY#mail/"))


def _crossed(body: dict[str, Any]) -> Fault | None:
    """What a write gets that meets others at its items."""
    if "UpdateExpression" in body:
        return refused("TransactionConflictException")
    writes = any("Get" not in part for part in body.get("TransactItems", ()))
    return cancelled("TransactionConflict") if writes else None


@pytest.mark.parametrize("name", CASES)
def test_a_fault_at_any_call_leaves_a_right_answer_or_503_and_a_repetition_that_has_one_effect(
    dynoxide_store: Store, patient_time: PatientTime, clock: StoppedClock, name: str
) -> None:
    case = CASES[name]
    walk = Walk(dynoxide_store, clock, case)
    crossings, views = walk.trace()
    walk.begin()
    answer, after = walk.run([])
    answer_again, after_again = walk.run([])
    assert after == views[-1]
    assert len(set(views)) == case.states

    def check(sequence: list[Fault], *, told: str) -> None:
        walk.begin()
        ended, seen = walk.run(sequence)
        assert ended in (answer, (ServiceUnavailable, None)), told
        assert seen in views, told
        assert ended != answer or seen == after, told
        repeated = walk.run([])
        assert repeated == ((answer_again, after_again) if seen == after else (answer, after)), told

    for at, crossed in enumerate(crossings):
        before = [none] * at
        chosen = [at % len(NO_EFFECT)] if crossed is None else range(len(NO_EFFECT))
        for number in chosen:
            check([*before, *[NO_EFFECT[number]] * 3], told=f"call {at} fails, {number}")
        if crossed is not None:
            check([*before, unheard], told=f"call {at} is lost once")
            check([*before, unheard, unheard, unheard], told=f"call {at} is lost")
            check([*before, crossed, crossed], told=f"call {at} is crossed")
