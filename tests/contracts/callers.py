"""A user on the table with something of each kind to come in with, and functions that have seen nothing yet."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatehouse import tokens
from gatehouse.accounts.model import SignIn
from gatehouse.admission.model import Admitted
from gatehouse.admission.service import Admission
from gatehouse.audit.recording import Recorder
from gatehouse.credentials.kinds import basic_auth, key_auth, oauth2
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from gatehouse.plans.service import Plans
from gatehouse.settings import Settings
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.plan_changes import DynamoPlanChanges
from tests.contracts.made_up import (
    admission_on_the_table,
    an_admin,
    clients_on_the_table,
    consumers_on_the_table,
    credentials_on_the_table,
    people_on_the_table,
    register,
)
from tests.unit.fakes import (
    AT_HOME,
    HOME,
    PASSWORD,
    SESSION_TOKENS,
    START,
    TOKENS,
    StoppedClock,
    signed_in,
    the_settings,
)

CHOSEN_SECRET = "Chosen-Secret-1"

type Call = Callable[[Admission], Admitted]
"""One request, at a function."""


@dataclass(frozen=True)
class Pass:
    """What a client has: how it calls with it, and what it is of. `refresh_token` comes with a session."""

    call: Call
    session_id: str | None = None
    refresh_token: str = ""
    credential_id: str = ""
    token: str = ""


@dataclass
class Grounds:
    """The use cases on the table, an ADMIN, and a USER who is signed in."""

    clock: StoppedClock
    settings: Settings = field(default_factory=the_settings)

    def __post_init__(self) -> None:
        self.people = people_on_the_table(self.clock, self.settings)
        self.accounts = self.people.accounts
        self.consumers = consumers_on_the_table(self.clock)
        self.credentials = credentials_on_the_table(self.clock)
        self.plans = Plans(DynamoPlanChanges(), self.clock, Recorder(self.clock))
        self.clients = clients_on_the_table(self.clock)
        self.admin = signed_in(an_admin("admin", DynamoConsumers()))
        self.first: SignIn = register(self.people, "john")
        self.user_id = self.first.user.id

    @property
    def owner(self) -> Caller:
        """The user, with a session."""
        return Caller(consumer_id=self.user_id, session_id=new_id(START))

    def function(self) -> Admission:
        """A function that has seen nothing yet."""
        return admission_on_the_table(self.clock, self.settings)

    def give_plan(self, **told: Any) -> str:
        """Gives the user a plan of these limits."""
        limits: Any = {"name": f"plan-{new_id(START)}", **told}
        plan = self.plans.create(self.admin, limits)
        self.plans.assign(self.admin, self.user_id, plan.id)
        return plan.id

    def make(self, kind: CredentialType, *, chosen: bool = False, **more: Any) -> tuple[Credential, str]:
        """A credential of the user's, and its secret."""
        if chosen:
            more |= {"key_id": f"chosen-{new_id(START)[-12:]}", "key_secret": CHOSEN_SECRET}
        wanted: Any = {"type": kind, **more}
        made = self.credentials.create(self.owner, wanted)
        return made.credential, CHOSEN_SECRET if made.secret is None else made.secret


def session(grounds: Grounds) -> Pass:
    """A session, whose client has a fresh access token for every call."""
    signed = grounds.accounts.login(grounds.first.user.email, PASSWORD, AT_HOME)
    claims = TOKENS.verify(tokens.SESSION, signed.access_token, grounds.clock.now())
    session_id = claims.own["sid"]

    def call(function: Admission) -> Admitted:
        token = SESSION_TOKENS.issue(grounds.user_id, session_id, grounds.clock.now())
        return function.by_session(token, HOME)

    return Pass(call, session_id=session_id, refresh_token=signed.refresh_token, token=signed.access_token)


def made_key(grounds: Grounds, **more: Any) -> Pass:
    credential, secret = grounds.make(CredentialType.KEY_AUTH, **more)
    return Pass(calls_with(grounds, credential, secret), credential_id=credential.id)


def chosen_key(grounds: Grounds, **more: Any) -> Pass:
    credential, secret = grounds.make(CredentialType.KEY_AUTH, chosen=True, **more)
    return Pass(calls_with(grounds, credential, f"{credential.key_id}.{secret}"), credential_id=credential.id)


def basic(grounds: Grounds, **more: Any) -> Pass:
    credential, secret = grounds.make(CredentialType.BASIC_AUTH, **more)
    return Pass(calls_with(grounds, credential, secret), credential_id=credential.id)


def chosen_basic(grounds: Grounds, **more: Any) -> Pass:
    return basic(grounds, chosen=True, **more)


def long_lived_token(grounds: Grounds, **more: Any) -> Pass:
    credential, token = grounds.make(CredentialType.JWT, **more)
    return Pass(calls_with(grounds, credential, token), credential_id=credential.id, token=token)


def access_token(grounds: Grounds, **more: Any) -> Pass:
    credential, secret = grounds.make(CredentialType.OAUTH2, **more)
    token = get_access_token(grounds, credential, secret)
    return Pass(_with_token(tokens.CLIENT_ACCESS, token), credential_id=credential.id, token=token)


OF_CREDENTIALS: Mapping[str, Callable[..., Pass]] = {
    "made key": made_key,
    "chosen key": chosen_key,
    "made basic": basic,
    "chosen basic": chosen_basic,
    "JWT": long_lived_token,
    "access token": access_token,
}
"""How to get something of each kind that credentials give; they take what `create` takes."""

EVERY: Mapping[str, Callable[[Grounds], Pass]] = {"session": session, **OF_CREDENTIALS}


def calls_with(grounds: Grounds, credential: Credential, secret: str) -> Call:
    """Calls with the credential and its secret; an OAUTH2 client gets an access token now."""
    match credential.type:
        case CredentialType.KEY_AUTH:
            return lambda function: function.by_secret(CredentialType.KEY_AUTH, key_auth.parse(secret), HOME)
        case CredentialType.BASIC_AUTH:
            key = basic_auth.parse(_basic(credential, secret))
            return lambda function: function.by_secret(CredentialType.BASIC_AUTH, key, HOME)
        case CredentialType.JWT:
            return _with_token(tokens.CREDENTIAL, secret)
        case CredentialType.OAUTH2:
            return _with_token(tokens.CLIENT_ACCESS, get_access_token(grounds, credential, secret))


def get_access_token(grounds: Grounds, credential: Credential, secret: str) -> str:
    """What `/oauth/token` gives the client."""
    key = oauth2.parse(_basic(credential, secret))
    client = grounds.function().by_secret(CredentialType.OAUTH2, key, HOME)
    return grounds.clients.issue(client, None).token


def is_let_in(call: Call, function: Admission) -> bool:
    """Whether the call is admitted, within its limits; raises Unauthenticated and ServiceUnavailable."""
    return not call(function).allowance.is_spent


def _with_token(kind: tokens.TokenKind, token: str) -> Call:
    return lambda function: function.by_token(kind, token)


def _basic(credential: Credential, secret: str) -> str:
    return b64encode(f"{credential.key_id}:{secret}".encode()).decode()
