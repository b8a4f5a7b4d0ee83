"""Who sees which events, and what of them: contract §2, cell by cell."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehouse.audit.listing import EventQuery
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
from gatehouse.audit.trail import Trail, seen_by, value_of
from gatehouse.consumers.model import Role, User
from gatehouse.errors import BadRequest, Forbidden, GatehouseError, NotFound, TwoFactorRequired, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.audit.kept import MemoryEvents
from tests.unit.fakes import ROLES, START, MemoryStore, a_user, signed_in

SALT = b"s" * 32
PEOPLE = ("user", "other", "moderator", "colleague", "admin", "root", "gone")
ERRORS: dict[str, type[GatehouseError]] = {"B": BadRequest, "N": NotFound, "F": Forbidden}

# Each cell: whose events are told where that one is named; `all`, or B = BAD_REQUEST, N = NOT_FOUND, F = FORBIDDEN.
ABOUT = """
consumerId   nobody  self       other  colleague  root  gone  stranger  no-id
user         user    user       N      N          N     N     N         N
moderator    B       moderator  other  F          F     N     N         N
admin        all     admin      other  colleague  root  gone  none      N
"""
BY = """
actorId      self       other  colleague  root  gone  stranger  no-id
user         user       N      N          N     N     N         N
moderator    moderator  F      F          F     N     N         N
admin        admin      other  colleague  root  gone  none      N
"""


class Town:
    """Two of each role and somebody who is gone: of each of them an event by themselves, and one by an ADMIN."""

    def __init__(self, store: MemoryStore) -> None:
        self.events = MemoryEvents()
        self.trail = Trail(self.events, store)
        self.people: dict[str, User] = {}
        for name, role in zip(PEOPLE, (*(role for role in ROLES for _ in "12"), Role.USER), strict=True):
            self.people[name] = store.add(a_user(name, role=role))
        self.said: dict[str, str] = {}
        for number, name in enumerate(PEOPLE):
            self.keep(f"{name} by {name}", number, name, name)
            if name != "root":
                self.keep(f"{name} by root", number + 100, name, "root")
        self.keep("nobody by root", 200, None, "root")
        self.keep("user by moderator", 201, "user", "moderator")
        del store.users[self.people["gone"].id]

    def keep(self, said: str, second: int, about: str | None, by: str) -> None:
        at, actor = START + timedelta(seconds=second), self.people[by]
        event = AuditEvent(
            id=new_id(at),
            at=at,
            action=AuditAction.USER_UPDATED,
            actor=Actor(kind=ActorKind.PERSON, consumer_id=actor.id, role=actor.role),
            subject_id=None if about is None else self.people[about].id,
        )
        self.said[event.id] = said
        self.events.keep_event(event)

    def caller(self, name: str) -> Caller:
        return signed_in(self.people[name])

    def id_of(self, name: str, caller: str) -> str | None:
        """The id that stands for the name in a query of the caller."""
        known = {"nobody": None, "self": self.people[caller].id, "stranger": new_id(START), "no-id": "no id"}
        return known[name] if name in known else self.people[name].id

    def told(self, caller: Caller, query: EventQuery, first: int = 100) -> list[str]:
        """What the caller is told, page by page."""
        found: list[str] = []
        after = None
        while True:
            page = self.trail.page(caller, query, first, after)
            found += [self.said[event.id] for _, event in page.entries]
            after = page.next_position
            if after is None:
                return found

    def expected(self, cell: str, side: int) -> list[str]:
        return [said for said in reversed(self.said.values()) if cell == "all" or said.split(" by ")[side] == cell]


@pytest.fixture
def town(store: MemoryStore) -> Town:
    return Town(store)


def cells(table: str) -> list[tuple[str, str, str]]:
    (_, *named), *rows = (line.split() for line in table.strip().splitlines())
    return [(caller, name, cell) for caller, *told in rows for name, cell in zip(named, told, strict=True)]


@pytest.mark.parametrize(("caller", "named", "cell"), cells(ABOUT))
def test_events_about_somebody_are_told_to_whom_the_contract_says(
    town: Town, caller: str, named: str, cell: str
) -> None:
    query = EventQuery(subject_id=town.id_of(named, caller))
    if cell in ERRORS:
        with pytest.raises(ERRORS[cell]):
            town.told(town.caller(caller), query)
    else:
        assert sorted(town.told(town.caller(caller), query)) == sorted(town.expected(cell, 0))


@pytest.mark.parametrize(("caller", "named", "cell"), cells(BY))
def test_what_somebody_did_is_told_to_whom_the_contract_says(town: Town, caller: str, named: str, cell: str) -> None:
    query = EventQuery(actor_id=town.id_of(named, caller))
    if cell in ERRORS:
        with pytest.raises(ERRORS[cell]):
            town.told(town.caller(caller), query)
    else:
        told = town.expected(cell, 1)
        assert sorted(town.told(town.caller(caller), query)) == sorted(told)
    for about in ("self", "other"):  # nobody finds out who acted by asking for it
        narrowed = replace(query, subject_id=town.id_of(about, caller))
        if cell in ERRORS:
            with pytest.raises(ERRORS[cell]):
                town.told(town.caller(caller), narrowed)


def test_a_user_is_told_of_what_they_did_only_what_is_about_themself(town: Town, store: MemoryStore) -> None:
    town.keep("other by user", 300, "other", "user")
    assert town.told(town.caller("user"), EventQuery(actor_id=town.people["user"].id)) == ["user by user"]


def test_filters_narrow_what_is_told(town: Town) -> None:
    user, moderator = town.people["user"].id, town.caller("moderator")
    about = EventQuery(subject_id=user)
    assert town.told(moderator, about) == ["user by moderator", "user by root", "user by user"]
    assert town.told(moderator, replace(about, actor_id=moderator.consumer_id)) == ["user by moderator"]
    assert town.told(moderator, replace(about, after=START + timedelta(seconds=101))) == ["user by moderator"]
    assert town.told(moderator, replace(about, before=START + timedelta(seconds=100))) == ["user by user"]
    assert town.told(moderator, replace(about, outcome=Outcome.REFUSED)) == []
    assert town.told(moderator, replace(about, action=AuditAction.SIGNED_IN)) == []


@pytest.mark.parametrize("first", [1, 2, 5, 100])
def test_pages_tell_each_event_once_and_in_order(town: Town, first: int) -> None:
    told = town.told(town.caller("admin"), EventQuery(), first)
    assert len(told) == len(set(told)) == len(town.said)
    newest = sorted(town.events.events.values(), key=lambda event: event.id, reverse=True)
    assert told == [town.said[event.id] for event in newest]


def test_an_id_in_capitals_is_the_same_id(town: Town) -> None:
    shouted = EventQuery(subject_id=town.people["other"].id.upper())
    assert sorted(town.told(town.caller("moderator"), shouted)) == ["other by other", "other by root"]


def test_nobody_is_told_without_the_right_to_it(town: Town) -> None:
    with pytest.raises(Unauthenticated):
        town.told(ANONYMOUS, EventQuery())
    program = replace(town.caller("admin"), session_id=None, credential_id=new_id(START))
    for scopes in (frozenset[str](), frozenset({"users:read"})):
        with pytest.raises(Forbidden):
            town.told(replace(program, scopes=scopes), EventQuery())
    for allowed in (None, frozenset({"audit:read"})):
        assert len(town.told(replace(program, scopes=allowed), EventQuery())) == len(town.said)


def test_an_admin_who_lacks_a_second_factor_is_told_so(town: Town) -> None:
    admin = replace(town.caller("admin"), role=Role.USER, lacks_factor=True)
    for query in (EventQuery(subject_id=town.people["other"].id), EventQuery(actor_id=town.people["other"].id)):
        with pytest.raises(TwoFactorRequired):
            town.told(admin, query)
    assert sorted(town.told(admin, EventQuery())) == ["admin by admin", "admin by root"]


ACTOR, SUBJECT = a_user("actor", role=Role.MODERATOR), a_user("subject")
FULL = AuditEvent(
    id=new_id(START),
    at=START,
    action=AuditAction.SESSION_REVOKED,
    actor=Actor(
        kind=ActorKind.PROGRAM,
        consumer_id=ACTOR.id,
        role=Role.MODERATOR,
        session_id="s",
        credential_id="k",
        address=Personal("192.0.2.1", SALT),
    ),
    subject_id=SUBJECT.id,
    target=Target(TargetType.SESSION, "t"),
    before={"email": Personal("a@example.com", SALT), "device": Personal("Firefox on Windows", SALT)},
    after={"email": Erased("f" * 64), "device": None, "scopes": ("users:read",)},
    correlation_id="c",
)
NAMELESS = replace(
    FULL,
    actor=Actor(kind=ActorKind.PROGRAM, role=Role.MODERATOR),
    before={**FULL.before, "device": None},
)


@pytest.mark.parametrize(
    ("caller", "seen"),
    [
        (signed_in(a_user("root", role=Role.ADMIN)), FULL),
        (signed_in(ACTOR), FULL),
        (signed_in(replace(ACTOR, role=Role.USER)), FULL),
        (Caller(consumer_id=ACTOR.id, credential_id="k"), FULL),
        (signed_in(SUBJECT), NAMELESS),
        (signed_in(a_user("mod", role=Role.MODERATOR)), replace(NAMELESS, target=None)),
    ],
    ids=["an ADMIN", "the actor", "the actor, demoted", "the actor's program", "the subject", "a MODERATOR"],
)
def test_who_acted_and_from_where_is_for_admins_and_the_actor(caller: Caller, seen: AuditEvent) -> None:
    assert seen_by(caller, FULL) == seen


def test_a_session_of_ones_own_is_told_whoever_ended_it_and_other_targets_to_all() -> None:
    moderator = signed_in(a_user("mod", role=Role.MODERATOR))
    target = Target(TargetType.CREDENTIAL, "k")
    assert seen_by(moderator, replace(FULL, target=target)).target == target
    assert seen_by(moderator, replace(FULL, target=None)).target is None
    assert seen_by(signed_in(SUBJECT), FULL).target == FULL.target


def test_a_stranger_is_nobody_whom_anybody_is() -> None:
    stranger = replace(FULL, actor=Actor(kind=ActorKind.ANONYMOUS, address=Personal("192.0.2.9", SALT)))
    assert seen_by(signed_in(SUBJECT), stranger).actor == Actor(kind=ActorKind.ANONYMOUS)


def test_a_value_is_told_as_it_is_and_nothing_of_one_that_was_erased() -> None:
    told = (Personal("a", SALT), Personal(("a", 1), SALT), Erased("f"), None, True, 7, ("x", None))
    assert [value_of(value) for value in told] == ["a", ("a", 1), None, None, True, 7, ("x", None)]
