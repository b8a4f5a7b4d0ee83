"""What a caller may not do is answered, and kept for an auditor: once a request, and not what is nobody's."""

from dataclasses import replace

import pytest

from gatehouse.audit.model import Actor, AuditAction, Outcome
from gatehouse.consumers.model import Role, User
from gatehouse.errors import ServiceUnavailable
from gatehouse.permissions import Caller
from tests.unit.events import an_expected, by, personal
from tests.unit.fakes import START, MemoryStore, a_user, signed_in
from tests.unit.graphql_api.conftest import REQUEST_ID, Api
from tests.unit.people import a_program

DELETE = "mutation ($id: ID!) { deleteUser(id: $id) { id } }"
USERS = "{ users { edges { node { id } } } }"


@pytest.fixture
def john(store: MemoryStore) -> User:
    return store.add(a_user("john"))


@pytest.fixture
def other(store: MemoryStore) -> User:
    return store.add(a_user("root", role=Role.ADMIN))


def _by(caller: Caller) -> Actor:
    """The caller, from where the door is told that they are."""
    return replace(by(caller), address=personal("203.0.113.7"))


def test_a_call_that_is_forbidden_is_kept_with_who_asked_for_what(
    api: Api, store: MemoryStore, john: User, other: User
) -> None:
    caller = signed_in(john)

    answer = api.ask(DELETE, {"id": other.id}, caller)

    assert answer.codes == ["FORBIDDEN"]
    assert store.events.told() == [
        an_expected(
            AuditAction.FORBIDDEN,
            at=START,
            outcome=Outcome.REFUSED,
            actor=_by(caller),
            subject_id=john.id,
            after={"fields": ("deleteUser",), "reason": answer.errors[0]["extensions"].get("reason")},
            correlation_id=REQUEST_ID,
        )
    ]


def test_several_fields_of_one_request_are_one_event(api: Api, store: MemoryStore, john: User, other: User) -> None:
    both = "mutation ($id: ID!) { a: deleteUser(id: $id) { id } b: unlockUser(id: $id) { id } }"

    assert api.ask(both, {"id": other.id}, signed_in(john)).codes == ["FORBIDDEN"] * 2
    [event] = store.events
    assert event.after["fields"] == ("deleteUser", "unlockUser")


def test_a_program_that_lacks_a_scope_is_kept_with_the_reason(api: Api, store: MemoryStore, john: User) -> None:
    program = a_program(john, None, "usage:read")

    assert api.ask("{ me { id } }", None, program).codes == ["FORBIDDEN"]
    [event] = store.events
    assert (event.actor.credential_id, event.after["reason"]) == (program.credential_id, "SCOPE")


@pytest.mark.parametrize(
    ("query", "code"),
    [("{ me { id } }", None), ('{ user(id: "nobody") { id } }', "NOT_FOUND"), ("{ nothing }", "BAD_REQUEST")],
)
def test_what_is_not_forbidden_is_not_kept(
    api: Api, store: MemoryStore, john: User, query: str, code: str | None
) -> None:
    answer = api.ask(query, None, signed_in(john))

    assert (answer.codes if code else answer.body.get("errors")) == ([code] if code else None)
    assert store.events == []


def test_who_is_nobody_is_not_kept(api: Api, store: MemoryStore, other: User) -> None:
    assert api.ask(DELETE, {"id": other.id}).codes == ["UNAUTHENTICATED"]
    assert store.events == []


def test_where_it_cannot_be_kept_the_answer_is_the_same_and_the_log_tells_so(
    api: Api,
    store: MemoryStore,
    john: User,
    other: User,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def down(_tally: object) -> None:
        raise ServiceUnavailable("The store is busy. Try again.")

    before = api.ask(DELETE, {"id": other.id}, signed_in(john))
    monkeypatch.setattr(store.audit, "count_refusal", down)
    answer = api.ask(DELETE, {"id": other.id}, signed_in(john))

    assert (answer.status, answer.text) == (before.status, before.text)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["a refusal was not kept"]
