"""Sealed tokens: open for who has the key, and nothing but noise for everybody else."""

import base64

import pytest

from gatehouse.accounts.one_use import OneUseToken, Purpose, issue
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.sealing import Seal
from tests.unit.fakes import KEY, START
from tests.unit.rings import a_ring

OTHER_KEY = b"another-signing-key-of-32-bytes-"


def seal(current: str, **keys: bytes) -> Seal:
    return Seal(a_ring(current, keys))


def test_a_sealed_token_is_opened_with_its_mail_alone() -> None:
    token = issue(Purpose.RESET, "owner", START)[0]
    sealed = seal("k1", k1=KEY).close(token, "mail-1")

    assert seal("k1", k1=KEY).open(sealed, "mail-1") == token
    assert seal("k1", k1=KEY).open(sealed, "mail-2") != token
    assert seal("k1", k1=OTHER_KEY).open(sealed, "mail-1") != token


def test_nothing_of_the_token_can_be_seen_and_no_two_mails_share_a_pad() -> None:
    token = OneUseToken(Purpose.RESET, bytes(32))
    one, other = (seal("k1", k1=KEY).close(token, mail_id) for mail_id in ("mail-1", "mail-2"))

    assert one.startswith("k1 reset ")
    assert one != other
    assert base64.b64decode(one.split()[2]) != bytes(32)
    assert token.text()[-43:] not in one


def test_a_rotated_key_still_opens_and_a_retired_one_is_a_passing_fault() -> None:
    token = issue(Purpose.INVITATION, "owner", START)[0]
    sealed = seal("k1", k1=KEY).close(token, "mail-1")

    assert seal("k2", k1=KEY, k2=OTHER_KEY).open(sealed, "mail-1") == token
    with pytest.raises(ServiceUnavailable):
        seal("k2", k2=OTHER_KEY).open(sealed, "mail-1")
