"""One-use tokens: how they look, what is kept of them, and that nothing else is taken for one."""

import hashlib
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.accounts.one_use import OneUse, OneUseToken, Purpose, issue, not_valid
from gatehouse.errors import BadRequest
from gatehouse.ids import new_id
from tests.unit.fakes import START

OWNER = new_id(START)
LIVES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.RESET: timedelta(hours=1),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.BEGIN: timedelta(hours=24),
}
ZEROS = "gatehouse_reset_" + "A" * 43


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_says_what_it_is_for_and_has_256_bits_behind_that(purpose: Purpose) -> None:
    token, kept = issue(purpose, OWNER, START, payload={"email": "new@example.com"})

    assert re.fullmatch(rf"gatehouse_{purpose}_[0-9A-Za-z_-]{{43}}", token.text())
    assert "_" not in purpose
    assert len(token.secret) == 32
    assert OneUseToken.parse(token.text(), purpose) == token
    assert kept == OneUse(
        digest=hashlib.sha256(token.text().encode()).hexdigest(),
        purpose=purpose,
        owner=OWNER,
        payload={"email": "new@example.com"},
        expires_at=START + LIVES[purpose],
    )


def test_no_two_tokens_are_alike() -> None:
    assert len({issue(Purpose.RESET, OWNER, START)[0].secret for _ in range(100)}) == 100


def test_a_life_may_be_given_and_ends_at_a_whole_second() -> None:
    at = START + timedelta(milliseconds=900)

    assert issue(Purpose.RESET, OWNER, at, life=timedelta(minutes=5))[1].expires_at == START + timedelta(minutes=5)


def test_a_token_is_good_for_its_purpose_until_its_time_has_passed() -> None:
    kept = issue(Purpose.RESET, OWNER, START)[1]

    assert kept.is_good(Purpose.RESET, kept.expires_at - timedelta(milliseconds=1))
    assert not kept.is_good(Purpose.RESET, kept.expires_at)
    assert not kept.is_good(Purpose.VERIFY_EMAIL, START)


def test_neither_a_token_nor_what_is_kept_of_it_shows_its_secret() -> None:
    token, kept = issue(Purpose.RESET, OWNER, START)

    assert token.text()[-43:] not in f"{token!r} {token} {kept!r}"
    assert repr(token.secret) not in repr(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gatehouse_reset_",
        ZEROS[:-1],
        ZEROS + "A",
        ZEROS + "=",
        ZEROS + "\n",
        " " + ZEROS,
        ZEROS[:-1] + "B",
        ZEROS[:-1] + "+",
        ZEROS[:-1] + "é",
        ZEROS[:-1] + "\udc80",
        ZEROS.upper(),
        ZEROS.replace("reset", "verify"),
        ZEROS.replace("reset", "refresh"),
        ZEROS.removeprefix("gatehouse_"),
        "A" * 43,
        "gatehouse_reset_" * 2 + "A" * 43,
        "A" * 100_000,
    ],
)
def test_what_is_no_such_token_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        OneUseToken.parse(text, Purpose.RESET)

    expected = not_valid()
    assert (refusal.value.message, refusal.value.field, refusal.value.reason) == (
        expected.message,
        expected.field,
        expected.reason,
    )
    assert not text or text not in expected.message


def test_one_spelling_of_a_token_is_taken() -> None:
    assert OneUseToken.parse(ZEROS, Purpose.RESET) == OneUseToken(Purpose.RESET, bytes(32))


@given(st.text(), st.sampled_from(Purpose))
def test_whatever_is_sent_it_is_a_token_or_refused(text: str, purpose: Purpose) -> None:
    for spelled in (text, f"gatehouse_{purpose}_{text}"):
        try:
            assert OneUseToken.parse(spelled, purpose).text() == spelled
        except BadRequest:
            continue
