"""The rules of emails and usernames, and when two of them are the same."""

import pytest

from gatehouse.consumers import fields
from gatehouse.errors import BadRequest


@pytest.mark.parametrize(
    "value",
    [
        "a@b.co",
        "john@example.com",
        "John.Doe+tag@Sub.Example.COM",
        "o'neil@example.com",
        f"{'x' * 64}@example.com",
        f"a@{'b' * 63}.com",
        "a@1.2",
        "_@xn--bcher-kva.example",
    ],
)
def test_an_address_that_browsers_accept_is_kept_as_it_was_written(value: str) -> None:
    assert fields.email(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a",
        "a@",
        "@b.co",
        "a@b",
        "a@b.",
        "a@.co",
        "a@-b.co",
        "a@b-.co",
        "a@b..co",
        "a b@c.de",
        "a@@b.co",
        "a@b.co ",
        " a@b.co",
        "a@b.co\n",
        "a@b_c.de",
        "ä@b.co",
        "a@ä.co",
        "<a@b.co>",
        f"{'x' * 65}@b.co",
        f"a@{'b' * 64}.com",
        "a@b.co\x00",
        "\ud800@b.co",
        "a@b.co,c@d.ef",
        "a@[127.0.0.1]",
        "x" * 1_000_000,
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_what_is_no_address_is_refused_by_name_and_never_quoted(value: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        fields.email(value)

    assert refusal.value.field == "email"
    assert refusal.value.message in (
        "email must be an address such as name@example.com.",
        "email must not be empty.",
        "email has at most 254 characters.",
        "email has a character that cannot be printed.",
    )


def test_an_address_has_at_most_254_characters() -> None:
    longest = "a@" + ("b" * 61 + ".") * 4 + "c" * 4
    assert len(longest) == 254
    assert fields.email(longest) == longest
    with pytest.raises(BadRequest):
        fields.email(longest + "c")


@pytest.mark.parametrize("value", ["abc", "0ab", "John_Doe-2.0", "x" * 32])
def test_a_username_has_3_to_32_plain_characters(value: str) -> None:
    assert fields.username(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ab",
        "x" * 33,
        "_ab",
        "-ab",
        ".ab",
        "a b",
        "abc ",
        "abc\n",
        "abc\x00",
        "jöhn",
        "jоhn",
        "١٢٣",
        "a@b",
        "\ud800bc",
    ],
    ids=ascii,
)
def test_another_username_is_refused_by_name(value: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        fields.username(value)

    assert refusal.value.field == "username"


def test_names_are_the_same_without_regard_to_case() -> None:
    assert fields.unique_form("John.DOE@Example.Com") == fields.unique_form("jOHN.doe@eXAMPLE.cOM")
