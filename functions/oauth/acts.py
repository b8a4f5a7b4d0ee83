"""What a client may ask for, by path: what its form must say, what is done, and what it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehouse.admission.model import Admitted
from gatehouse.credentials.clients import Clients
from oauth.forms import Form
from oauth.refusals import Refusal

type Told = Mapping[str, Any] | None
"""What is told as JSON; None for an empty body."""


@dataclass(frozen=True)
class Act:
    """`check` raises Refusal for a form that does not say enough; `perform` does what it says."""

    check: Callable[[Form], None]
    perform: Callable[[Clients, Admitted, Form], Told]


def _check_grant(form: Form) -> None:
    if "grant_type" not in form:
        raise Refusal("invalid_request", "grant_type is missing.")
    if form["grant_type"] != "client_credentials":
        raise Refusal("unsupported_grant_type", "The only grant_type here is client_credentials.")


def _check_token(form: Form) -> None:
    if "token" not in form:
        raise Refusal("invalid_request", "token is missing.")


def _give(clients: Clients, client: Admitted, form: Form) -> Told:
    """https://www.rfc-editor.org/rfc/rfc6749#section-5.1"""
    given = clients.issue(client, form.get("scope"))
    return {
        "access_token": given.token,
        "token_type": "Bearer",
        "expires_in": given.expires_in,
        **_scope(given.scopes),
    }


def _look_at(clients: Clients, client: Admitted, form: Form) -> Told:
    """https://www.rfc-editor.org/rfc/rfc7662#section-2.2"""
    live = clients.introspect(client.caller, form["token"])
    if live is None:
        return {"active": False}
    told = {name: live.claims.own[name] for name in ("exp", "iat", "sub", "aud", "iss", "jti")}
    return {
        "active": True,
        **_scope(live.scopes),
        "client_id": live.credential.key_id,
        "token_type": "Bearer",
        **told,
    }


def _take_back(clients: Clients, client: Admitted, form: Form) -> Told:
    """https://www.rfc-editor.org/rfc/rfc7009#section-2.2"""
    clients.revoke(client.caller, form["token"])
    return None


def _scope(scopes: tuple[str, ...] | None) -> dict[str, str]:
    return {} if scopes is None else {"scope": " ".join(scopes)}


_ACTS: Mapping[str, Act] = {
    "/oauth/token": Act(_check_grant, _give),
    "/oauth/introspect": Act(_check_token, _look_at),
    "/oauth/revoke": Act(_check_token, _take_back),
}


def act_of(method: str, path: str) -> Act:
    """What is served there; raises Refusal where nothing is."""
    if method != "POST" or path not in _ACTS:
        raise Refusal("invalid_request", "Nothing is served here in this way.", 405)
    return _ACTS[path]
