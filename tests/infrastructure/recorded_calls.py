"""A command: runs a journey through the local gateway and prints, as JSON, what each function asked of AWS.

In a process of its own, because the functions' object graph is one per process. For each function: the IAM actions that
its calls take, each with where: the index of the table ("" for itself), or the path of API Gateway's control plane.
"""

import json
import os
from base64 import b64encode
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import botocore.session

from gatehouse import wiring
from gatehouse.settings import Settings
from gatehouse.storage.table import counting_client, open_table
from local.gateway import moto_guard
from local.gateway.clock import MovableClock
from local.gateway.environment import cut_off, function_variables, load_template
from local.gateway.gateway import Gateway
from local.gateway.messages import HttpRequest
from local.gateway.outbox import Outbox
from local.gateway.pump import Pump
from local.gateway.runtime import Runtime, load_event_handlers, load_handlers
from local.gateway.store import create_table
from local.gateway.streams import MotoStream
from local.gateway.wall import control_plane
from tests.gateway_process import UNLIMITED
from tests.infrastructure.recorded_accounts import People, live_with_accounts
from tests.infrastructure.recorded_changes import QueuedMails, RecordedControlPlane, follow_changes
from tests.infrastructure.recorded_cleanup import clean_up

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
        elif model.name == "TransactGetItems":
            actions = ["GetItem"]
        else:
            actions = [model.name]
        for action in actions:
            self.note_action(f"dynamodb:{action}", sent.get("IndexName", ""))

    def note_action(self, action: str, where: str) -> None:
        self.asked[self.running].add((action, where))


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

    def guess(self, key: str) -> None:
        """A request with a key that is not one."""
        headers = (("Content-Type", "application/json"), ("Host", "localhost"), ("X-API-Key", key))
        response = self._gateway.handle(HttpRequest(method="POST", path="/graphql", headers=headers, body=b"{}"))
        assert response.status == 401, response

    def send_form(self, path: str, **fields: str) -> Any:
        headers = (("Content-Type", "application/x-www-form-urlencoded"), ("Host", "localhost"))
        body = urlencode(fields).encode()
        response = self._gateway.handle(HttpRequest(method="POST", path=path, headers=headers, body=body))
        assert response.status == 200, response
        return json.loads(response.body or "null")

    def sign_in(self, email: str, password: str) -> tuple[tuple[str, str], Any]:
        query = f'mutation {{ login(loginInput: {{email: "{email}", password: "{password}"}})'
        data = self.send(query + " { accessToken refreshToken user { id } } }")["login"]
        return ("Authorization", f"Bearer {data['accessToken']}"), data


