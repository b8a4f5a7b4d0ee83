"""From the seed's own operations to the use cases and back, with a store in memory."""

import pytest

from gatehouse.consumers.model import Role
from gatehouse.credentials.model import CredentialType
from gatehouse.permissions import Caller
from gatehouse.tokens import SESSION
from tests.unit.fakes import PASSWORD, TOKENS, MemoryStore, StoppedClock, a_user, signed_in
from tests.unit.graphql_api.conftest import Answer, Api


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


def _register(api: Api) -> Answer:
    return api.ask(
        f"""mutation {{ register(registerInput: {{ username: "johndoe", email: "john@example.com",
        password: "{PASSWORD}", firstName: "John" }}) {{
            accessToken refreshToken expiresIn user {{ id username email firstName lastName role kind isActive
            createdAt updatedAt }} }} }}"""
    )


def test_signing_up_answers_with_tokens_and_the_user(api: Api, clock: StoppedClock) -> None:
    signed = _register(api).data["register"]
    user = signed["user"]

    assert TOKENS.verify(SESSION, signed["accessToken"], clock.now()).subject == user["id"]
    assert signed["expiresIn"] == 86_400
    assert user == {
        "id": user["id"],
        "username": "johndoe",
        "email": "john@example.com",
        "firstName": "John",
        "lastName": None,
        "role": "USER",
        "kind": "USER",
        "isActive": True,
        "createdAt": "2026-03-01T12:00:00.000Z",
        "updatedAt": "2026-03-01T12:00:00.000Z",
    }


def test_signing_in_staying_in_and_signing_out(api: Api, store: MemoryStore) -> None:
    _register(api)
    store.sessions.clear()
    login = f'''mutation {{ login(loginInput: {{ email: "JOHN@example.com", password: "{PASSWORD}" }}) {{
        refreshToken user {{ id }} }} }}'''
    signed = api.ask(login).data["login"]
    refresh = "mutation($t: String!) { refreshToken(refreshToken: $t) { refreshToken user { id } } }"
    again = api.ask(refresh, {"t": signed["refreshToken"]}).data["refreshToken"]
    [session] = store.sessions.values()
    caller = Caller(consumer_id=session.user_id, session_id=session.id)

    assert again["user"] == signed["user"] == api.ask("{ me { id } }", caller=caller).data["me"]
    assert again["refreshToken"] != signed["refreshToken"]
    assert api.ask("mutation { logout }", caller=caller).data == {"logout": True}
    assert api.ask(refresh, {"t": again["refreshToken"]}).codes == ["UNAUTHENTICATED"]


def test_a_user_is_made_changed_and_deleted(api: Api, admin: Caller, store: MemoryStore) -> None:
    made = api.ask(
        f"""mutation {{ createUser(createUserInput: {{ username: "janedoe", email: "jane@example.com",
        password: "{PASSWORD}", firstName: "Jane", lastName: "Doe" }}) {{ id username role kind isActive }} }}""",
        caller=admin,
    ).data["createUser"]
    assert made == {"id": made["id"], "username": "janedoe", "role": "USER", "kind": "USER", "isActive": True}

    update = """mutation($id: ID!, $c: UpdateUserInput!) { updateUser(id: $id, updateUserInput: $c) {
        role firstName isActive } }"""
    changes = {"role": "MODERATOR", "firstName": None, "isActive": False}
    assert api.ask(update, {"id": made["id"], "c": changes}, admin).data["updateUser"] == changes

    delete = "mutation($id: ID!) { deleteUser(id: $id) { id username } }"
    assert api.ask(delete, {"id": made["id"]}, admin).data["deleteUser"] == {"id": made["id"], "username": "janedoe"}
    assert api.ask(delete, {"id": made["id"]}, admin).codes == ["NOT_FOUND"]
    assert made["id"] not in store.users


CREDENTIAL = "id consumerId type keyId label scopes isActive expiresAt lastUsedAt createdAt updatedAt"


def test_the_seeds_credential_is_made_without_its_secret_being_told(api: Api, store: MemoryStore) -> None:
    user = store.add(a_user())
    made = api.ask(
        f"""mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, keyId: "api-key-123",
        keySecret: "secret" }}) {{ {CREDENTIAL} secret }} }}""",
        caller=signed_in(user),
    ).data["createCredential"]

    assert made == {
        "id": made["id"],
        "consumerId": user.id,
        "type": "KEY_AUTH",
        "keyId": "api-key-123",
        "label": None,
        "scopes": None,
        "isActive": True,
        "expiresAt": None,
        "lastUsedAt": None,
        "createdAt": "2026-03-01T12:00:00.000Z",
        "updatedAt": "2026-03-01T12:00:00.000Z",
        "secret": None,
    }


