"""Processor time of a warm, signed-in `me`, without the store's: authorizer and GraphQL handler together.

The stores are replaced by objects in memory; everything else is what runs in Lambda. The promise is at most 1.0 ms.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from gatehouse import wiring
from gatehouse.accounts.model import Origin, Session
from gatehouse.accounts.refresh import start_session
from gatehouse.admission.meters import Count, Meter
from gatehouse.admission.model import Entry, Gate
from gatehouse.clock import SystemClock
from gatehouse.configuration.model import Overrides, effective
from gatehouse.consumers.model import Role, Standing, User
from gatehouse.ids import new_id
from gatehouse.settings import Settings
from gatehouse.wiring import configured
from local.gateway.environment import load_template
from local.gateway.runtime import load_handlers

ROUNDS = 3_000


@dataclasses.dataclass(frozen=True)
class OnePerson:
    """A store that knows one person, signed in, whose gate is always as it was taken to be."""

    user: User
    session: Session

    def find_user(self, _user_id: str) -> User:
        return self.user

    def find_gate_and_session(self, _user_id: str, _session_id: str) -> tuple[Gate, Session]:
        return self._gate({}), self.session

    def enter(self, _consumer_id: str, _epoch: int | None, entry: Entry) -> Gate:
        return self._gate({step.limit.meter: Count(step.ends, step.cost) for step in entry.steps})

    def _gate(self, counts: Mapping[Meter, Count]) -> Gate:
        standing = Standing(consumer_id=self.user.id, is_active=True, role=Role.USER, epoch=0, generation=0)
        return Gate(standing=standing, counts=counts)


def main() -> None:
    """Prints milliseconds of processor time a request, and each part's share."""
    os.environ.update(
        {
            "TABLE_NAME": "table",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "JWT_SECRET": "only for this measurement, 32 bytes",
            "SCHEMA_DIRECTORY": str(Path(__file__).parents[1] / "schema"),
            "LOG_LEVEL": "INFO",
            "POWERTOOLS_SERVICE_NAME": "gatehouse",
        }
    )
    token = _install()
    handlers = load_handlers(load_template({}))  # loaded only now, because they take the graph that was installed
    authorizer, graphql_api = handlers["AuthorizerFunction"], handlers["GraphqlApiFunction"]
    event = _event(token)
    answer = authorizer(event, None)
    admitted = {**event, "requestContext": {**event["requestContext"], "authorizer": answer["context"]}}
    parts = {
        "authorizer": _milliseconds(lambda: authorizer(event, None)),
        "graphql_api": _milliseconds(lambda: graphql_api(admitted, None)),
    }
    for name, spent in parts.items():
        print(f"{name:14} {spent:6.3f} ms")
    print(f"{'together':14} {sum(parts.values()):6.3f} ms of processor time a request")


def _install() -> str:
    graph = wiring.build(Settings.from_environment(), SystemClock())
    now = graph.clock.now()
    user = User(id=new_id(now), username="someone", email="someone@example.com", created_at=now, updated_at=now)
    session, _token = start_session(
        user.id, generation=0, origin=Origin("192.0.2.1", "a program"), now=now, lifetime=timedelta(days=1)
    )
    store: Any = OnePerson(user, session)
    nothing_set = effective(configured.deployed(graph.settings), Overrides())
    graph.remembered_configuration.read = lambda: nothing_set
    admission = dataclasses.replace(
        graph.admission,
        lookup=dataclasses.replace(graph.admission.lookup, store=store),
        counter=dataclasses.replace(graph.admission.counter, store=store),
    )
    consumers = dataclasses.replace(graph.consumers, store=store)
    vars(graph).update(consumers=consumers, admission=admission)
    wiring.install(graph)
    return graph.people.accounts.sign_ins.tokens.issue(user.id, session.id, now)


def _event(token: str) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}", "Accept": "*/*"}
    return {
        "resource": "/graphql",
        "path": "/graphql",
        "httpMethod": "POST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:api/dev/POST/graphql",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"requestId": "r", "identity": {"sourceIp": "192.0.2.1"}},
        "body": '{"query": "{ me { id username email role } }"}',
        "isBase64Encoded": False,
    }


def _milliseconds(call: Callable[[], Any]) -> float:
    logged = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # the functions log a line a request, which is part of the work, but not of the figures
    try:
        for _ in range(100):
            assert "errors" not in str(call())
        started = time.process_time()
        for _ in range(ROUNDS):
            call()
        return (time.process_time() - started) / ROUNDS * 1000
    finally:
        os.dup2(logged, 1)
        os.close(silence)
        os.close(logged)


if __name__ == "__main__":
    main()