def main() -> None:
    cut_off(os.environ)
    template = load_template({})
    chosen = {"JWT_SECRET": "only for this journey, 32 bytes!", "BCRYPT_ROUNDS": "4", **UNLIMITED}
    os.environ.update(function_variables(template, chosen))
    moto_guard.start()
    settings = Settings.from_environment()
    client = botocore.session.get_session().create_client("dynamodb", settings.region)
    create_table(client, template.table, settings.table_name)
    clock = MovableClock()
    graph = wiring.build(settings, clock)
    wiring.install(graph)
    graph.bootstrap.create_first_admin(ADMIN[0], "root", ADMIN[1])
    recorder = Recorder()
    plane = control_plane(template, clock)
    recorded = RecordedControlPlane(plane, recorder.note_action)
    mails, outbox = QueuedMails(), Outbox()
    wiring.install_following(wiring.build_following(settings, clock, recorded, mails))
    wiring.install_post(wiring.build_post(settings, clock, outbox))
    wiring.install_cleanup(wiring.build_cleanup(settings, clock))
    loaded = load_handlers(template) | load_event_handlers(template)
    handlers = {name: recorder.around(name, handler) for name, handler in loaded.items()}
    for each in (open_table().connection.client, counting_client()):
        each.meta.events.register("before-call.dynamodb", recorder.note)
    gateway = Gateway(template, handlers, clock, plane=plane)
    (mapping,) = template.stream_mappings
    runtime = Runtime(template.functions, handlers)
    pump = Pump(MotoStream(settings), mapping, lambda event: runtime.invoke(mapping.function, event, 60), clock)
    api = Client(gateway)

    def link_to(address: str) -> str:
        pump.turn()
        assert runtime.invoke("MailFunction", mails.take(), 60) == {"batchItemFailures": []}
        return next(mail["token"] or "" for mail in reversed(outbox.mails()) if mail["to"] == address)

    journey(api)
    live_with_accounts(People(api.send, link_to), api.sign_in(*ADMIN)[0])
    follow_changes(api.send, lambda: api.sign_in(*ADMIN)[0], pump.turn, clock)
    clean_up(
        api.send,
        lambda: api.sign_in(*ADMIN)[0],
        lambda: runtime.invoke("CleanupFunction", {"dryRun": False}, 300),
        clock,
    )
    runtime.close()
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
    api.guess("somebodys-key.and-no-secret")
    api.send(f'{{ credential(id: "{key["id"]}") {{ id }} credentials {{ id }} }}', admin)
    switch = f'updateCredential(id: "{key["id"]}", updateCredentialInput: {{isActive: false}})'
    api.send(f"mutation {{ {switch} {{ id }} }}", admin)
    api.send(f'mutation {{ deleteCredential(id: "{key["id"]}") {{ id }} }}', person)
    api.send("mutation { createCredential(createCredentialInput: {type: KEY_AUTH}) { id } }", person)
    use_credentials_of_every_type(api, person)
    api.send("mutation { logout }", person)
    api.send(
        '{ users { id } named: users(orderBy: {username: ASC}) { id } found: users(where: {search: "some"}) { id } }',
        admin,
    )
    made = 'createUser(createUserInput: {username: "robot", email: "robot@example.com", kind: SERVICE})'
    robot_id = api.send(f"mutation {{ {made} {{ id }} }}", admin)["createUser"]["id"]
    for change in ('firstName: "Ro"', 'email: "r@example.com", username: "robbie"', "role: ADMIN", "isActive: false"):
        api.send(f'mutation {{ updateUser(id: "{robot_id}", updateUserInput: {{{change}}}) {{ id }} }}', admin)
    for asked in ("", f'consumerId: "{person_id}"', f'actorId: "{person_id}"', "action: SIGNED_IN"):
        api.send(f"{{ auditEvents(where: {{{asked}}}) {{ nodes {{ id }} }} }}", admin)
    api.send("{ exportMyData }", admin)
    api.send('{ verifyAuditChain(from: "2026-01-31T12:00:00Z") { ok } }', admin)
    for user_id in (robot_id, person_id):
        api.send(f'mutation {{ deleteUser(id: "{user_id}") {{ id }} }}', admin)


def use_credentials_of_every_type(api: Client, person: tuple[str, str]) -> None:
    """Makes one of each, rotates it, and comes with what it told then."""
    for kind in ("KEY_AUTH", "BASIC_AUTH", "JWT", "OAUTH2"):
        new = f"createCredential(createCredentialInput: {{type: {kind}}})"
        made = api.send(f"mutation {{ {new} {{ id keyId }} }}", person)["createCredential"]
        rotate = f'rotateCredential(id: "{made["id"]}")'
        secret = api.send(f"mutation {{ {rotate} {{ secret }} }}", person)["rotateCredential"]["secret"]
        pair = b64encode(f"{made['keyId']}:{secret}".encode()).decode()
        if kind == "OAUTH2":
            client = {"client_id": made["keyId"], "client_secret": secret}
            tokens = [
                api.send_form("/oauth/token", grant_type="client_credentials", **client)["access_token"]
                for _ in range(2)
            ]
            assert api.send_form("/oauth/introspect", token=tokens[0], **client)["active"]
            api.send_form("/oauth/revoke", token=tokens[0], **client)
            secret = tokens[1]
        credentials = {"KEY_AUTH": ("X-API-Key", secret), "BASIC_AUTH": ("Authorization", f"Basic {pair}")}
        api.send("{ me { id } }", credentials.get(kind, ("Authorization", f"Bearer {secret}")))


if __name__ == "__main__":
    main()
