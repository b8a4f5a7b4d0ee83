"""POST /oauth/introspect and /oauth/revoke: RFC 7662 and RFC 7009."""

import pytest

from gatehouse.consumers.model import Role
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import Unauthenticated
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL
from tests.unit.fakes import START, TOKENS, MemoryStore, StoppedClock, a_user, signed_in
from tests.unit.oauth.conftest import Answer, Client, Door

NOT_ACTIVE = {"active": False}


def _look(door: Door, client: Client, token: str) -> Answer:
    return door.send("/oauth/introspect", {"token": token, "token_type_hint": "access_token"}, _by(client))


def _end(door: Door, client: Client, token: str) -> Answer:
    return door.send("/oauth/revoke", {"token": token, "token_type_hint": "refresh_token"}, _by(client))


def _by(client: Client) -> dict[str, str]:
    return {"Authorization": client.basic}


def test_an_active_token_is_told_with_what_the_standard_names(door: Door) -> None:
    client = door.client(scopes=["credentials:read", "orders:read"])
    token = door.token(client, scope="orders:read")
    claims = TOKENS.verify(CLIENT_ACCESS, token, START)
    answer = _look(door, client, token)

    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == {
        "active": True,
        "scope": "orders:read",
        "client_id": client.credential.key_id,
        "token_type": "Bearer",
        "exp": int(START.timestamp()) + 3600,
        "iat": int(START.timestamp()),
        "sub": door.owner.id,
        "aud": "gatehouse/client",
        "iss": "gatehouse",
        "jti": claims.token_id,
    }


def test_the_token_of_a_jwt_credential_is_told_with_its_key_id(door: Door, client: Client) -> None:
    held = door.client(CredentialType.JWT, key_id="batch-job")
    told = _look(door, client, held.secret).body

    assert (told["active"], told["client_id"], told["aud"]) == (True, "batch-job", "gatehouse/credential")
    assert "scope" not in told


def test_what_is_not_active_or_not_the_clients_business_is_told_alike(
    door: Door, client: Client, store: MemoryStore, clock: StoppedClock
) -> None:
    stranger = store.add(a_user("stranger"))
    foreign = door.house.credentials.create(signed_in(stranger), {"type": CredentialType.JWT})
    revoked, expired = door.token(client), door.token(client)
    _end(door, client, revoked)
    answers = [_look(door, client, token) for token in ("x", revoked, foreign.secret or "")]
    clock.advance(hours=1)
    answers.append(_look(door, client, expired))

    assert [(answer.status, answer.body) for answer in answers] == [(200, NOT_ACTIVE)] * 4


def test_a_revoked_token_is_refused_on_the_next_request_and_others_are_not(
    door: Door, client: Client, store: MemoryStore
) -> None:
    revoked, kept = door.token(client), door.token(client)
    admission = door.house.admission
    admission.by_token(CLIENT_ACCESS, revoked)
    answer = _end(door, client, revoked)

    assert (answer.status, answer.text) == (200, "")
    with pytest.raises(Unauthenticated):
        admission.by_token(CLIENT_ACCESS, revoked)
    assert admission.by_token(CLIENT_ACCESS, kept).credential == client.credential
    assert _end(door, client, revoked).status == 200


def test_an_admins_client_ends_the_token_of_anybodys_jwt(door: Door, store: MemoryStore) -> None:
    root = store.add(a_user("root", role=Role.ADMIN))
    held = door.client(CredentialType.JWT)
    issued = door.house.credentials.create(
        signed_in(root), {"type": CredentialType.OAUTH2, "scopes": ["credentials:write"]}
    )
    assert issued.secret is not None
    door.house.admission.by_token(CREDENTIAL, held.secret)

    assert _end(door, Client(issued.credential, issued.secret), held.secret).status == 200
    with pytest.raises(Unauthenticated):
        door.house.admission.by_token(CREDENTIAL, held.secret)


def test_what_cannot_be_ended_is_answered_like_what_was(
    door: Door, client: Client, store: MemoryStore, clock: StoppedClock
) -> None:
    stranger = store.add(a_user("stranger"))
    foreign = door.house.credentials.create(signed_in(stranger), {"type": CredentialType.JWT}).secret or ""
    writer = door.client(scopes=["credentials:write"])
    expired = door.token(client)
    answers = [_end(door, writer, token) for token in ("x", foreign)]
    clock.advance(hours=1)
    answers.append(_end(door, writer, expired))

    assert {(answer.status, answer.text) for answer in answers} == {(200, "")}
    assert store.revoked_tokens == set()


def test_without_the_scope_only_ones_own_token_is_ended_and_none_is_looked_at(door: Door, client: Client) -> None:
    narrow = door.client(scopes=["orders:read"])
    own, others = door.token(narrow), door.token(client)
    refused = [_look(door, narrow, own), _look(door, narrow, "x"), _end(door, narrow, others)]

    assert {answer.outcome for answer in refused} == {(403, "insufficient_scope")}
    assert _end(door, narrow, own).status == 200
    assert _look(door, client, others).body["active"] is True


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
def test_the_token_and_a_client_are_needed(door: Door, client: Client, path: str) -> None:
    assert door.send(path, {}, _by(client)).outcome == (400, "invalid_request")
    assert door.send(path, {"token": ""}, _by(client)).outcome == (400, "invalid_request")
    assert door.send(path, {"token": "x"}).outcome == (401, "invalid_client")
    assert door.send(path, {"token": "x"}, {"Authorization": f"Bearer {door.token(client)}"}).outcome == (
        401,
        "invalid_client",
    )
    assert door.send(path, {"token": "x", **client.form}).status == 200
