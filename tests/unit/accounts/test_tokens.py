"""RFC 8725's list of ways to cheat a verifier, each refused, and times told by our own clock."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehouse.accounts.tokens import SessionClaims, SessionTokens, SigningKeys, TokenExpired
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from tests.unit.fakes import KEY, START, TOKENS

NOW = int(START.timestamp())
OLD_KEY = b"an-older-signing-key-of-32-bytes"
HEADER: dict[str, Any] = {"alg": "HS256", "typ": "session+jwt", "kid": "k1"}
CLAIMS: dict[str, Any] = {
    "iss": "gatehouse",
    "aud": "gatehouse/session",
    "sub": "0195fff0-0000-7000-8000-000000000001",
    "sid": "0195fff0-0000-7000-8000-000000000002",
    "jti": "0195fff0-0000-7000-8000-000000000003",
    "iat": NOW,
    "exp": NOW + 3600,
}
GENUINE = SessionClaims(user_id=CLAIMS["sub"], session_id=CLAIMS["sid"])
ABSENT = object()


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _forge(
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    *,
    key: bytes = KEY,
    digest: str = "sha256",
) -> str:
    """A token made by hand, with the genuine parts changed as told and signed by the key."""
    told_header = {name: v for name, v in {**HEADER, **(header or {})}.items() if v is not ABSENT}
    told_claims = {name: v for name, v in {**CLAIMS, **(claims or {})}.items() if v is not ABSENT}
    signed = f"{_part(json.dumps(told_header).encode())}.{_part(json.dumps(told_claims).encode())}"
    return f"{signed}.{_part(hmac.digest(key, signed.encode(), digest))}"


def _refused(token: str, now: datetime = START, tokens: SessionTokens = TOKENS) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        tokens.verify(token, now)
    return refusal.value.message


def test_the_forger_of_these_tests_makes_tokens_that_are_taken_when_nothing_is_wrong() -> None:
    assert TOKENS.verify(_forge(), START) == GENUINE


def test_an_issued_token_says_all_that_the_contract_requires() -> None:
    token = TOKENS.issue("u", "s", START)
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])

    assert header == HEADER
    assert claims.pop("jti") != json.loads(base64.urlsafe_b64decode(_again().split(".")[1] + "=="))["jti"]
    assert claims == {
        "iss": "gatehouse",
        "aud": "gatehouse/session",
        "sub": "u",
        "sid": "s",
        "iat": NOW,
        "exp": NOW + 3600,
    }
    assert TOKENS.verify(token, START) == SessionClaims(user_id="u", session_id="s")


def _again() -> str:
    return TOKENS.issue("u", "s", START)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS256 ", "hs256", "RS256", None, 256, ["HS256"]])
def test_another_spelling_of_the_algorithm_is_refused_signed_or_not(alg: object) -> None:
    assert _refused(_forge({"alg": alg})) == "The token is not valid."
    assert _refused(_forge({"alg": alg}).rpartition(".")[0] + ".") == "The token is not valid."


@pytest.mark.parametrize(("alg", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_another_algorithm_is_refused_though_the_key_is_right(alg: str, digest: str) -> None:
    long_key = hashlib.sha512(b"a key long enough for every digest").digest()
    tokens = SessionTokens(lambda: SigningKeys("k1", {"k1": long_key}), "gatehouse", 3600)

    assert tokens.verify(_forge(key=long_key), START) == GENUINE
    _refused(_forge({"alg": alg}, key=long_key, digest=digest), tokens=tokens)


def test_a_token_signed_with_another_key_is_refused() -> None:
    _refused(_forge(key=OLD_KEY))


def test_a_token_signed_with_the_empty_key_is_refused() -> None:
    _refused(_forge(key=b""))


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_a_token_without_a_required_claim_is_refused(claim: str) -> None:
    _refused(_forge(claims={claim: ABSENT}))


@pytest.mark.parametrize("claim", sorted(CLAIMS))
@pytest.mark.parametrize("value", [None, [], {}, ["x"], True, 1.5], ids=repr)
def test_a_claim_of_another_type_is_refused(claim: str, value: object) -> None:
    _refused(_forge(claims={claim: value}))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "another-house"),
        ("iss", "GATEHOUSE"),
        ("iss", ""),
        ("iss", ["gatehouse"]),
        ("aud", ""),
        ("aud", "gatehouse"),
        ("aud", "gatehouse/credential"),
        ("aud", ["gatehouse/session"]),
        ("aud", ["gatehouse/session", "another"]),
    ],
)
def test_a_token_for_or_from_somebody_else_is_refused(claim: str, value: object) -> None:
    _refused(_forge(claims={claim: value}))


@pytest.mark.parametrize("typ", ["JWT", "jwt", "credential+jwt", "SESSION+JWT", "", ABSENT, None, ["session+jwt"]])
def test_a_token_of_another_type_is_refused(typ: object) -> None:
    _refused(_forge({"typ": typ}))


@pytest.mark.parametrize(
    "kid",
    [
        ABSENT,
        "",
        "k2",
        None,
        1,
        1.5,
        True,
        ["k1"],
        {"k1": 1},
        "../../../../dev/null",
        "/etc/passwd",
        "k1\x00",
        "k1' OR '1'='1",
        "http://example.com/keys",
        "k" * 1_000_000,
    ],
    ids=lambda kid: repr(kid)[:24],
)
def test_a_key_id_that_is_not_ours_is_refused(kid: object) -> None:
    _refused(_forge({"kid": kid}))


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": ["made-up"], "made-up": 1},
        {"crit": []},
        {"crit": "exp"},
    ],
    ids=str,
)
def test_a_token_that_demands_extensions_is_refused(header: dict[str, Any]) -> None:
    _refused(_forge(header))


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_token_brings_along_is_not_used(name: str) -> None:
    brought = {"kty": "oct", "k": _part(OLD_KEY), "alg": "HS256", "kid": "k1"}
    _refused(_forge({name: brought if name == "jwk" else ["https://example.com/k"]}, key=OLD_KEY))


def test_a_swapped_subject_breaks_the_signature() -> None:
    header, _, signature = _forge().split(".")
    _, claims, _ = _forge(claims={"sub": "0195fff0-0000-7000-8000-00000000000f"}).split(".")

    _refused(f"{header}.{claims}.{signature}")


def test_every_change_of_the_signature_is_refused() -> None:
    signed, _, signature = _forge().rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "="))
    for place in range(len(raw)):
        changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(raw))
        _refused(f"{signed}.{_part(changed)}")
    _refused(f"{signed}.{_part(bytes(raw[:-1]))}")
    _refused(f"{signed}.")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_is_refused_beyond_a_minute(claim: str) -> None:
    assert TOKENS.verify(_forge(claims={claim: NOW + 60}), START) == GENUINE
    assert _refused(_forge(claims={claim: NOW + 61})) == "The token is not valid yet."


@pytest.mark.parametrize("claim", ["iat", "nbf", "exp"])
@pytest.mark.parametrize("value", [NOW + 0.5, str(NOW), True, None, [NOW], {"at": NOW}, 1e300], ids=str)
def test_a_time_that_is_no_whole_number_is_refused(claim: str, value: object) -> None:
    _refused(_forge(claims={claim: value}))


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_time_beyond_all_calendars_is_refused(claim: str) -> None:
    _refused(_forge(claims={claim: 10**400}))


def test_a_token_expires_on_the_very_second_it_names() -> None:
    token = _forge()

    assert TOKENS.verify(token, START + timedelta(seconds=3599, milliseconds=999)) == GENUINE
    with pytest.raises(TokenExpired):
        TOKENS.verify(token, START + timedelta(seconds=3600))


@pytest.mark.parametrize(
    "change",
    [
        lambda: _forge(key=OLD_KEY),
        lambda: _forge({"typ": "JWT"}),
        lambda: _forge(claims={"aud": "another"}),
        lambda: _forge(claims={"sid": ABSENT}),
        lambda: _forge(claims={"iat": NOW + 10**9}),
    ],
)
def test_only_a_token_whose_one_fault_is_its_age_counts_as_expired(change: Callable[[], str]) -> None:
    _refused(change(), START + timedelta(days=365))


@pytest.mark.parametrize("year", [1990, 2026, 2200])
def test_nothing_depends_on_the_machines_own_time(year: int) -> None:
    then = datetime(year, 6, 1, tzinfo=UTC)
    token = TOKENS.issue("u", "s", then)

    assert TOKENS.verify(token, then + timedelta(seconds=3599)) == SessionClaims(user_id="u", session_id="s")
    with pytest.raises(TokenExpired):
        TOKENS.verify(token, then + timedelta(seconds=3600))


def test_a_previous_key_still_verifies_and_the_current_one_signs() -> None:
    both = SessionTokens(lambda: SigningKeys("k2", {"k1": KEY, "k2": OLD_KEY}), "gatehouse", 3600)
    retired = SessionTokens(lambda: SigningKeys("k2", {"k2": OLD_KEY}), "gatehouse", 3600)

    assert both.verify(_forge(), START) == GENUINE
    assert retired.verify(both.issue(CLAIMS["sub"], CLAIMS["sid"], START), START) == GENUINE
    _refused(_forge(), tokens=retired)


def test_a_key_is_only_good_under_its_own_id() -> None:
    both = SessionTokens(lambda: SigningKeys("k2", {"k1": KEY, "k2": OLD_KEY}), "gatehouse", 3600)

    _refused(_forge({"kid": "k2"}, key=KEY), tokens=both)


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.e30",
        "bnVsbA.bnVsbA.bnVsbA",
        "W10.W10.",
        "gatehouse_refresh_" + "A" * 90 + "==",
        "gatehouse_AAAAAAAAAAAAAAAA." + "A" * 49,
        "\x00",
        "\ud800.\ud800.\ud800",
        "ключ.ключ.ключ",
        "." * 10_000,
        "A" * 1_000_000,
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_rubbish_is_refused_and_never_quoted(rubbish: str) -> None:
    assert _refused(rubbish) == "The token is not valid."


def test_claims_that_are_no_object_are_refused() -> None:
    for claims in (b"[]", b"null", b'"text"', b"1", b"{", b"\xff", b"[" * 100_000):
        signed = f"{_part(json.dumps(HEADER).encode())}.{_part(claims)}"
        _refused(f"{signed}.{_part(hmac.digest(KEY, signed.encode(), 'sha256'))}")


def test_a_header_nested_too_deep_to_read_is_refused() -> None:
    signed = f"{_part(b'[' * 100_000)}.{_part(json.dumps(CLAIMS).encode())}"
    _refused(f"{signed}.{_part(hmac.digest(KEY, signed.encode(), 'sha256'))}")


def test_keys_that_cannot_be_read_are_a_passing_fault_and_no_refusal() -> None:
    def out_of_reach() -> SigningKeys:
        raise ServiceUnavailable("The signing keys could not be read. Try again.")

    with pytest.raises(ServiceUnavailable):
        SessionTokens(out_of_reach, "gatehouse", 3600).verify(_forge(), START)


def test_the_keys_are_not_in_their_own_description() -> None:
    assert KEY.decode() not in repr(SigningKeys("k1", {"k1": KEY}))
