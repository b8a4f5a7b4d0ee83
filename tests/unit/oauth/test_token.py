"""POST /oauth/token: RFC 6749 §4.4, §2.3.1 and §5.2, word for word."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from gatehouse.credentials.model import CredentialType
from gatehouse.errors import ServiceUnavailable
from gatehouse.tokens import CLIENT_ACCESS
from tests.unit.fakes import PASSWORD, START, TOKENS, MemoryStore, StoppedClock
from tests.unit.oauth.conftest import GRANT, Client, Door, basic, event_of

PATH = "/oauth/token"
NOT_CACHED = {"Cache-Control": "no-store", "Pragma": "no-cache", "X-Content-Type-Options": "nosniff"}
JSON = {**NOT_CACHED, "Content-Type": "application/json;charset=UTF-8"}
DESCRIPTION = set(map(chr, [0x20, 0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F)]))
RESET = str(int(START.timestamp()) + 60)


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_a_client_gets_a_token_in_either_way(door: Door, client: Client, way: str) -> None:
    if way == "client_secret_basic":
        answer = door.send(PATH, GRANT, {"Authorization": client.basic})
    else:
        answer = door.send(PATH, {**GRANT, **client.form})
    claims = TOKENS.verify(CLIENT_ACCESS, answer.body["access_token"], START)

    assert answer.status == 200
    assert answer.body == {
        "access_token": answer.body["access_token"],
        "token_type": "Bearer",
        "expires_in": 3600,
    }
    assert answer.headers == {
        **JSON,
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "19",
        "X-RateLimit-Reset": RESET,
    }
    assert (claims.subject, claims.own["cid"]) == (door.owner.id, client.credential.id)


def test_the_scope_is_told_where_it_is_not_all_that_the_owner_has(door: Door) -> None:
    scoped = door.client(scopes=["users:read", "orders:read"])
    answers = [
        door.send(PATH, {**GRANT, **scoped.form}),
        door.send(PATH, {**GRANT, **scoped.form, "scope": "orders:read"}),
        door.send(PATH, {**GRANT, **scoped.form, "scope": ""}),
        door.send(PATH, {**GRANT, **door.client().form, "scope": "orders:read"}),
    ]

    assert [answer.body["scope"] for answer in answers] == [
        "users:read orders:read",
        "orders:read",
        "users:read orders:read",
        "orders:read",
    ]


def test_a_chosen_secret_is_taken_encoded_as_the_standard_has_it(door: Door) -> None:
    chosen = door.client(key_id="my-service", key_secret="a:b+c/zz")

    assert door.send(PATH, GRANT, {"Authorization": basic("my-service", "a%3Ab%2Bc%2Fzz")}).status == 200
    assert door.send(PATH, GRANT, {"Authorization": basic("my-service", "a:b+c/zz")}).status == 200
    assert door.send(PATH, {**GRANT, **chosen.form}).status == 200


@pytest.mark.parametrize(
    ("form", "headers", "outcome"),
    [
        # The client is right in all of these, and the request is not.
        ("{basic}", {}, (400, "invalid_request")),
        ("grant_type=&{post}", {}, (400, "invalid_request")),
        ("grant_type=client_credentials&grant_type=client_credentials&{post}", {}, (400, "invalid_request")),
        ("grant_type=client_credentials&scope=a:b&scope=a:b&{post}", {}, (400, "invalid_request")),
        ("grant_type=client_credentials&x=&x=&{post}", {}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}", {"Authorization": "{basic}"}, (400, "invalid_request")),
        ("grant_type=client_credentials&client_id=other", {"Authorization": "{basic}"}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}", {"Authorization": "Bearer x"}, (400, "invalid_request")),
        ("grant_type=client_credentials", {"Authorization": ["{basic}", "{basic}"]}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}", {"Content-Type": "application/json"}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}", {"Content-Type": "multipart/form-data"}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}", {"Content-Type": ""}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}&novalue", {}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}&x=%FF", {}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}" + "".join(f"&x{n}=1" for n in range(30)), {}, (400, "invalid_request")),
        ("grant_type=client_credentials&{post}&x=" + "1" * 65_536, {}, (413, "invalid_request")),
        ("grant_type=password&username=a&password=b&{post}", {}, (400, "unsupported_grant_type")),
        ("grant_type=refresh_token&refresh_token=a&{post}", {}, (400, "unsupported_grant_type")),
        ("grant_type=authorization_code&code=a&{post}", {}, (400, "unsupported_grant_type")),
        ("grant_type=CLIENT_CREDENTIALS&{post}", {}, (400, "unsupported_grant_type")),
        ("grant_type=client_credentials&scope=credentials:write&{post}", {}, (400, "invalid_scope")),
        ("grant_type=client_credentials&scope=%22&{post}", {}, (400, "invalid_scope")),
        ("grant_type=client_credentials&client_id=other", {"Authorization": "Bearer x"}, (401, "invalid_client")),
        ("grant_type=client_credentials", {}, (401, "invalid_client")),
        ("grant_type=client_credentials&client_id=a-client", {}, (401, "invalid_client")),
        # These are good.
        ("grant_type=client_credentials&client_id={id}", {"Authorization": "{basic}"}, (200, None)),
        ("grant_type=client_credentials", {"authorization": "{bASIC}"}, (200, None)),
        (
            "grant_type=client_credentials&unknown=1&{post}",
            {"Content-Type": "Application/X-WWW-Form-URLencoded; charset=UTF-8"},
            (200, None),
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_every_mistake_has_the_error_that_the_standard_gives_it(
    door: Door, client: Client, form: str, headers: dict[str, Any], outcome: tuple[int, str | None]
) -> None:
    known = {
        "{post}": f"client_id={client.credential.key_id}&client_secret={client.secret}",
        "{basic}": client.basic,
        "{bASIC}": client.basic.replace("Basic", "bASIC"),
        "{id}": client.credential.key_id,
    }

    def filled(text: Any) -> Any:
        if isinstance(text, list):
            return [filled(each) for each in text]
        for name, value in known.items():
            text = text.replace(name, value)
        return text

    answer = door.send(PATH, filled(form), {name: filled(value) for name, value in headers.items()})

    assert answer.outcome == outcome
    assert answer.headers.items() >= JSON.items()
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= answer.headers.keys()
    if outcome[1] is not None:
        assert answer.body.keys() == {"error", "error_description"}
        assert set(answer.body["error_description"]) <= DESCRIPTION
        assert client.secret not in answer.text
    assert ("WWW-Authenticate" in answer.headers) is (outcome[0] == 401)


def test_whatever_is_wrong_with_the_client_is_told_alike(door: Door, store: MemoryStore, clock: StoppedClock) -> None:
    client, off, other = door.client(), door.client(), door.client(CredentialType.KEY_AUTH)
    store.credentials[off.credential.id] = replace(off.credential, is_active=False, revision=1)
    wrong = [
        ("nobody-has-this", "some-secret"),
        (client.credential.key_id, off.secret),
        (client.credential.key_id, "short"),
        (off.credential.key_id, off.secret),
        (other.credential.key_id, other.secret.partition(".")[2]),
        (door.owner.email, PASSWORD),
        (door.owner.username, PASSWORD),
    ]
    answers = []
    for client_id, secret in wrong:
        clock.advance(minutes=1)  # an address has few requests a minute without a client that is known
        answers += [
            door.send(PATH, GRANT, {"Authorization": basic(client_id, secret)}),
            door.send(PATH, {**GRANT, "client_id": client_id, "client_secret": secret}),
        ]

    assert {answer.outcome for answer in answers} == {(401, "invalid_client")}
    assert len({answer.text for answer in answers}) == 1
    for number, answer in enumerate(answers):
        assert answer.headers == {
            **JSON,
            "WWW-Authenticate": 'Basic realm="gatehouse", charset="UTF-8"',
            "X-RateLimit-Limit": "5",
            "X-RateLimit-Remaining": "43"[number % 2],
            "X-RateLimit-Reset": str(int(RESET) + 60 * (number // 2 + 1)),
        }


def test_a_made_client_that_is_mistyped_costs_no_read(door: Door, client: Client, store: MemoryStore) -> None:
    store.calls.clear()
    wrong = client.secret[:-1] + ("A" if client.secret[-1] != "A" else "B")

    assert door.send(PATH, {**GRANT, **client.form, "client_secret": wrong}).outcome == (401, "invalid_client")
    assert store.calls == []


def test_too_many_requests_of_a_client_are_429_with_a_time_to_wait(
    door: Door, client: Client, clock: StoppedClock
) -> None:
    remaining = [door.send(PATH, {**GRANT, **client.form}).headers["X-RateLimit-Remaining"] for _ in range(20)]
    clock.advance(seconds=20)
    refused = door.send(PATH, {**GRANT, **client.form})

    assert remaining == [str(n) for n in range(19, -1, -1)]
    assert refused.outcome == (429, "rate_limit_exceeded")
    assert refused.headers == {
        **JSON,
        "X-RateLimit-Limit": "20",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": RESET,
        "Retry-After": "40",
    }
    clock.advance(seconds=40)
    assert door.send(PATH, {**GRANT, **client.form}).status == 200


def test_requests_that_name_no_client_are_counted_by_their_address(door: Door, client: Client) -> None:
    outcomes = [door.send(PATH, GRANT).outcome for _ in range(6)]

    assert outcomes == [(401, "invalid_client")] * 5 + [(429, "rate_limit_exceeded")]
    assert door.send(PATH, {}).outcome == (429, "rate_limit_exceeded")
    assert door.send(PATH, {**GRANT, **client.form}).status == 200


def test_too_many_wrong_secrets_are_429_before_a_hash_is_paid_for(door: Door) -> None:
    chosen = door.client(key_id="my-service", key_secret="the-right-one")
    outcomes = [door.send(PATH, {**GRANT, **chosen.form, "client_secret": f"wrong-{n}"}).outcome for n in range(6)]

    assert outcomes == [(401, "invalid_client")] * 5 + [(429, "rate_limit_exceeded")]
    assert door.send(PATH, {**GRANT, **chosen.form}).outcome == (429, "rate_limit_exceeded")


def test_a_store_that_does_not_answer_is_503_with_a_time_to_wait(
    door: Door, client: Client, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(*_arguments: object) -> None:
        raise ServiceUnavailable("The store did not answer. Try again.")

    monkeypatch.setattr(store, "find_claim", no_answer)
    answer = door.send(PATH, {**GRANT, **client.form})

    assert answer.outcome == (503, "temporarily_unavailable")
    assert answer.headers == {**JSON, "Retry-After": "1"}


def test_what_breaks_is_told_in_one_neutral_sentence_and_logged(
    door: Door,
    client: Client,
    store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    log: Callable[[], list[dict[str, Any]]],
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("the inside of the house")

    monkeypatch.setattr(store, "find_claim", broken)
    answer = door.send(PATH, {**GRANT, **client.form})

    assert answer.outcome == (500, "server_error")
    assert "inside" not in answer.text
    assert [(line["level"], line["message"]) for line in log()] == [("ERROR", "unexpected error"), ("INFO", "request")]


@pytest.mark.parametrize(("method", "path"), [("GET", PATH), ("PUT", PATH), ("POST", "/oauth/authorize")])
def test_nothing_else_is_served(door: Door, method: str, path: str) -> None:
    event = event_of("token") | {"httpMethod": method, "resource": path}
    answer = door.handle(event)

    assert answer.outcome == (405, "invalid_request")
    assert answer.headers["Allow"] == "POST"


def test_a_body_that_api_gateway_took_for_bytes_is_read_all_the_same(door: Door, client: Client) -> None:
    event = event_of("token")
    event["multiValueHeaders"].pop("Authorization")
    body = b64encode(urlencode({**GRANT, **client.form}).encode()).decode()
    assert door.handle(event | {"body": body, "isBase64Encoded": True}).status == 200
    assert door.handle(event | {"body": "!", "isBase64Encoded": True}).outcome == (400, "invalid_request")
    assert door.handle(event | {"body": None}).outcome == (400, "invalid_request")


def test_each_request_leaves_one_line_of_facts_and_no_secret(
    door: Door, client: Client, log: Callable[[], list[dict[str, Any]]]
) -> None:
    door.send(PATH, {**GRANT, **client.form})
    door.send(PATH, {**GRANT, **client.form, "client_secret": "wrong"})
    door.send(PATH, {"grant_type": "password"})
    lines = log()
    facts = ("method", "endpoint", "statusCode", "userId", "credentialId", "codes", "correlation_id")

    assert [{name: line.get(name) for name in facts} for line in lines] == [
        {
            "method": "POST",
            "endpoint": PATH,
            "correlation_id": event_of("token")["requestContext"]["requestId"],
            "statusCode": status,
            "userId": known and door.owner.id,
            "credentialId": known and client.credential.id,
            "codes": error and [error],
        }
        for status, error, known in (
            (200, None, True),
            (401, "invalid_client", None),
            (400, "unsupported_grant_type", None),
        )
    ]
    assert all(line["responseTime"] >= 0 for line in lines)
    assert client.secret not in str(lines)


def test_each_kept_event_is_answered(door: Door) -> None:
    door.client(key_id="my-service", key_secret="MyService-Secret-1")
    outcomes = {name: door.handle(event_of(name)) for name in ("token", "token-wrong-client", "introspect", "revoke")}

    assert {name: answer.outcome for name, answer in outcomes.items()} == {
        "token": (200, None),
        "token-wrong-client": (401, "invalid_client"),
        "introspect": (200, None),
        "revoke": (200, None),
    }
