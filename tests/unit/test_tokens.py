"""Tokens of every kind: what they say, what is no token of the kind, and times told by our own clock."""

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehouse import tokens
from gatehouse.clock import from_milliseconds
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from gatehouse.signing.keys import SigningKeys
from gatehouse.signing.ring import KeyRing
from gatehouse.tokens import Claims, TokenExpired, TokenKind, Tokens
from tests.forging import ABSENT, KINDS, Genuine, part_of
from tests.unit.fakes import KEY, START, TOKENS, StoppedClock

NOW = int(START.timestamp())
OLD_KEY = b"an-older-signing-key-of-32-bytes"
OWN: Mapping[str, dict[str, Any]] = {
    "session+jwt": {"sid": "0195fff0-0000-7000-8000-000000000002"},
    "credential+jwt": {"cid": "0195fff0-0000-7000-8000-000000000004", "ver": 1},
    "at+jwt": {"cid": "0195fff0-0000-7000-8000-000000000004", "ver": 1},
    "challenge+jwt": {"gen": 1},
}


class Forger(Genuine):
    """A genuine token of a kind, and whether it and what is made of it is taken."""

    def __init__(self, kind: TokenKind) -> None:
        claims = {
            "iss": "gatehouse",
            "aud": kind.audience,
            "sub": "0195fff0-0000-7000-8000-000000000001",
            "jti": "0195fff0-0000-7000-8000-000000000003",
            "iat": NOW,
            "exp": NOW + 3600,
            **OWN[kind.typ],
        }
        super().__init__({"alg": "HS256", "typ": kind.typ, "kid": "k1"}, claims, KEY)

    @property
    def genuine(self) -> Claims:
        return _claims(self.claims)

    def verify(self, token: str, now: datetime = START, verifier: Tokens = TOKENS) -> Claims:
        return verifier.verify(self.kind, token, now)

    def refused(self, token: str, now: datetime = START, verifier: Tokens = TOKENS) -> str:
        """What is said of a token that is refused."""
        with pytest.raises(Unauthenticated) as refusal:
            verifier.verify(self.kind, token, now)
        return refusal.value.message


@pytest.fixture(params=KINDS, ids=lambda kind: kind.typ)
def forger(request: pytest.FixtureRequest) -> Forger:
    return Forger(request.param)


def _claims(told: Mapping[str, Any]) -> Claims:
    iat, exp = (from_milliseconds(told[name] * 1000) for name in ("iat", "exp"))
    return Claims(told["sub"], told["jti"], iat, exp, told)


def _parts(token: str) -> list[dict[str, Any]]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def _signed_by(keys: SigningKeys) -> Tokens:
    return Tokens(KeyRing(lambda: keys, StoppedClock()), "gatehouse")


def _issue(kind: TokenKind, now: datetime = START, lifetime: timedelta = timedelta(hours=1)) -> str:
    return TOKENS.issue(kind, "u", OWN[kind.typ], now, now + lifetime)


def test_the_forger_of_these_tests_makes_tokens_that_are_taken_when_nothing_is_wrong(forger: Forger) -> None:
    assert forger.verify(forger.forge()) == forger.genuine


def test_an_issued_token_says_all_that_the_contract_requires(forger: Forger) -> None:
    token = _issue(forger.kind)
    header, claims = _parts(token)
    told = forger.verify(token)

    assert header == forger.header
    assert claims["jti"] != _parts(_issue(forger.kind))[1]["jti"]
    assert claims == {**forger.claims, "sub": "u", "jti": claims["jti"]}
    assert told == _claims(claims)
    assert (told.issued_at, told.expires_at) == (START, START + timedelta(hours=1))


def test_what_stands_beside_the_claims_of_a_kind_is_told_as_well() -> None:
    own = {**OWN["at+jwt"], "scope": "users:read", "client_id": "batch-job"}
    token = TOKENS.issue(tokens.CLIENT_ACCESS, "u", own, START, START + timedelta(hours=1))
    told = TOKENS.verify(tokens.CLIENT_ACCESS, token, START).own

    assert (told["scope"], told["client_id"]) == ("users:read", "batch-job")


def test_times_are_kept_in_whole_seconds(forger: Forger) -> None:
    token = _issue(forger.kind, START + timedelta(milliseconds=999), timedelta(seconds=1, milliseconds=500))

    assert forger.verify(token).expires_at == START + timedelta(seconds=2)


@pytest.mark.parametrize(
    "kinds", [*itertools.permutations(KINDS, 2)], ids=lambda kinds: f"{kinds[0].typ} {kinds[1].typ}"
)
def test_a_token_of_one_kind_is_none_of_another_even_with_its_type_or_its_audience(
    kinds: tuple[TokenKind, TokenKind],
) -> None:
    own, other = map(Forger, kinds)
    every = {**other.claims, **own.claims}

    other.refused(own.forge())
    other.refused(_issue(own.kind))
    other.refused(own.forge({"typ": other.kind.typ}, every))
    other.refused(own.forge(claims={**every, "aud": other.kind.audience}))
    other.refused(own.forge(claims={**every, "aud": [own.kind.audience, other.kind.audience]}))


