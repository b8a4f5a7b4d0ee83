"""API keys: a form that scanners find, a checksum that mistyping breaks, and hashes by where the secret came from."""

import re

import pytest

from gatehouse.credentials import keys
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.kinds import key_auth
from gatehouse.errors import BadRequest, Unauthenticated
from tests.unit.fakes import HASHER

SCANNED = re.compile(r"gatehouse_[0-9A-Za-z]{16}\.[0-9A-Za-z]{49}")


def _made() -> ApiKey:
    key_id = keys.make_key_id()
    return ApiKey(key_id, keys.make_secret(key_id))


def test_a_made_key_has_the_form_that_the_documentation_tells_scanners() -> None:
    documented = re.search(r"`(gatehouse_\[.*?)`", keys.__doc__ or "")
    assert documented is not None
    form = re.compile(documented[1].replace(r"\\.", r"\."))

    assert form.pattern == SCANNED.pattern
    for _ in range(200):
        key = _made()
        assert form.fullmatch(key_auth.told(key))
        assert form.search(f'{{"x-api-key": "{key_auth.told(key)}"}}')
        assert key_auth.parse(key_auth.told(key)) == key


def test_made_keys_differ() -> None:
    made = [_made() for _ in range(500)]

    assert len({key.key_id for key in made}) == len({key.secret for key in made}) == 500


def test_every_changed_character_behind_the_prefix_is_refused() -> None:
    text = key_auth.told(_made())
    changed = [
        text[:place] + other + text[place + 1 :]
        for place in range(len("gatehouse_"), len(text))
        for other in "0Az-_.!é \x00"
        if other != text[place]
    ]
    swapped = [
        text[:place] + text[place + 1] + text[place] + text[place + 2 :]
        for place in range(len("gatehouse_"), len(text) - 1)
        if text[place] != text[place + 1]
    ]
    for wrong in (*changed, *swapped, *(text[:shorter] for shorter in range(len(text)))):
        with pytest.raises(Unauthenticated):
            key_auth.parse(wrong)


def test_a_secret_fits_only_the_key_id_it_was_made_for() -> None:
    with pytest.raises(Unauthenticated):
        key_auth.parse(f"{_made().key_id}.{_made().secret}")


@pytest.mark.parametrize("text", ["api-key-123.secret", "abc.123456", f"{'x' * 64}.{'y' * 72}", "a_b-c.with.dots!~"])
def test_a_chosen_key_is_taken_apart_at_the_first_dot(text: str) -> None:
    key = key_auth.parse(text)

    assert (key.key_id, key_auth.told(key)) == (text.split(".", maxsplit=1)[0], text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "abc",
        "abc.",
        ".secret",
        "ab.secret",
        "abc.short",
        f"{'x' * 65}.secret",
        f"abc.{'y' * 73}",
        "abc.sec ret",
        "abc.secret\n",
        "abc\n.secret",
        "äbc.secret",
        "abc.sécret",
        "a c.secret",
        "abc.secret\x00",
        "gatehouse_.secret",
        "gatehouse_abc.secret",
        f"gatehouse_{'A' * 16}.{'A' * 49}",
        "\ud800.secret",
        "x" * 1_000_000,
    ],
    ids=lambda text: ascii(text)[:30],
)
def test_what_cannot_be_a_key_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        key_auth.parse(text)

    assert refusal.value.message == "The key is not valid."


@pytest.mark.parametrize("key_id", ["api-key-123", "abc", "_-_", "x" * 64, "Gatehouse_is_another"])
def test_a_key_id_may_be_chosen(key_id: str) -> None:
    assert keys.check_key_id(key_id) == key_id


@pytest.mark.parametrize(
    "key_id",
    ["", "ab", "x" * 65, "a b", "a.b.c", "äbc", "abc\n", "abc\x00", "\ud800bc", "gatehouse_", f"gatehouse_{'A' * 16}"],
    ids=ascii,
)
def test_nobody_chooses_a_key_id_that_looks_made_or_cannot_be_one(key_id: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        keys.check_key_id(key_id)

    assert refusal.value.field == "keyId"


def test_a_secret_of_6_to_72_visible_characters_may_be_chosen() -> None:
    for secret in ("secret", "!~#$%^", "x" * 72):
        assert keys.check_chosen_secret(secret) == secret
    for secret in ("", "short", "x" * 73, "sec ret", "secret\n", "sécret", "secret\x00", "\ud800ecret"):
        with pytest.raises(BadRequest) as refusal:
            keys.check_chosen_secret(secret)
        assert refusal.value.field == "keySecret"
        assert not secret or secret not in refusal.value.message.split()


def test_a_made_secret_is_kept_as_a_digest_which_tells_it_from_a_chosen_one() -> None:
    made = _made().secret
    digest, bcrypted = keys.hash_made_secret(made), HASHER.hash("secret")

    assert re.fullmatch(r"sha256\$[0-9a-f]{64}", digest)
    assert [keys.is_made_secret_hash(kept) for kept in (digest, bcrypted)] == [True, False]
    assert keys.matches_made_secret(made, digest)
    for wrong in (made + "x", "", digest):
        assert not keys.matches_made_secret(wrong, digest)


def test_a_made_key_id_is_told_from_a_chosen_one() -> None:
    assert keys.is_made_key_id(keys.make_key_id())
    assert not keys.is_made_key_id("Gatehouse_is_another")


def test_a_key_does_not_show_its_secret() -> None:
    key = _made()

    assert key.secret not in repr(key)
