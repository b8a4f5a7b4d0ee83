"""The part of the journey in `recorded_calls` that makes changes which something follows from, and follows them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import botocore.session

from gatehouse.settings import Settings
from local.gateway.clock import MovableClock

type Note = Callable[[str, str], None]
type Send = Callable[..., Any]


class RecordedControlPlane:
    """A control plane whose calls are noted as what IAM asks of them: HTTP's method, and where."""

    def __init__(self, plane: Any, note: Note) -> None:
        self._plane, self._note = plane, note
        client: Any = botocore.session.get_session().create_client("apigateway", "us-east-1")
        self._operations = client.meta.method_to_api_mapping
        self._model = client.meta.service_model

    def __getattr__(self, method: str) -> Any:
        http = self._model.operation_model(self._operations[method]).http
        where = re.sub(r"\{(?!usageplanId)\w+\}", "*", http["requestUri"]).replace("{usageplanId}", "{tier}")

        def call(**arguments: Any) -> Any:
            self._note(f"apigateway:{http['method']}", where)
            if "tags" in arguments:
                self._note("apigateway:PUT", "/tags/*")
            return getattr(self._plane, method)(**arguments)

        return call


class QueuedMails:
    """The queue of mails."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def put(self, mail_id: str) -> None:
        self._waiting.append(mail_id)

    def take(self) -> dict[str, list[dict[str, str]]]:
        """All that wait, as the event that the mail function gets."""
        taken, self._waiting = self._waiting, []
        return {"Records": [{"messageId": mail_id, "body": mail_id} for mail_id in taken]}


def follow_changes(
    send: Send, sign_in: Callable[[], tuple[str, str]], follow: Callable[[], None], clock: MovableClock
) -> None:
    """A consumer gets a credential, with it a key, then a plan, calls on two days, and goes; all of it is followed.

    Some of it is left when it goes, as where a deletion breaks off.
    """
    admin = sign_in()
    made = 'createUser(createUserInput: {username: "caller", email: "caller@example.com", kind: SERVICE})'
    user_id = send(f"mutation {{ {made} {{ id }} }}", admin)["createUser"]["id"]
    new = f'createCredential(createCredentialInput: {{type: KEY_AUTH, consumerId: "{user_id}"}})'
    key = ("X-API-Key", send(f"mutation {{ {new} {{ secret }} }}", admin)["createCredential"]["secret"])
    follow()
    send("{ me { id } }", key)
    plan = send('mutation { createUsagePlan(createUsagePlanInput: {name: "fast", rateLimit: 9000}) { id } }', admin)
    assigned = f'assignUsagePlan(userId: "{user_id}", planId: "{plan["createUsagePlan"]["id"]}")'
    send(f"mutation {{ {assigned} {{ id }} }}", admin)
    follow()
    clock.advance(timedelta(days=2))
    send("{ me { id } }", key)
    follow()
    send(f'mutation {{ deleteUser(id: "{user_id}") {{ id }} }}', sign_in())
    left = {"PK": {"S": f"C#{user_id}"}, "SK": {"S": "U#2020-01-01"}}
    table = Settings.from_environment().table_name
    botocore.session.get_session().create_client("dynamodb", "us-east-1").put_item(TableName=table, Item=left)
    follow()