@pytest.mark.parametrize(("alg", "digest"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_another_algorithm_is_refused_though_the_key_is_right(forger: Forger, alg: str, digest: str) -> None:
    long_key = hashlib.sha512(b"a key long enough for every digest").digest()
    verifier = _signed_by(SigningKeys("k1", {"k1": long_key}))

    assert forger.verify(forger.forge(key=long_key), verifier=verifier) == forger.genuine
    forger.refused(forger.forge({"alg": alg}, key=long_key, digest=digest), verifier=verifier)


def test_a_token_without_a_required_claim_is_refused(forger: Forger) -> None:
    for claim in forger.claims:
        forger.refused(forger.forge(claims={claim: ABSENT}))


@pytest.mark.parametrize("value", [None, [], {}, ["x"], True, 1.5], ids=repr)
def test_a_claim_of_another_type_is_refused(forger: Forger, value: object) -> None:
    for claim in forger.claims:
        forger.refused(forger.forge(claims={claim: value}))


def test_every_change_of_the_signature_is_refused(forger: Forger) -> None:
    signed, _, signature = forger.forge().rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "="))
    for place in range(len(raw)):
        changed = bytes(byte ^ (1 if at == place else 0) for at, byte in enumerate(raw))
        forger.refused(f"{signed}.{part_of(changed)}")
    forger.refused(f"{signed}.{part_of(bytes(raw[:-1]))}")
    forger.refused(f"{signed}.")


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_is_refused_beyond_a_minute(forger: Forger, claim: str) -> None:
    claims = {**forger.claims, claim: NOW + 60}

    assert forger.verify(forger.forge(claims=claims)) == _claims(claims)
    assert forger.refused(forger.forge(claims={claim: NOW + 61})) == "The token is not valid yet."


def test_a_token_expires_on_the_very_second_it_names_and_tells_what_it_said(forger: Forger) -> None:
    token = forger.forge()

    assert forger.verify(token, START + timedelta(seconds=3599, milliseconds=999)) == forger.genuine
    with pytest.raises(TokenExpired) as expiry:
        forger.verify(token, START + timedelta(seconds=3600))
    assert expiry.value.claims == forger.genuine


@pytest.mark.parametrize(
    "change",
    [
        lambda forger: forger.forge(key=OLD_KEY),
        lambda forger: forger.forge({"typ": "JWT"}),
        lambda forger: forger.forge(claims={"aud": "another"}),
        lambda forger: forger.forge(claims={next(iter(OWN[forger.kind.typ])): ABSENT}),
        lambda forger: forger.forge(claims={"iat": NOW + 10**9}),
    ],
    ids=["key", "type", "audience", "claim", "future"],
)
def test_only_a_token_whose_one_fault_is_its_age_counts_as_expired(
    forger: Forger, change: Callable[[Forger], str]
) -> None:
    forger.refused(change(forger), START + timedelta(days=365))


@pytest.mark.parametrize("year", [1990, 2026, 2200])
def test_nothing_depends_on_the_machines_own_time(forger: Forger, year: int) -> None:
    then = datetime(year, 6, 1, tzinfo=UTC)
    token = _issue(forger.kind, then)

    assert forger.verify(token, then + timedelta(seconds=3599)).subject == "u"
    with pytest.raises(TokenExpired):
        forger.verify(token, then + timedelta(seconds=3600))


def test_a_previous_key_still_verifies_and_the_current_one_signs(forger: Forger) -> None:
    both = _signed_by(SigningKeys("k2", {"k1": KEY, "k2": OLD_KEY}))
    retired = _signed_by(SigningKeys("k2", {"k2": OLD_KEY}))
    issued = both.issue(forger.kind, "u", OWN[forger.kind.typ], START, START + timedelta(hours=1))

    assert forger.verify(forger.forge(), verifier=both) == forger.genuine
    assert forger.verify(issued, verifier=retired).subject == "u"
    forger.refused(forger.forge(), verifier=retired)


def test_a_key_is_only_good_under_its_own_id(forger: Forger) -> None:
    both = _signed_by(SigningKeys("k2", {"k1": KEY, "k2": OLD_KEY}))

    forger.refused(forger.forge({"kid": "k2"}, key=KEY), verifier=both)


RUBBISH = [
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
]


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda text: ascii(text)[:24])
def test_rubbish_is_refused_and_never_quoted(forger: Forger, rubbish: str) -> None:
    assert forger.refused(rubbish) == "The token is not valid."


def test_keys_that_cannot_be_read_are_a_passing_fault_and_no_refusal(forger: Forger) -> None:
    def out_of_reach() -> SigningKeys:
        raise ServiceUnavailable("The signing keys could not be read. Try again.")

    verifier = Tokens(KeyRing(out_of_reach, StoppedClock()), "gatehouse")
    with pytest.raises(ServiceUnavailable):
        forger.verify(forger.forge(), verifier=verifier)
    with pytest.raises(ServiceUnavailable):
        verifier.issue(forger.kind, "u", OWN[forger.kind.typ], START, START + timedelta(hours=1))


def test_the_keys_are_not_in_their_own_description() -> None:
    assert KEY.decode() not in repr(SigningKeys("k1", {"k1": KEY}))


def test_a_token_tells_its_type_unverified(forger: Forger) -> None:
    assert tokens.type_of(forger.forge(key=OLD_KEY)) == forger.kind.typ
    for typ in (ABSENT, None, 1, [forger.kind.typ]):
        assert tokens.type_of(forger.forge({"typ": typ})) is None


@pytest.mark.parametrize("rubbish", RUBBISH, ids=lambda text: ascii(text)[:24])
def test_rubbish_has_no_type(rubbish: str) -> None:
    assert tokens.type_of(rubbish) is None


def test_a_header_nested_too_deep_has_no_type() -> None:
    assert tokens.type_of(Forger(tokens.SESSION).sign(b"[" * 100_000, b"{}")) is None
