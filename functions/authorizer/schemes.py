"""The ways to sign in to the gate, in order: the first scheme that recognises the request answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gatehouse.admission.service import Admission
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import ANONYMOUS, Caller

type Headers = Mapping[str, list[str]]
"""Every value of every header, by its name in lower case."""

AUTHORIZATION = "authorization"
API_KEY = "x-api-key"


@dataclass(frozen=True)
class Scheme:
    """`credential` finds what it stands for in the headers, or None; `admit` answers who that is."""

    credential: Callable[[Headers], str | None]
    admit: Callable[[Admission, str], Caller]


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get(AUTHORIZATION, [""])[0].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _api_key(headers: Headers) -> str | None:
    return headers.get(API_KEY, [None])[0]


SCHEMES = (
    Scheme(_bearer, Admission.by_session),
    Scheme(_api_key, Admission.by_key),
)


def identify(headers: Headers, admission: Admission) -> Caller:
    """Who is calling; nobody where no credential came along.

    Raises Unauthenticated for a bad credential, for one in a scheme that is not ours, and for more than one: a caller
    that meant to be somebody is never taken for nobody.
    """
    sent = [value for name in (AUTHORIZATION, API_KEY) for value in headers.get(name, [])]
    if not sent:
        return ANONYMOUS
    if len(sent) > 1:
        raise Unauthenticated("Send one credential, not several.")
    for scheme in SCHEMES:
        if (credential := scheme.credential(headers)) is not None:
            return scheme.admit(admission, credential)
    raise Unauthenticated("Sign in with Authorization: Bearer or with X-API-Key.")
