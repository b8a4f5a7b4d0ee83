"""Vectors of others through our verifier: RFC 7515's own, and Wycheproof's for HS256.

None is a token of ours, so that each is refused: the good ones for their claims alone, after their signature was found
good. Wycheproof's file is not kept here. The variable WYCHEPROOF_JWS names it: of github.com/C2SP/wycheproof,
testvectors_v1/json_web_signature_test.json.
"""

import base64
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from gatehouse.errors import Unauthenticated
from gatehouse.signing.keys import SigningKeys
from gatehouse.signing.ring import KeyRing
from gatehouse.tokens import SESSION, Tokens
from tests.forging import part_of
from tests.unit.fakes import START, StoppedClock

FILE = os.environ.get("WYCHEPROOF_JWS")
RFC_7515_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
RFC_7515_TOKEN = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

DEFECTS = {
    367: "said to have wrong padding, but the same text as the good one, 357",
    370: "said to have wrong padding, but the same text as the good one, 357",
    372: "said to be good, but its header holds a question mark, which is no letter of base64url",
    373: "said to be good, but its payload holds a question mark, which is no letter of base64url",
}
"""Where Wycheproof's label is wrong, by the vector's number."""


@dataclass(frozen=True)
class Vector:
    number: int
    text: str
    key: str
    key_id: str
    is_good: bool


def vectors() -> Iterator[Vector]:
    """Wycheproof's vectors for HS256."""
    for group in json.loads(Path(FILE or "").read_text())["testGroups"]:
        key: dict[str, Any] = group["private"]
        if key.get("alg") == "HS256":
            for test in group["tests"]:
                text = test["jws"] if isinstance(test["jws"], str) else json.dumps(test["jws"])
                yield Vector(test["tcId"], text, key["k"], key["kid"], test["result"] == "valid")


def has_a_good_signature(text: str, key: str, key_id: str) -> bool:
    """Whether our verifier comes as far as the claims."""
    raw = base64.urlsafe_b64decode(key + "==")
    ring = KeyRing(lambda: SigningKeys(key_id, {key_id: raw}), StoppedClock())
    with pytest.raises(Unauthenticated) as refusal:
        Tokens(ring, "gatehouse").verify(SESSION, text, START)
    cause = refusal.value.__cause__
    return isinstance(cause, jwt.MissingRequiredClaimError) or str(cause).startswith("Invalid payload string:")


def test_the_example_of_rfc_7515_has_a_good_signature_and_every_change_of_it_has_none() -> None:
    assert has_a_good_signature(RFC_7515_TOKEN, RFC_7515_KEY, "")
    for at, letter in enumerate(RFC_7515_TOKEN):
        changed = RFC_7515_TOKEN[:at] + ("A" if letter != "A" else "B") + RFC_7515_TOKEN[at + 1 :]
        assert not has_a_good_signature(changed, RFC_7515_KEY, "")


def test_a_key_of_less_than_32_bytes_verifies_nothing() -> None:
    signed = RFC_7515_TOKEN.rpartition(".")[0]
    for length, is_enough in ((1, False), (16, False), (31, False), (32, True)):
        key = b"k" * length
        token = f"{signed}.{part_of(hmac.digest(key, signed.encode(), 'sha256'))}"
        assert has_a_good_signature(token, part_of(key), "") is is_enough


@pytest.mark.skipif(FILE is None, reason="WYCHEPROOF_JWS names no file of vectors")
def test_the_verifier_agrees_with_wycheproof_on_all_vectors_but_the_known_wrong_ones() -> None:
    told = {vector: has_a_good_signature(vector.text, vector.key, vector.key_id) for vector in vectors()}
    assert len(told) == 40
    assert {vector.number for vector, is_good in told.items() if is_good is not vector.is_good} == set(DEFECTS)


@pytest.mark.skipif(FILE is None, reason="WYCHEPROOF_JWS names no file of vectors")
def test_the_vectors_that_are_called_wrong_are_so() -> None:
    texts = {vector.number: vector.text for vector in vectors()}
    assert texts[367] == texts[370] == texts[357]
    assert [texts[number].replace("?", "") for number in (372, 373)] == [texts[357]] * 2
