"""A command: runs a journey through the local gateway and prints, as JSON, what each function asked of AWS.

In a process of its own, because the functions' object graph is one per process. For each function: the IAM actions that
its DynamoDB calls take, each with the indexes that it was called on ("" for the table itself).
"""

import json
import os
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import botocore.session

from gatehouse import wiring
from gatehouse.settings import Settings
from gatehouse.storage.table import open_table
from local.gateway import moto_guard
from local.gateway.clock import MovableClock
from local.gateway.environment import cut_off, function_variables, load_template
from local.gateway.gateway import Gateway
from local.gateway.messages import HttpRequest
from local.gateway.runtime import load_handlers
from local.gateway.store import create_table

ADMIN = ("root@example.com", "Adm1n-Secret!")
PERSON = ("someone@example.com", "SecurePass123!")
WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem"}


class Recorder:
    """Notes which function is running and what it asks; the journey makes one call at a time."""

    def __init__(self) -> None:
        self.running = ""
        self.asked: dict[str, set[tuple[str, str]]] = defaultdict(set)

    def around(self, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(event: Any, context: Any) -> Any:
            self.running = name
            return handler(event, context)

        return recorded

    def note(self, model: Any, params: Any, **_more: Any) -> None:
        sent = json.loads(params["body"])
        if model.name == "TransactWriteItems":
            actions = [WRITES[kind] for write in sent["TransactItems"] for kind in write]
        else:
            actions = [model.name]
        for action in actions:
            self.asked[self.running].add((f"dynamodb:{action}", sent.get("IndexName", "")))


class Client:
    """Sends GraphQL through the gateway, without sockets."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def send(self, query: str, credential: tuple[str, str] | None = None) -> Any:
        headers = (("Content-Type", "application/json"), ("Host", "localhost"), *([credential] if credential else []))
        body = json.dumps({"query": query}).encode()
        response = self._gateway.handle(HttpRequest(method="POST", path="/graphql", headers=headers, body=body))
        answer = json.loads(response.body)
        assert response.status == 200, answer
        assert "errors" not in answer, answer
        return answer["data"]

    def sign_in(self, email: str, password: str) -> tuple[tuple[str, str], Any]:
        query = f'mutation {{ login(loginInput: {{email: "{email}", password: "{password}"}})'
        data = self.send(query + " { accessToken refreshToken user { id } } }")["login"]
        return ("Authorization", f"Bearer {data['accessToken']}"), data


def main() -> None:
    cut_off(os.environ)
    template = load_template({})
    os.environ.update(
        function_variables(template, {"JWT_SECRET": "only for this journey, 32 bytes!", "BCRYPT_ROUNDS": "4"})
    )
    moto_guard.start()
    settings = Settings.from_environment()
    client = botocore.session.get_session().create_client("dynamodb", settings.region)
    create_table(client, template.table, settings.table_name)
    graph = wiring.build(settings, MovableClock())
    wiring.install(graph)
    graph.bootstrap.create_first_admin(ADMIN[0], "root", ADMIN[1])
    recorder = Recorder()
    handlers = {name: recorder.around(name, handler) for name, handler in load_handlers(template).items()}
    open_table().connection.client.meta.events.register("before-call.dynamodb", recorder.note)
    gateway = Gateway(template, handlers, graph.clock)
    journey(Client(gateway))
    gateway.close()
    print(json.dumps({name: sorted(asked) for name, asked in recorder.asked.items()}))


def journey(api: Client) -> None:
    """Every operation of the schema, in every way that asks something else of the store."""
    admin, _ = api.sign_in(*ADMIN)
    register = f'registerInput: {{username: "someone", email: "{PERSON[0]}", password: "{PERSON[1]}"}}'
    person_id = api.send(f"mutation {{ register({register}) {{ user {{ id }} }} }}")["register"]["user"]["id"]
    person, signed_in = api.sign_in(*PERSON)
    refreshed = api.send(f'mutation {{ refreshToken(refreshToken: "{signed_in["refreshToken"]}") {{ refreshToken }} }}')
    api.send(
        f'mutation {{ refreshToken(refreshToken: "{refreshed["refreshToken"]["refreshToken"]}") {{ expiresIn }} }}'
    )
    api.send(f'{{ me {{ id }} user(id: "{person_id}") {{ id }} }}', person)
    key = api.send("mutation { createCredential(createCredentialInput: {type: KEY_AUTH}) { id secret } }", person)[
        "createCredential"
    ]
    api.send("{ me { id } credentials { id } }", ("X-API-Key", key["secret"]))
    api.send(f'{{ credential(id: "{key["id"]}") {{ id }} credentials {{ id }} }}', admin)
    switch = f'updateCredential(id: "{key["id"]}", updateCredentialInput: {{isActive: false}})'
    api.send(f"mutation {{ {switch} {{ id }} }}", admin)
    api.send(f'mutation {{ deleteCredential(id: "{key["id"]}") {{ id }} }}', person)
    api.send("mutation { createCredential(createCredentialInput: {type: KEY_AUTH}) { id } }", person)
    api.send("mutation { logout }", person)
    api.send(
        '{ users { id } named: users(orderBy: {username: ASC}) { id } found: users(where: {search: "some"}) { id } }',
        admin,
    )
    made = 'createUser(createUserInput: {username: "robot", email: "robot@example.com", kind: SERVICE})'
    robot_id = api.send(f"mutation {{ {made} {{ id }} }}", admin)["createUser"]["id"]
    for change in ('firstName: "Ro"', 'email: "r@example.com", username: "robbie"', "role: ADMIN", "isActive: false"):
        api.send(f'mutation {{ updateUser(id: "{robot_id}", updateUserInput: {{{change}}}) {{ id }} }}', admin)
    for user_id in (robot_id, person_id):
        api.send(f'mutation {{ deleteUser(id: "{user_id}") {{ id }} }}', admin)


if __name__ == "__main__":
    main()
