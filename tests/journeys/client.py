"""What the journeys call the system with: HTTP as any client would speak it, and people and programs to speak as."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

import httpx

from tests.gateway_process import UNLIMITED, GatewayProcess

ADMIN_EMAIL = "first-admin@example.com"
ADMIN_PASSWORD = "First-Sign-In-1"
SETTINGS = {
    "ADMIN_EMAIL": ADMIN_EMAIL,
    "ADMIN_PASSWORD": ADMIN_PASSWORD,
    "BCRYPT_ROUNDS": "4",
    "JWT_SECRET": "a-key-for-journeys-of-over-32-bytes",
    **UNLIMITED,
}

CODES = {
    "BAD_REQUEST": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "TWO_FACTOR_REQUIRED": 401,
    "CONFLICT": 409,
    "RATE_LIMIT_EXCEEDED": 429,
    "SERVICE_UNAVAILABLE": 503,
    "INTERNAL_SERVER_ERROR": 500,
}
"""The codes that an error may have so far, each with the status that it tells beside."""

SECRET_FIELDS = ("accessToken", "refreshToken", "secret", "access_token", "uri", "challenge")
"""The fields that tell a secret; nothing else may."""

_SIGN_IN = "{ accessToken refreshToken expiresIn user { id username email role isActive } }"
REGISTER = f"mutation ($input: RegisterInput!) {{ register(registerInput: $input) {_SIGN_IN} }}"
LOGIN = f"mutation ($input: LoginInput!) {{ login(loginInput: $input) {_SIGN_IN} }}"
REFRESH = f"mutation ($token: String!) {{ refreshToken(refreshToken: $token) {_SIGN_IN} }}"
ME = "{ me { id username email firstName lastName role kind isActive } }"
CREATE_USER = "mutation ($input: CreateUserInput!) { createUser(createUserInput: $input) { id } }"
UPDATE_USER = """mutation ($id: ID!, $input: UpdateUserInput!) {
  updateUser(id: $id, updateUserInput: $input) { id username email firstName lastName role isActive }
}"""
DELETE_USER = "mutation ($id: ID!) { deleteUser(id: $id) { id } }"
USER = "query ($id: ID!) { user(id: $id) { id username email firstName lastName role kind isActive updatedAt } }"
CREATE_CREDENTIAL = """mutation ($input: CreateCredentialInput!) {
  createCredential(createCredentialInput: $input) { id consumerId keyId label scopes isActive secret }
}"""
UPDATE_CREDENTIAL = """mutation ($id: ID!, $input: UpdateCredentialInput!) {
  updateCredential(id: $id, updateCredentialInput: $input) { id label scopes isActive }
}"""
ROTATE_CREDENTIAL = """mutation ($id: ID!, $overlap: Int) { rotateCredential(id: $id, overlapSeconds: $overlap) {
  id keyId secret lastUsedAt rotation { rotatedAt overlapEndsAt previousLastUsedAt }
} }"""
DELETE_CREDENTIAL = "mutation ($id: ID!) { deleteCredential(id: $id) { id } }"
CREATE_USAGE_PLAN = "mutation ($input: CreateUsagePlanInput!) { createUsagePlan(createUsagePlanInput: $input) { id } }"
ASSIGN_USAGE_PLAN = """mutation ($user: ID!, $plan: ID) {
  assignUsagePlan(userId: $user, planId: $plan) { id usagePlanId }
}"""


class Answer:
    """What came back."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text

    @cached_property
    def body(self) -> dict[str, Any]:
        """The body, which is a JSON object."""
        told = json.loads(self.text)
        assert isinstance(told, dict), self.text
        return told

    @property
    def data(self) -> dict[str, Any]:
        """What was asked for, of a request that fully succeeded."""
        assert "errors" not in self.body, self.text
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def errors(self) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = self.body.get("errors", [])
        return errors

    @property
    def codes(self) -> list[str]:
        """The errors' codes, which agree with the statuses that they tell: the code's own, or the answer's."""
        told = [error["extensions"] for error in self.errors]
        assert all(each["statusCode"] in (CODES[each["code"]], self.status) for each in told), self.text
        return [each["code"] for each in told]

    @property
    def outcome(self) -> str:
        """`ok`, or the code of the one error."""
        [code] = self.codes or ["ok"]
        return code

    @property
    def rate_limit(self) -> dict[str, int]:
        """What is told of the limit, by the body and the headers alike."""
        in_body: dict[str, int] = self.body["extensions"]["rateLimit"]
        assert in_body == {name: int(self.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")}
        return in_body

    @property
    def next(self) -> dict[str, str]:
        """Where the plain lists go on that have more to tell, by their aliases."""
        following: dict[str, str] = self.body["extensions"].get("next", {})
        return following

    @property
    def extensions(self) -> dict[str, Any]:
        """What the one error tells beside its message, but for the correlation id."""
        [error] = self.errors
        return {name: value for name, value in error["extensions"].items() if name != "correlationId"}


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    id: str
    username: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Key:
    """An API key."""

    id: str
    key_id: str
    text: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": self.text}


class House:
    """A running system: it is called, and people and keys are made in it.

    It remembers every answer, and every secret that was sent or told.
    """

    def __init__(self, gateway: GatewayProcess) -> None:
        self.gateway = gateway
        self.url = gateway.graphql_url
        self.answers: list[Answer] = []
        self.secrets: set[str] = {SETTINGS["JWT_SECRET"]}
        self._http = httpx.Client(timeout=60, limits=httpx.Limits(max_connections=64))

    def close(self) -> None:
        """Lets go of the connections."""
        self._http.close()

    @cached_property
    def admin(self) -> Person:
        """The first ADMIN."""
        return self.sign_in(ADMIN_EMAIL, ADMIN_PASSWORD)

    def send(self, method: str, path: str = "/graphql", **request: Any) -> Answer:
        """The answer to any request; `request` is what httpx takes."""
        answer = Answer(self._http.request(method, self.url.removesuffix("/graphql") + path, **request))
        self.answers.append(answer)
        for secret in texts_of(json.loads(answer.text) if answer.text.startswith("{") else None, SECRET_FIELDS):
            self.secrets |= {secret, secret.rpartition(".")[2]}  # the end alone would be enough to give it away
        return answer

    def graphql(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        by: Person | Key | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to an operation, sent by somebody or by nobody."""
        sent = {**(by.headers if by else {}), **(headers or {})}
        # ASCII alone, so that a lone surrogate travels as an escape.
        body = json.dumps({"query": query, "variables": variables or {}})
        return self.send("POST", content=body, headers={"Content-Type": "application/json", **sent})

    def pass_seconds(self, seconds: int) -> str:
        """The time after the system's clock was moved on."""
        self.__dict__.pop("admin", None)  # the token may have become too old
        return str(self.send("POST", "/local/clock", json={"advanceSeconds": seconds}).body["now"])

    def log(self) -> list[str]:
        """Every line that the system has printed until now, those of all answers so far among them."""
        last = self.send("POST", json={"query": "{ __typename }"}).headers["x-amzn-requestid"]
        for _ in range(1_000):
            # Lines come through a pipe in their order, a little later than the answers they are about.
            if any(last in line for line in self.gateway.lines[-50:]):
                return list(self.gateway.lines)
            self.send("GET", "/health")
        raise AssertionError("A request left no line in the log.")

    def person(self, role: str = "USER") -> Person:
        """Somebody new of this role, made by the first ADMIN, who has signed in."""
        new = self.names()
        assert self.graphql(CREATE_USER, {"input": {**new, "role": role}}, by=self.admin).outcome == "ok"
        return self.sign_in(new["email"], new["password"])

    def inactive_person(self, role: str = "USER", by: Person | None = None) -> Person:
        """Somebody whose account was switched off, by themselves where nobody else is named."""
        person = self.person(role)
        self.change(person.id, {"isActive": False}, by=by or person)
        return person

    def sign_in(self, email: str, password: str) -> Person:
        """The person behind the email, with a new session."""
        self.secrets.add(password)
        return person(self.graphql(LOGIN, {"input": {"email": email, "password": password}}).data["login"], password)

    def key(
        self,
        owner: Person,
        *,
        scopes: Sequence[str] | None = None,
        key_secret: str | None = None,
        by: Person | Key | None = None,
    ) -> Key:
        """A new key of the owner's; its secret is made unless it is given."""
        wanted: dict[str, Any] = {"consumerId": owner.id, "type": "KEY_AUTH", "scopes": scopes}
        if key_secret is not None:
            self.secrets.add(key_secret)
            wanted |= {"keyId": f"key-{uuid4()}", "keySecret": key_secret}
        made = self.graphql(CREATE_CREDENTIAL, {"input": wanted}, by=by or owner).data["createCredential"]
        return Key(made["id"], made["keyId"], made["secret"] or f"{made['keyId']}.{key_secret}")

    def change(self, user_id: str, changes: Mapping[str, Any], *, by: Person | Key) -> dict[str, Any]:
        """The user after changes, which succeed."""
        told = self.graphql(UPDATE_USER, {"id": user_id, "input": changes}, by=by).data
        updated: dict[str, Any] = told["updateUser"]
        return updated

    def names(self, name: str = "ann") -> dict[str, str]:
        """What somebody new signs up with: nobody else has any of it."""
        unique = f"{name}-{uuid4().hex[:16]}"
        password = f"Pass-{unique}-1"
        self.secrets.add(password)
        return {"username": unique, "email": f"{unique}@example.com", "password": password}


def person(told: Mapping[str, Any], password: str) -> Person:
    """Somebody as a sign-in tells of them."""
    user = told["user"]
    return Person(user["id"], user["username"], user["email"], password, told["accessToken"], told["refreshToken"])


def texts_of(told: Any, names: Sequence[str]) -> Iterator[str]:
    """The texts that stand under the names, anywhere in what is told."""
    if isinstance(told, dict):
        for name, value in told.items():
            if name in names and isinstance(value, str):
                yield value
            else:
                yield from texts_of(value, names)
    elif isinstance(told, list):
        for value in told:
            yield from texts_of(value, names)