def test_a_made_secret_is_told_once_and_in_no_list(api: Api, store: MemoryStore) -> None:
    caller = signed_in(store.add(a_user()))
    made = api.ask(
        f"""mutation {{ createCredential(createCredentialInput: {{ type: KEY_AUTH, scopes: [] }}) {{
        {CREDENTIAL} secret }} }}""",
        caller=caller,
    ).data["createCredential"]
    secret = made.pop("secret")
    assert secret.startswith(made["keyId"] + ".")

    one = api.ask(f"query($id: ID!) {{ credential(id: $id) {{ {CREDENTIAL} }} }}", {"id": made["id"]}, caller)
    many = api.ask(
        f"{{ credentials {{ {CREDENTIAL} }} credentialsConnection {{ nodes {{ {CREDENTIAL} }} }} }}", caller=caller
    )
    assert one.data["credential"] == made
    assert many.data == {"credentials": [made], "credentialsConnection": {"nodes": [made]}}
    assert secret.partition(".")[2] not in one.text + many.text


def test_a_credential_is_changed_and_deleted(api: Api, store: MemoryStore) -> None:
    caller = signed_in(store.add(a_user()))
    make = "mutation { createCredential(createCredentialInput: { type: KEY_AUTH }) { id } }"
    made = api.ask(make, caller=caller).data["createCredential"]
    update = """mutation($id: ID!, $c: UpdateCredentialInput!) { updateCredential(id: $id, updateCredentialInput: $c) {
        label scopes expiresAt isActive } }"""
    changes = {"label": "CI", "scopes": ["users:read"], "expiresAt": "2027-01-01T00:00:00.000Z", "isActive": False}

    assert api.ask(update, {"id": made["id"], "c": changes}, caller).data["updateCredential"] == changes
    delete = "mutation($id: ID!) { deleteCredential(id: $id) { id } }"
    assert api.ask(delete, {"id": made["id"]}, caller).data["deleteCredential"] == made
    assert store.credentials == {}


@pytest.mark.parametrize("kind", CredentialType)
def test_a_rotation_tells_its_secret_once_and_what_became_of_the_one_before(
    api: Api, store: MemoryStore, kind: CredentialType
) -> None:
    caller = signed_in(store.add(a_user()))
    rotation = "rotation { rotatedAt overlapEndsAt previousLastUsedAt }"
    make = f"mutation {{ createCredential(createCredentialInput: {{ type: {kind} }}) {{ id secret {rotation} }} }}"
    made = api.ask(make, caller=caller).data["createCredential"]
    rotate = f"""mutation($id: ID!, $s: Int) {{ rotateCredential(id: $id, overlapSeconds: $s) {{
        {CREDENTIAL} secret {rotation} }} }}"""
    told = [
        api.ask(rotate, {"id": made["id"], **overlap}, caller).data["rotateCredential"]
        for overlap in ({"s": 0}, {"s": None}, {})
    ]

    assert made["rotation"] is None
    assert [each["rotation"]["overlapEndsAt"] for each in told] == [
        "2026-03-01T12:00:00.000Z",
        "2026-03-02T12:00:00.000Z",
        "2026-03-02T12:00:00.000Z",
    ]
    secrets = [made["secret"], *(each.pop("secret") for each in told)]
    assert len({secret for secret in secrets if secret}) == 4
    read = f"query($id: ID!) {{ credential(id: $id) {{ {CREDENTIAL} {rotation} }} }}"
    assert api.ask(read, {"id": made["id"]}, caller).data["credential"] == told[-1]
    twice = "mutation($id: ID!) { rotateCredential(id: $id) { id } again: rotateCredential(id: $id) { id } }"
    assert api.ask(twice, {"id": made["id"]}, caller).codes == ["BAD_REQUEST"]


@pytest.mark.parametrize(
    "query",
    [
        "{ me { id } }",
        "{ users { id } }",
        'mutation { deleteUser(id: "x") { id } }',
        "mutation { logout }",
        "{ __typename credentials { id } }",
        "query { ...F } fragment F on Query { __typename me { id } }",
    ],
)
def test_an_anonymous_caller_is_refused_before_anything_is_executed(api: Api, store: MemoryStore, query: str) -> None:
    answer = api.ask(query)

    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert store.calls == []
    too_old = api.ask(query, caller=Caller(refused_because="TOKEN_EXPIRED"))
    assert too_old.errors[0]["extensions"]["reason"] == "TOKEN_EXPIRED"
