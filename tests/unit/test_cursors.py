"""Cursors: signed, and good only for the list they were made for."""

import base64

import pytest

from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import Role
from gatehouse.credentials.model import CredentialQuery
from gatehouse.cursors import Cursors
from gatehouse.errors import BadRequest

OLD, NEW = b"the-older-key-that-signs-cursors", b"the-newer-key-that-signs-cursors"
CURSORS = Cursors(lambda: (NEW, OLD))
QUERY = UserQuery(role=Role.USER)
POSITION = "C#0195fff0-0000-7000-8000-000000000001"


def _refused(cursor: str, query: object = QUERY, cursors: Cursors = CURSORS) -> None:
    with pytest.raises(BadRequest) as refusal:
        cursors.open(cursor, query)
    assert (refusal.value.message, refusal.value.field) == ("after is no cursor of this list.", "after")


@pytest.mark.parametrize("position", ["", "x", POSITION, "jöhn@example.com", "N#" + "x" * 300, "\U0010ffff"])
def test_a_cursor_opens_to_the_position_it_was_made_from(position: str) -> None:
    assert CURSORS.open(CURSORS.seal(position, QUERY), QUERY) == position


def test_a_cursor_can_stand_in_an_address_unescaped() -> None:
    assert all(c.isascii() and (c.isalnum() or c in "-_") for p in "abcdefgh" for c in CURSORS.seal(p * 50, QUERY))


@pytest.mark.parametrize(
    "other",
    [
        UserQuery(),
        UserQuery(role=Role.ADMIN),
        UserQuery(role=Role.USER, is_active=True),
        UserQuery(role=Role.USER, order=Order.USERNAME),
        UserQuery(role=Role.USER, order=Order.CREATED_AT, descending=False),
        UserQuery(role=Role.USER, search="a"),
        CredentialQuery(),
    ],
    ids=str,
)
def test_a_cursor_of_another_list_is_refused(other: object) -> None:
    _refused(CURSORS.seal(POSITION, other))
    _refused(CURSORS.seal(POSITION, QUERY), other)


def test_every_changed_byte_is_refused() -> None:
    raw = base64.urlsafe_b64decode(CURSORS.seal(POSITION, QUERY) + "==")
    for place in range(len(raw)):
        changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(raw))
        _refused(base64.urlsafe_b64encode(changed).decode().rstrip("="))
    for shorter in range(len(raw)):
        _refused(base64.urlsafe_b64encode(raw[:shorter]).decode().rstrip("="))


@pytest.mark.parametrize(
    "cursor",
    ["", "A", "====", "not a cursor", POSITION, "\x00", "\ud800", "ключ", "A" * 100_000],
    ids=lambda c: ascii(c)[:20],
)
def test_what_was_never_a_cursor_is_refused(cursor: str) -> None:
    _refused(cursor)


def test_the_first_key_seals_and_an_older_one_still_opens_what_it_sealed() -> None:
    before = Cursors(lambda: (OLD,))
    after = Cursors(lambda: (NEW,))

    assert CURSORS.open(before.seal(POSITION, QUERY), QUERY) == POSITION
    assert after.open(CURSORS.seal(POSITION, QUERY), QUERY) == POSITION
    _refused(CURSORS.seal(POSITION, QUERY), cursors=before)
    _refused(before.seal(POSITION, QUERY), cursors=after)
