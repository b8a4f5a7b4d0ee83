"""OAuth2 clients as a standard library has them: a token is got, used, looked at and taken back; and rotation."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from tests.journeys.client import DELETE_CREDENTIAL, ME, ROTATE_CREDENTIAL, UPDATE_CREDENTIAL, Answer, House, Person

CREATE = """mutation ($input: CreateCredentialInput!) {
  createCredential(createCredentialInput: $input) { id keyId secret expiresAt }
}"""
ROLES = ("USER", "MODERATOR", "ADMIN")
MINTER = ["credentials:read", "credentials:write", "users:read"]
TYPES = ("KEY_AUTH", "BASIC_AUTH", "JWT", "OAUTH2")


@dataclass(frozen=True)
class Program:
    """A credential of somebody's, with its secret."""

    id: str
    key_id: str
    secret: str


def made(house: House, owner: Person, kind: str, **more: Any) -> Program:
    told = house.graphql(CREATE, {"input": {"type": kind, **more}}, by=owner).data["createCredential"]
    return Program(told["id"], told["keyId"], told["secret"])


def rotated(house: House, owner: Person, program: Program, overlap: int) -> Program:
    variables = {"id": program.id, "overlap": overlap}
    told = house.graphql(ROTATE_CREDENTIAL, variables, by=owner).data["rotateCredential"]
    return Program(told["id"], told["keyId"], told["secret"])


@contextmanager
def session_of(house: House, client: Program, way: str = "client_secret_basic", **more: Any) -> Iterator[OAuth2Session]:
    """The library's session of a client, which has a token already."""
    with OAuth2Session(client.key_id, client.secret, token_endpoint_auth_method=way, **more) as session:
        token = session.fetch_token(house.url.replace("/graphql", "/oauth/token"), grant_type="client_credentials")
        remember(house, token["access_token"])
        yield session


def remember(house: House, token: str) -> None:
    house.secrets |= {token, token.rpartition(".")[2]}


def who(house: House, session: OAuth2Session) -> Any:
    """Whom the library's client is taken for, or the status that it is refused with."""
    answer = session.post(house.url, json={"query": ME})
    return answer.json()["data"]["me"]["id"] if answer.status_code == 200 else answer.status_code


def form(house: House, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
    """The answer to a form, sent without the library."""
    return house.send("POST", path, data=fields, headers=headers)


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_a_standard_client_gets_a_token_and_calls_with_it(house: House, way: str) -> None:
    owner = house.person()
    client = made(house, owner, "OAUTH2")
    with session_of(house, client, way) as session:
        assert session.token["token_type"] == "Bearer"
        assert session.token["expires_in"] == 3600
        assert who(house, session) == owner.id


def test_a_scope_that_was_asked_for_is_all_that_a_token_has(house: House) -> None:
    owner = house.person()
    client = made(house, owner, "OAUTH2", scopes=["users:read", "users:write"])
    rename = f'mutation {{ updateUser(id: "{owner.id}", updateUserInput: {{firstName: "Ann"}}) {{ firstName }} }}'
    with session_of(house, client) as whole, session_of(house, client, scope="users:read") as narrowed:
        assert (whole.token["scope"], narrowed.token["scope"]) == ("users:read users:write", "users:read")
        assert who(house, narrowed) == owner.id
        refused = narrowed.post(house.url, json={"query": rename}).json()
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]
        assert whole.post(house.url, json={"query": rename}).json()["data"] == {"updateUser": {"firstName": "Ann"}}


def test_a_refusal_is_one_that_the_library_understands(house: House) -> None:
    owner = house.person()
    client = made(house, owner, "OAUTH2", scopes=["users:read"])
    wrong = Program(client.id, client.key_id, made(house, owner, "OAUTH2").secret)
    with pytest.raises(OAuthError, match="invalid_client"), session_of(house, wrong):
        pass
    with pytest.raises(OAuthError, match="invalid_scope"), session_of(house, client, scope="users:write"):
        pass


def test_a_token_is_looked_at_and_taken_back_by_the_library(house: House) -> None:
    owner = house.person()
    client = made(house, owner, "OAUTH2")
    introspect, revoke = (house.url.replace("/graphql", f"/oauth/{act}") for act in ("introspect", "revoke"))
    with session_of(house, client) as session, session_of(house, client) as other:
        token = session.token["access_token"]
        told = session.introspect_token(introspect, token=token).json()
        assert (told["active"], told["client_id"], told["sub"]) == (True, client.key_id, owner.id)
        assert who(house, session) == owner.id

        assert session.revoke_token(revoke, token=token).status_code == 200
        assert session.introspect_token(introspect, token=token).json() == {"active": False}
        assert [who(house, each) for each in (session, other)] == [401, owner.id]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("owned_by", ROLES)
