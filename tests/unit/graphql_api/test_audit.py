"""The audit through the door: events listed page by page, and the chain verified."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.audit.findings import Part, Tampering
from gatehouse.audit.model import (
    Actor,
    ActorKind,
    AuditAction,
    AuditEvent,
    Erased,
    Outcome,
    Personal,
    Target,
    TargetType,
)
from gatehouse.consumers.model import Role, User
from gatehouse.ids import new_id
from gatehouse.permissions import Caller
from tests.unit.audit.logs import MemoryLog, a_log, an_event
from tests.unit.fakes import START, MemoryStore, StoppedClock, a_user, signed_in
from tests.unit.graphql_api.conftest import Answer, Api

SALT = b"s" * 32
EVENT = """id createdAt action outcome actor { kind role id address sessionId credentialId }
    subjectId target { type id } before after correlationId"""
LIST = f"""query($where: AuditEventWhere, $first: Int, $after: String) {{
    auditEvents(where: $where, first: $first, after: $after) {{
        edges {{ cursor node {{ {EVENT} }} }} nodes {{ id }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
VERIFY = """query($from: DateTime, $to: DateTime, $on: Int) {
    verifyAuditChain(from: $from, to: $to, continueFrom: $on) {
        ok firstSeal lastSeal complete continueFrom waiting
        findings { tampering part seal eventId otherSeal } } }"""


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


@pytest.fixture
def user(store: MemoryStore) -> User:
    return store.add(a_user("john"))


def keep(store: MemoryStore, second: int, user: User, by: Caller, **changes: Any) -> AuditEvent:
    at = START + timedelta(seconds=second)
    event = AuditEvent(
        id=new_id(at),
        at=at,
        action=AuditAction.USER_UPDATED,
        actor=Actor(
            kind=ActorKind.PERSON,
            consumer_id=by.consumer_id,
            role=by.role,
            session_id=by.session_id,
            address=Personal("192.0.2.1", SALT),
        ),
        subject_id=user.id,
        before={"username": Personal("jane", SALT), "isActive": True},
        after={"username": Erased("f" * 64), "isActive": False, "scopes": ("users:read", "users:write"), "role": None},
        correlation_id="c",
    )
    event = replace(event, **changes)
    store.audit.keep_event(event)
    return event


def ask(api: Api, caller: Caller, **variables: Any) -> Answer:
    return api.ask(LIST, variables, caller)


def nodes(answer: Answer) -> list[dict[str, Any]]:
    return [edge["node"] for edge in answer.data["auditEvents"]["edges"]]


def test_an_event_is_told_whole_to_an_admin_and_without_the_actor_to_others(
    api: Api, store: MemoryStore, admin: Caller, user: User
) -> None:
    event = keep(store, 1, user, admin, target=Target(TargetType.CREDENTIAL, "k"))
    actor = {"kind": "PERSON", "role": "ADMIN"}
    told = {
        "id": event.id,
        "createdAt": "2026-03-01T12:00:01.000Z",
        "action": "USER_UPDATED",
        "outcome": "SUCCESS",
        "actor": {
            **actor,
            "id": admin.consumer_id,
            "address": "192.0.2.1",
            "sessionId": admin.session_id,
            "credentialId": None,
        },
        "subjectId": user.id,
        "target": {"type": "CREDENTIAL", "id": "k"},
        "before": {"username": "jane", "isActive": True},
        "after": {"username": None, "isActive": False, "scopes": ["users:read", "users:write"], "role": None},
        "correlationId": "c",
    }
    assert nodes(ask(api, admin)) == [told]
    nameless = {**actor, "id": None, "address": None, "sessionId": None, "credentialId": None}
    assert nodes(ask(api, signed_in(user))) == [{**told, "actor": nameless}]


def test_what_is_nobodys_and_of_nothing_is_told_as_null(api: Api, store: MemoryStore, admin: Caller) -> None:
    event = AuditEvent(id=new_id(START), at=START, action=AuditAction.CLEANUP_DONE, actor=Actor(kind=ActorKind.SYSTEM))
    store.audit.keep_event(event)
    [told] = nodes(ask(api, admin))
    assert (told["subjectId"], told["target"], told["before"], told["after"]) == (None, None, {}, {})
    assert told["actor"] == dict.fromkeys(told["actor"]) | {"kind": "SYSTEM"}


@pytest.mark.parametrize("first", [1, 2, 3, 7, 100])
def test_pages_tell_every_event_once(api: Api, store: MemoryStore, admin: Caller, user: User, first: int) -> None:
    kept = [keep(store, second, user, admin).id for second in range(7)]
    told: list[str] = []
    after = None
    for _ in range(8):
        page = ask(api, admin, first=first, after=after).data["auditEvents"]
        told += [edge["node"]["id"] for edge in page["edges"]]
        assert [node["id"] for node in page["nodes"]] == [edge["node"]["id"] for edge in page["edges"]]
        assert page["pageInfo"] == {
            "hasNextPage": len(told) < len(kept),
            "hasPreviousPage": after is not None,
            "startCursor": page["edges"][0]["cursor"],
            "endCursor": page["edges"][-1]["cursor"],
        }
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert told == kept[::-1]


def test_filters_go_together_and_times_shut_themselves_out(
    api: Api, store: MemoryStore, admin: Caller, user: User
) -> None:
    other = store.add(a_user("other"))
    first = keep(store, 1, user, admin)
    second = keep(store, 2, user, signed_in(user), outcome=Outcome.REFUSED)
    third = keep(store, 3, other, admin, action=AuditAction.USER_DELETED)

    def told(**where: Any) -> list[str]:
        return [node["id"] for node in nodes(ask(api, admin, where=where))]

    assert told() == [third.id, second.id, first.id]
    assert told(consumerId=user.id) == [second.id, first.id]
    assert told(consumerId=user.id, actorId=user.id) == [second.id]
    assert told(actorId=admin.consumer_id) == [third.id, first.id]
    assert told(action="USER_DELETED") == [third.id]
    assert told(outcome="REFUSED", action="USER_UPDATED") == [second.id]
    assert told(createdAfter="2026-03-01T12:00:01.000Z") == [third.id, second.id]
    assert told(createdBefore="2026-03-01T12:00:03.000Z") == [second.id, first.id]
    assert told(createdAfter="2026-03-01T12:00:01.000Z", createdBefore="2026-03-01T12:00:03Z") == [second.id]
    assert told(createdAfter="9999-12-31T23:59:59.999Z") == told(createdBefore="0001-01-01T00:00:00Z") == []
    assert told(consumerId=None, action=None, outcome=None, createdAfter=None) == told()


@pytest.mark.parametrize(
    ("role", "where", "refusal"),
    [
        (Role.USER, {"consumerId": "other"}, ("NOT_FOUND", None)),
        (Role.USER, {"actorId": "other"}, ("NOT_FOUND", None)),
        (Role.MODERATOR, {}, ("BAD_REQUEST", "consumerId")),
        (Role.MODERATOR, {"actorId": "other"}, ("FORBIDDEN", "actorId")),
        (Role.MODERATOR, {"consumerId": "root"}, ("FORBIDDEN", None)),
        (Role.MODERATOR, {"consumerId": "x"}, ("NOT_FOUND", None)),
        (Role.ADMIN, {"consumerId": "x"}, ("NOT_FOUND", None)),
        (Role.ADMIN, {"action": "SOMETHING"}, ("BAD_REQUEST", "action")),
        (Role.ADMIN, {"createdAfter": "yesterday"}, ("BAD_REQUEST", "createdAfter")),
    ],
)
def test_what_may_not_be_asked_is_refused(
    api: Api, store: MemoryStore, role: Role, where: dict[str, str], refusal: tuple[str, str | None]
) -> None:
    people = {name: store.add(a_user(name, role=kind)) for name, kind in (("other", Role.USER), ("root", Role.ADMIN))}
    known = {name: people[value].id if value in people else value for name, value in where.items()}
    answer = ask(api, signed_in(store.add(a_user("me", role=role))), where=known)
    assert (answer.codes, answer.errors[0]["extensions"].get("field")) == ([refusal[0]], refusal[1])


@pytest.mark.parametrize("first", [0, -1, 101])
def test_a_page_has_its_bounds(api: Api, admin: Caller, first: int) -> None:
    assert ask(api, admin, first=first).codes == ["BAD_REQUEST"]


def test_a_cursor_belongs_to_its_list(api: Api, store: MemoryStore, admin: Caller, user: User) -> None:
    for second in (1, 2):
        keep(store, second, user, admin)
    cursor = ask(api, admin, first=1).data["auditEvents"]["pageInfo"]["endCursor"]
    assert len(nodes(ask(api, admin, after=cursor))) == 1
    for where, after in (({"outcome": "SUCCESS"}, cursor), ({}, cursor[:-2] + "AA"), ({}, "x")):
        answer = ask(api, admin, where=where, after=after)
        assert (answer.codes, answer.errors[0]["extensions"]["field"]) == (["BAD_REQUEST"], "after")


def test_a_longest_page_of_everything_is_within_what_a_request_may_cost(api: Api, admin: Caller) -> None:
    assert ask(api, admin, first=100).data["auditEvents"]["edges"] == []
    assert ask(api, admin).data["auditEvents"]["edges"] == []


def test_a_chain_that_is_whole_is_verified(api: Api, chain: MemoryLog, admin: Caller) -> None:
    whole = {
        "ok": True,
        "firstSeal": None,
        "lastSeal": None,
        "complete": True,
        "continueFrom": None,
        "waiting": 0,
        "findings": [],
    }
    assert api.ask(VERIFY, {}, admin).data["verifyAuditChain"] == whole
    vars(chain).update(vars(a_log(7)))
    first = {**whole, "firstSeal": 1, "lastSeal": 5, "complete": False, "continueFrom": 6}
    assert api.ask(VERIFY, {}, admin).data["verifyAuditChain"] == first
    assert api.ask(VERIFY, {"on": 6}, admin).data["verifyAuditChain"] == {**whole, "firstSeal": 6, "lastSeal": 7}
    between = {"from": "2026-03-01T12:00:02Z", "to": "2026-03-01T12:00:03Z"}
    assert api.ask(VERIFY, between, admin).data["verifyAuditChain"] == {**whole, "firstSeal": 2, "lastSeal": 3}
    late = api.ask(VERIFY, {"from": "2026-03-02T12:00:02Z"}, admin).data["verifyAuditChain"]
    assert late == whole


def test_what_was_tampered_with_is_told_by_its_place(
    api: Api, chain: MemoryLog, clock: StoppedClock, admin: Caller
) -> None:
    vars(chain).update(vars(a_log(5)))
    seals = chain.kept_seals
    seals[1], seals[2] = seals[2], seals[1]
    chain.kept_events.pop(an_event(4).id)
    late = an_event(90_000)
    chain.write(late)
    clock.moment = late.at
    told = api.ask(VERIFY, {}, admin).data["verifyAuditChain"]
    nothing = {"seal": None, "eventId": None, "otherSeal": None}
    assert (told["ok"], told["waiting"], told["complete"]) == (False, 1, True)
    assert told["findings"] == [
        {**nothing, "tampering": "SWAPPED", "part": "SEAL", "seal": 1, "otherSeal": 2},
        {**nothing, "tampering": "DROPPED", "part": "EVENT", "seal": 4, "eventId": an_event(4).id},
    ]
    clock.advance(days=2)
    [*_, inserted] = api.ask(VERIFY, {}, admin).data["verifyAuditChain"]["findings"]
    assert inserted == {**nothing, "tampering": "INSERTED", "part": "EVENT", "eventId": late.id}


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ({"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "from"),
        ({"on": 0}, "continueFrom"),
        ({"on": 2**31}, "on"),
        ({"from": "monday"}, "from"),
    ],
)
def test_what_cannot_be_verified_is_refused(
    api: Api, chain: MemoryLog, admin: Caller, variables: dict[str, Any], field: str
) -> None:
    answer = api.ask(VERIFY, variables, admin)
    assert (answer.codes, answer.errors[0]["extensions"]["field"]) == (["BAD_REQUEST"], field)


def test_only_an_admin_verifies_and_once_in_a_request(api: Api, chain: MemoryLog, admin: Caller, user: User) -> None:
    for caller in (signed_in(user), signed_in(replace(user, role=Role.MODERATOR))):
        assert api.ask(VERIFY, {}, caller).codes == ["FORBIDDEN"]
    assert api.ask("{ a: verifyAuditChain { ok } b: verifyAuditChain { ok } }", caller=admin).codes == ["BAD_REQUEST"]


def test_every_part_and_every_tampering_has_its_word(api: Api, admin: Caller) -> None:
    query = """{ a: __type(name: "AuditPart") { enumValues { name } }
        b: __type(name: "AuditTampering") { enumValues { name } }
        c: __type(name: "AuditAction") { enumValues { name } } }"""
    told = api.ask(query, caller=admin).data
    names = {alias: [value["name"] for value in each["enumValues"]] for alias, each in told.items()}
    assert names == {"a": list(Part), "b": list(Tampering), "c": list(AuditAction)}
