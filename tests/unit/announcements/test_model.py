"""Announcements: what an event says, by which id it is told again, and that the page of schemas says the same."""

import json
import re
from dataclasses import fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator

from gatehouse.announcements import model
from gatehouse.announcements.model import KINDS, Announcement, CredentialExpiring, QuotaNearlySpent, RoleChanged
from gatehouse.consumers.model import Role
from gatehouse.text import camel_case

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
CAUSE = "019ca945-0a00-77b4-a986-555aa325854b"
CONSUMER = "019ca945-0a01-7aaa-8aaa-aaaaaaaaaaaa"
PAGE = Path(__file__).parents[3] / "docs" / "events.md"
IDS = frozenset({"consumer_id", "credential_id", "session_id", "plan_id"})

_SECTION = re.compile(r"^### (\w+)\n(.*?)```json\n(.*?)```", re.MULTILINE | re.DOTALL)
SECTIONS = _SECTION.findall(PAGE.read_text(encoding="utf-8"))
SCHEMAS: dict[str, dict[str, Any]] = {name: json.loads(schema) for name, _, schema in SECTIONS}


def samples(kind: type[Announcement]) -> list[Announcement]:
    """One with everything, and one with nothing that may be missing."""
    hints = get_type_hints(kind)
    full = kind(**{field.name: _sample(field.name, hints[field.name]) for field in fields(kind)})
    missing: dict[str, Any] = {name: None for name, hint in hints.items() if NoneType in get_args(hint)}
    return [full, replace(full, **missing)]


def _sample(name: str, hint: Any) -> Any:
    bare = next(iter(get_args(hint)), hint)
    if bare is datetime:
        return AT
    if bare is int:
        return 80
    if issubclass(bare, StrEnum):
        return next(iter(bare))
    return CAUSE if name == "cause" else CONSUMER


def schema_of(kind: type[Announcement]) -> dict[str, Any]:
    """The schema that the fields of a kind make."""
    told = {field.name: get_type_hints(kind)[field.name] for field in fields(kind) if field.name != "cause"}
    properties = {"id": {"type": "string", "format": "uuid"}, "version": {"const": model.VERSION}} | {
        camel_case(name): _type(name, hint) for name, hint in told.items()
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _type(name: str, hint: Any) -> dict[str, Any]:
    if isinstance(hint, UnionType):
        [bare] = [part for part in get_args(hint) if part is not NoneType]
        return {**_type(name, bare), "type": [_type(name, bare)["type"], "null"]}
    if hint is datetime:
        return {"type": "string", "format": "date-time"}
    if hint is int:
        return {"type": "integer"}
    if issubclass(hint, StrEnum):
        return {"type": "string", "enum": [str(member) for member in hint]}
    return {"type": "string", "format": "uuid"} if name in IDS else {"type": "string"}


def test_an_event_says_what_happened_when_and_to_whom_by_ids() -> None:
    expiring = CredentialExpiring(
        cause=CAUSE, consumer_id=CONSUMER, at=AT, correlation_id="r-1", credential_id="k", expires_at=AT
    )

    assert expiring.kind == "CredentialExpiring"
    assert expiring.detail() == {
        "id": expiring.id,
        "version": 1,
        "consumerId": CONSUMER,
        "at": "2026-03-01T12:00:00.250Z",
        "correlationId": "r-1",
        "credentialId": "k",
        "expiresAt": "2026-03-01T12:00:00.250Z",
    }


def test_the_same_change_announced_again_has_the_same_id_and_any_other_another() -> None:
    known = RoleChanged(cause=CAUSE, consumer_id=CONSUMER, at=AT, before=Role.USER, after=Role.ADMIN)

    assert replace(known).id == known.id == "ea994f46-e82d-5bcc-b1a2-6130b230e58d"
    assert len({known.id, replace(known, cause="other").id, *(samples(kind)[0].id for kind in KINDS)}) == len(KINDS) + 1


def test_every_kind_is_listed() -> None:
    made = {value for value in vars(model).values() if isinstance(value, type) and issubclass(value, Announcement)}

    assert set(KINDS) == made - {Announcement}


def test_the_page_has_a_schema_for_each_kind_and_no_other() -> None:
    assert list(SCHEMAS) == [kind.__name__ for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_on_the_page_is_what_is_made(kind: type[Announcement]) -> None:
    schema = SCHEMAS[kind.__name__]

    assert schema == schema_of(kind)
    Draft202012Validator.check_schema(schema)
    for sample in samples(kind):
        told = json.loads(json.dumps(sample.detail()))
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(told)
        assert list(told) == list(schema["properties"])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_told_but_ids_words_numbers_and_moments(kind: type[Announcement]) -> None:
    free = {
        name
        for name, told in schema_of(kind)["properties"].items()
        if "string" in told.get("type", ()) and not told.keys() & {"format", "enum"}
    }

    assert free == {"correlationId"}


def test_a_quota_is_announced_with_what_is_used_and_when_it_begins_anew() -> None:
    [full, _] = samples(QuotaNearlySpent)

    assert {name: full.detail()[name] for name in ("used", "limit", "resetsAt")} == {
        "used": 80,
        "limit": 80,
        "resetsAt": "2026-03-01T12:00:00.250Z",
    }