def test_tokens_of_others_are_for_those_who_may_know_their_credentials(house: House, role: str, owned_by: str) -> None:
    owner = house.person(owned_by)
    token = made(house, owner, "JWT").secret
    client = made(house, house.person(role), "OAUTH2", scopes=["credentials:read", "credentials:write"])
    fields = {"token": token, "client_id": client.key_id, "client_secret": client.secret}
    is_known = role == "ADMIN" or (role, owned_by) == ("MODERATOR", "USER")
    assert form(house, "/oauth/introspect", fields).body["active"] is is_known
    assert form(house, "/oauth/revoke", fields).status == 200
    assert house.graphql(ME, headers={"Authorization": f"Bearer {token}"}).status == (401 if is_known else 200)


def test_a_token_ends_with_its_client_on_the_next_call(house: House) -> None:
    owner = house.person()
    client = made(house, owner, "OAUTH2")
    with session_of(house, client) as session:
        assert who(house, session) == owner.id
        house.graphql(DELETE_CREDENTIAL, {"id": client.id}, by=owner)
        assert who(house, session) == 401


def test_an_accounts_password_is_no_clients_secret(house: House) -> None:
    owner = house.person()
    for name in (owner.email, owner.username, owner.id):
        fields = {"grant_type": "client_credentials", "client_id": name, "client_secret": owner.password}
        answer = form(house, "/oauth/token", fields)
        assert (answer.status, answer.body["error"]) == (401, "invalid_client")
        pair = b64encode(f"{name}:{owner.password}".encode()).decode()
        assert house.graphql(ME, headers={"Authorization": f"Basic {pair}"}).status == 401


def test_an_answer_is_never_kept_and_tells_what_remains(house: House) -> None:
    client = made(house, house.person(), "OAUTH2")
    fields = {"grant_type": "client_credentials", "client_id": client.key_id, "client_secret": client.secret}
    answer = form(house, "/oauth/token", fields)
    remember(house, answer.body["access_token"])
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    assert int(answer.headers["x-ratelimit-remaining"]) == int(answer.headers["x-ratelimit-limit"]) - 1
    assert form(house, "/oauth/token", {}).body["error"] == "invalid_request"


def send(house: House, kind: str, program: Program, query: str, variables: Mapping[str, Any] | None = None) -> Answer:
    """The answer to a program of the type, with whatever it has to send; of a client, to its asking for a token."""
    pair = b64encode(f"{program.key_id}:{program.secret}".encode()).decode()
    token = program.secret
    if kind == "OAUTH2":
        answer = form(house, "/oauth/token", {"grant_type": "client_credentials"}, {"Authorization": f"Basic {pair}"})
        if answer.status != 200:
            return answer
        token = answer.body["access_token"]
        remember(house, token)
    headers = {
        "KEY_AUTH": {"X-API-Key": program.secret},
        "BASIC_AUTH": {"Authorization": f"Basic {pair}"},
    }.get(kind, {"Authorization": f"Bearer {token}"})
    return house.graphql(query, variables, headers=headers)


def call(house: House, kind: str, program: Program) -> str:
    """Whom a program of the type is taken for, or the status that it is refused with."""
    answer = send(house, kind, program, ME)
    return str(answer.data["me"]["id"]) if answer.status == 200 else str(answer.status)


@pytest.mark.parametrize("kind", TYPES)
def test_a_program_that_calls_without_pause_comes_through_a_rotation_unrefused(house: House, kind: str) -> None:
    owner = house.person()
    old = made(house, owner, kind)
    assert call(house, kind, old) == owner.id
    new = rotated(house, owner, old, 600)
    for seconds in (0, 300, 270):
        house.pass_seconds(seconds)
        assert [call(house, kind, each) for each in (old, new)] == [owner.id] * 2
    house.pass_seconds(30)
    assert [call(house, kind, each) for each in (old, new)] == ["401", owner.id]


@pytest.mark.parametrize("kind", TYPES)
def test_a_rotation_is_told_by_the_credential_and_no_secret_with_it(house: House, kind: str) -> None:
    owner = house.person()
    program = made(house, owner, kind)
    variables = {"id": program.id, "overlap": 600}
    told = house.graphql(ROTATE_CREDENTIAL, variables, by=owner).data["rotateCredential"]
    read = """query ($id: ID!) { credential(id: $id) {
      id keyId lastUsedAt rotation { rotatedAt overlapEndsAt previousLastUsedAt }
    } }"""
    assert told.pop("secret") != program.secret
    assert house.graphql(read, {"id": program.id}, by=owner).data["credential"] == told
    assert told["rotation"]["rotatedAt"] < told["rotation"]["overlapEndsAt"]


