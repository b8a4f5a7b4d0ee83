"""One-time passwords: the vectors of the RFCs, drift, single use, and what an app reads."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gatehouse.accounts import totp

RFC_SECRET = b"12345678901234567890"
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
TOTP = {
    59: "94287082",
    1_111_111_109: "07081804",
    1_111_111_111: "14050471",
    1_234_567_890: "89005924",
    2_000_000_000: "69279037",
    20_000_000_000: "65353130",
}
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
SECRETS = st.binary(min_size=20, max_size=20)


def test_the_codes_are_those_of_rfc_4226_appendix_d() -> None:
    assert [totp.code_at(RFC_SECRET, count) for count in range(10)] == HOTP


@pytest.mark.parametrize(("seconds", "digits"), TOTP.items())
def test_the_codes_are_the_last_six_digits_of_those_of_rfc_6238_appendix_b(seconds: int, digits: str) -> None:
    assert totp.code_at(RFC_SECRET, totp.step_of(datetime.fromtimestamp(seconds, UTC))) == digits[-6:]


def test_a_step_lasts_30_seconds() -> None:
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    moments = [timedelta(0), timedelta(seconds=29, milliseconds=999), timedelta(seconds=30)]
    assert [totp.step_of(start + later) - totp.step_of(start) for later in moments] == [0, 0, 1]


@given(SECRETS, MOMENTS, st.integers(-5, 5))
def test_a_code_counts_one_step_early_or_late_and_no_more(secret: bytes, now: datetime, off: int) -> None:
    step = totp.step_of(now)
    codes = [totp.code_at(secret, step + steps) for steps in range(-5, 6)]
    assume(len(set(codes)) == len(codes))
    found = totp.matching_step(secret, codes[off + 5], now, after=0)
    assert found == (step + off if abs(off) <= 1 else None)


@given(SECRETS, MOMENTS, st.integers(-1, 1), st.integers(-3, 3))
def test_a_step_counts_only_after_the_last_one_used(secret: bytes, now: datetime, off: int, used: int) -> None:
    step = totp.step_of(now)
    found = totp.matching_step(secret, totp.code_at(secret, step + off), now, after=step + used)
    assert found is None or found > step + used
    if off > used:
        assert found is not None


@given(SECRETS, MOMENTS, st.lists(st.tuples(st.integers(0, 40), st.integers(-1, 1)), max_size=30))
def test_no_code_counts_twice_however_it_is_tried(secret: bytes, now: datetime, tries: list[tuple[int, int]]) -> None:
    used, counted = 0, []
    for seconds, off in tries:
        now += timedelta(seconds=seconds)
        typed = totp.code_at(secret, totp.step_of(now) + off)
        if (step := totp.matching_step(secret, typed, now, after=used)) is not None:
            used = step
            counted.append(step)
    assert counted == sorted(set(counted))


def test_of_two_steps_with_one_code_the_later_counts_so_that_it_is_used_up_for_both() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    step, secret = totp.step_of(now), (1089193).to_bytes(20)
    code = totp.code_at(secret, step)
    assert code == totp.code_at(secret, step + 1)
    assert totp.matching_step(secret, code, now, after=0) == step + 1
    assert totp.matching_step(secret, code, now, after=step + 1) is None


@pytest.mark.parametrize("spell", ["{0}", "{1} {2}", " {0} ", "{1}  {2}"])
def test_a_code_may_be_typed_with_spaces(spell: str) -> None:
    now = datetime.fromtimestamp(59, UTC)
    typed = spell.format("287082", "287", "082")
    assert totp.matching_step(RFC_SECRET, typed, now, after=0) == 1


@pytest.mark.parametrize(
    "typed", ["", "28708", "2870820", "+87082", "２８７０８２", "287082\n", "٢٨٧٠٨٢", "28708\ud800"]
)
def test_what_is_no_code_never_counts(typed: str) -> None:
    assert totp.matching_step(RFC_SECRET, typed, datetime.fromtimestamp(59, UTC), after=0) is None


def test_a_secret_has_160_bits_and_none_is_made_twice() -> None:
    made = {totp.make_secret() for _ in range(100)}
    assert ({len(secret) for secret in made}, len(made)) == ({20}, 100)


def test_a_secret_is_told_in_base32_without_padding() -> None:
    assert totp.secret_text(RFC_SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.secret_text(b"Hello!\xde\xad\xbe\xef") == "JBSWY3DPEHPK3PXP"


def test_the_uri_is_as_the_key_uri_format_has_it() -> None:
    told = totp.uri(b"Hello!\xde\xad\xbe\xef", account="alice", issuer="Example")
    assert told == "otpauth://totp/Example:alice?secret=JBSWY3DPEHPK3PXP&issuer=Example"


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{2,31}", fullmatch=True),
    st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1),
)
def test_an_app_reads_from_the_uri_what_was_put_in(account: str, issuer: str) -> None:
    parts = urlsplit(totp.uri(RFC_SECRET, account=account, issuer=issuer))
    assert (parts.scheme, parts.netloc, unquote(parts.path)) == ("otpauth", "totp", f"/{issuer}:{account}")
    assert parse_qs(parts.query, strict_parsing=True, keep_blank_values=True) == {
        "secret": [totp.secret_text(RFC_SECRET)],
        "issuer": [issuer],
    }
    assert "+" not in parts.query
