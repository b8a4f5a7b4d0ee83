"""What any text must be: printable, and as long as was asked for."""

import pytest

from gatehouse.errors import BadRequest
from gatehouse.text import clean_text


@pytest.mark.parametrize("value", ["x", "Zoë 🂡", "日本 語", "👩💻", "x" * 10])
def test_printable_text_stays_as_it_is(value: str) -> None:
    assert clean_text(value, "label", longest=10) == value


@pytest.mark.parametrize(
    "code", [*range(0x20), *range(0x7F, 0xA1), 0x2003, 0x2028, 0x202E, 0x2066, 0xFEFF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF]
)
def test_what_cannot_be_seen_is_refused_and_so_are_lone_surrogates(code: int) -> None:
    with pytest.raises(BadRequest) as refusal:
        clean_text(f"a{chr(code)}b", "label", longest=10)

    assert (refusal.value.message, refusal.value.field) == ("label has a character that cannot be printed.", "label")


@pytest.mark.parametrize(
    ("value", "shortest", "message"),
    [
        ("", 1, "label must not be empty."),
        ("   ", 1, "label must not be empty."),
        ("ab", 3, "label has at least 3 characters."),
        ("    ", 3, "label has at least 3 characters."),
        ("x" * 11, 1, "label has at most 10 characters."),
        ("\x00" * 11, 1, "label has at most 10 characters."),
    ],
)
def test_a_text_of_another_length_is_told_which_is_asked_for(value: str, shortest: int, message: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        clean_text(value, "label", longest=10, shortest=shortest)

    assert (refusal.value.message, refusal.value.field) == (message, "label")


def test_an_empty_text_is_fine_where_it_may_be_empty() -> None:
    assert clean_text("", "label", longest=10, shortest=0) == ""