@pytest.mark.parametrize("kind", TYPES)
def test_in_an_overlap_the_old_secret_does_not_rotate_its_own_credential(house: House, kind: str) -> None:
    owner = house.person()
    old = made(house, owner, kind, scopes=MINTER)
    new = rotated(house, owner, old, 600)
    for overlap in (0, 600):
        refused = send(house, kind, old, ROTATE_CREDENTIAL, {"id": old.id, "overlap": overlap})
        assert refused.extensions == {"code": "FORBIDDEN", "statusCode": 403, "reason": "SCOPE"}
    assert [call(house, kind, each) for each in (old, new)] == [owner.id] * 2
    house.pass_seconds(600)
    assert [call(house, kind, each) for each in (old, new)] == ["401", owner.id]


@pytest.mark.parametrize("kind", ["KEY_AUTH", "BASIC_AUTH"])
def test_the_present_secret_rotates_its_own_credential(house: House, kind: str) -> None:
    owner = house.person()
    present = rotated(house, owner, made(house, owner, kind, scopes=MINTER), 600)
    told = send(house, kind, present, ROTATE_CREDENTIAL, {"id": present.id, "overlap": 0}).data["rotateCredential"]
    newest = Program(told["id"], told["keyId"], told["secret"])
    assert [call(house, kind, each) for each in (present, newest)] == ["401", owner.id]


def test_an_access_token_makes_nothing_that_outlives_it(house: House) -> None:
    owner = house.person()
    client = made(house, owner, "OAUTH2", scopes=MINTER)
    with session_of(house, client) as session:
        token = session.token["access_token"]
    identity = {"client_id": client.key_id, "client_secret": client.secret}
    ends = datetime.fromtimestamp(form(house, "/oauth/introspect", {"token": token, **identity}).body["exp"], UTC)
    mint = minting(house, {"Authorization": f"Bearer {token}"})
    assert [mint(end) for end in (None, ends + timedelta(seconds=1), ends + timedelta(days=30))] == ["FORBIDDEN"] * 3
    rotate = {"id": client.id, "overlap": 0}
    assert house.graphql(ROTATE_CREDENTIAL, rotate, headers={"Authorization": f"Bearer {token}"}).outcome == "FORBIDDEN"
    key = mint(ends)
    assert house.graphql(ME, headers={"X-API-Key": key}).data["me"]["id"] == owner.id
    house.pass_seconds(3_600)
    assert house.graphql(ME, headers={"X-API-Key": key}).status == 401


def test_in_an_overlap_the_old_secret_makes_nothing_that_outlives_the_overlap(house: House) -> None:
    owner = house.person()
    old = made(house, owner, "KEY_AUTH", scopes=MINTER)
    variables = {"id": old.id, "overlap": 600}
    told = house.graphql(ROTATE_CREDENTIAL, variables, by=owner).data["rotateCredential"]
    ends = datetime.fromisoformat(told["rotation"]["overlapEndsAt"])
    mint = minting(house, {"X-API-Key": old.secret})
    assert [mint(end) for end in (None, ends + timedelta(milliseconds=1))] == ["FORBIDDEN"] * 2
    key = mint(ends)
    assert house.graphql(ME, headers={"X-API-Key": key}).data["me"]["id"] == owner.id
    house.pass_seconds(600)
    assert house.graphql(ME, headers={"X-API-Key": key}).status == 401
    assert minting(house, {"X-API-Key": told["secret"]})(None).startswith("gatehouse_")


def written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def minting(house: House, headers: Mapping[str, str]) -> Callable[[datetime | None], str]:
    """How a program makes a key that ends then: it tells the key's secret, or why there is none."""

    def mint(ends: datetime | None) -> str:
        wanted = {
            "type": "KEY_AUTH",
            "scopes": MINTER,
            "expiresAt": None if ends is None else written(ends),
        }
        answer = house.graphql(CREATE, {"input": wanted}, headers=headers)
        return str(answer.data["createCredential"]["secret"]) if answer.outcome == "ok" else answer.outcome

    return mint


@pytest.mark.parametrize("kind", TYPES[:3])
def test_a_credential_that_ends_between_two_seconds_changes_itself_and_makes_one_that_ends_with_it(
    house: House, kind: str
) -> None:
    owner = house.person()
    now = datetime.fromisoformat(house.pass_seconds(0))
    ends = now.replace(microsecond=567_000) + timedelta(days=2)
    program = made(house, owner, kind, scopes=MINTER, expiresAt=written(ends))
    renamed = send(house, kind, program, UPDATE_CREDENTIAL, {"id": program.id, "input": {"label": "mine"}})
    assert renamed.data["updateCredential"]["label"] == "mine"
    if kind == "JWT":
        ends = ends.replace(microsecond=0)  # a token tells whole seconds, and its credential ends with it
    heir = {"input": {"type": "KEY_AUTH", "scopes": MINTER, "expiresAt": written(ends)}}
    assert send(house, kind, program, CREATE, heir).outcome == "ok"
