"""The ways to sign in to the gate, in order: the first scheme that recognises the request answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from gatehouse import tokens
from gatehouse.admission.model import Admitted
from gatehouse.admission.service import Admission
from gatehouse.credentials.kinds import basic_auth, key_auth
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import Unauthenticated

type Headers = Mapping[str, list[str]]
"""Every value of every header, by its name in lower case."""

AUTHORIZATION = "authorization"
API_KEY = "x-api-key"


@dataclass(frozen=True)
class Scheme:
    """`credential` finds what it stands for in the headers, or None; `admit` answers who that is, told the address."""

    credential: Callable[[Headers], str | None]
    admit: Callable[[Admission, str, str], Admitted]


def _authorization(scheme: str, headers: Headers) -> str | None:
    word, _, credential = headers.get(AUTHORIZATION, [""])[0].partition(" ")
    return credential.strip() if word.lower() == scheme else None


def _token(kind: tokens.TokenKind, headers: Headers) -> str | None:
    token = _authorization("bearer", headers)
    return token if token is not None and tokens.type_of(token) == kind.typ else None


def _api_key(headers: Headers) -> str | None:
    return headers.get(API_KEY, [None])[0]


SCHEMES = (
    Scheme(
        partial(_token, tokens.SESSION),
        lambda admission, token, address: admission.by_session(token, address),
    ),
    Scheme(
        partial(_token, tokens.CLIENT_ACCESS),
        lambda admission, token, _address: admission.by_token(tokens.CLIENT_ACCESS, token),
    ),
    Scheme(
        partial(_token, tokens.CREDENTIAL),
        lambda admission, token, _address: admission.by_token(tokens.CREDENTIAL, token),
    ),
    Scheme(
        _api_key,
        lambda admission, text, address: admission.by_secret(CredentialType.KEY_AUTH, key_auth.parse(text), address),
    ),
    Scheme(
        partial(_authorization, "basic"),
        lambda admission, text, address: admission.by_secret(
            CredentialType.BASIC_AUTH, basic_auth.parse(text), address
        ),
    ),
)


def identify(headers: Headers, admission: Admission, address: str) -> Admitted:
    """Who is calling; nobody where no credential came along.

    Raises Unauthenticated for a bad credential, for one in a scheme that is not ours, and for more than one: a caller
    that meant to be somebody is never taken for nobody.
    """
    sent = [value for name in (AUTHORIZATION, API_KEY) for value in headers.get(name, [])]
    if not sent:
        return admission.anonymous(address)
    if len(sent) > 1:
        raise Unauthenticated("Send one credential, not several.")
    for scheme in SCHEMES:
        if (credential := scheme.credential(headers)) is not None:
            return scheme.admit(admission, credential, address)
    raise Unauthenticated("Sign in with Authorization: Bearer or Basic, or with X-API-Key.")
