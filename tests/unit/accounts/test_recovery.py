"""Recovery codes: as strong as they have to be, read as people type them, kept as digests."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.accounts import recovery

CODE = "0123-4567-89AB-CDEF-GHJK-MNPQ"
DIGEST = hashlib.sha256(b"0123456789ABCDEFGHJKMNPQ").digest()
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_ten_codes_of_120_bits_are_made_in_groups_of_four() -> None:
    codes = recovery.make_codes()
    assert len(set(codes)) == 10
    assert {tuple(map(len, code.split("-"))) for code in codes} == {(4,) * 6}
    assert set("".join(codes)) <= set(ALPHABET + "-")


def test_every_letter_of_the_alphabet_comes_up() -> None:
    assert set("".join("".join(recovery.make_codes()) for _ in range(50))) == set(ALPHABET + "-")


def test_what_is_kept_of_a_code_is_its_digest_alone() -> None:
    assert recovery.digest(CODE) == DIGEST
    codes = recovery.make_codes()
    assert recovery.digests(codes) == {recovery.digest(code) for code in codes}
    assert len(recovery.digests(codes)) == 10


@pytest.mark.parametrize(
    "typed",
    [
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        f"  {CODE} ",
        CODE.replace("0", "O").replace("1", "I"),
        CODE.replace("0", "o").replace("1", "l"),
        CODE.replace("1", "L").replace("-", " - "),
    ],
)
def test_a_code_counts_however_it_is_typed_or_misread(typed: str) -> None:
    assert recovery.digest(typed) == DIGEST


@pytest.mark.parametrize("typed", ["", "123456", CODE[:-1], f"{CODE}0", CODE.replace("A", "U"), f"{CODE}\n", "０" * 24])
def test_what_cannot_be_a_code_has_no_digest(typed: str) -> None:
    assert recovery.digest(typed) is None


@given(st.text())
def test_no_text_at_all_breaks_it(typed: str) -> None:
    digest = recovery.digest(typed)
    assert digest is None or len(digest) == 32


@given(st.text(ALPHABET, min_size=24, max_size=24), st.text(ALPHABET, min_size=24, max_size=24))
def test_two_codes_are_the_same_only_where_they_are_spelled_the_same(left: str, right: str) -> None:
    assert (recovery.digest(left) == recovery.digest(right)) is (left == right)
