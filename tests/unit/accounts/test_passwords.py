"""Which passwords may be set, told all at once; and hashes that cost the same whether or not there is one."""

import bcrypt
import pytest

from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy, fits
from gatehouse.errors import BadRequest
from tests.unit.fakes import HASHER, PASSWORD, PASSWORD_HASH, POLICY

LENGTH = "have at least 8 characters"
LOWER = "have a lower-case letter"
UPPER = "have an upper-case letter"
DIGIT = "have a digit"
SYMBOL = "have a symbol"
LONG = "have at most 72 bytes in UTF-8"
PRINTABLE = "have only characters that can be printed"
OWN_NAME = "differ from the username and the email"
COMMON = "not be one of the most common passwords"


def _broken(password: str, policy: PasswordPolicy = POLICY, username: str = "john") -> list[str]:
    """The rules that the password breaks, in the words of the refusal."""
    try:
        policy.check(password, username=username, email="John1!@example.com")
    except BadRequest as error:
        told, at_fault = error.message, error.field
    else:
        return []
    assert at_fault == "password"
    return told.removeprefix("password must ").removesuffix(".").split("; ")


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        (PASSWORD, []),
        ("Abcde12!", []),
        ("Abcd12!", [LENGTH]),
        ("ABCDE12!", [LOWER]),
        ("abcde12!", [UPPER]),
        ("Abxdefg!", [DIGIT]),
        ("Abxdef12", [SYMBOL]),
        ("Äöüßéñ1€", []),
        ("Abc de 12", []),
        ("", [LENGTH, LOWER, UPPER, DIGIT, SYMBOL]),
        ("Abcdé12!\x00", [PRINTABLE]),
        ("Abcde12!\n", [PRINTABLE]),
        ("Abcde12!\x7f", [PRINTABLE]),
        ("Abcde12!\u202e", [PRINTABLE]),
        ("john1!@example.com", [UPPER, OWN_NAME]),
        ("JOHN1!@EXAMPLE.COM", [LOWER, OWN_NAME]),
        ("password", [UPPER, DIGIT, SYMBOL, COMMON]),
        ("1234567", [LENGTH, LOWER, UPPER, SYMBOL, COMMON]),
    ],
)
def test_every_broken_rule_is_told_at_once(password: str, broken: list[str]) -> None:
    assert _broken(password) == broken


def test_a_common_password_is_refused_in_any_case() -> None:
    anything = PasswordPolicy(8, frozenset())

    assert [_broken(p, anything) for p in ("password1", "PassWord1", "Iloveyou1", "xq-unheard-of")] == [
        [COMMON],
        [COMMON],
        [COMMON],
        [],
    ]


@pytest.mark.parametrize(
    "password", ["Passw0rd!", "P@ssw0rd1", "Qwerty123!", "Welcome1!", "Summer2026!", "1234Secret#", "!Dragon99"]
)
def test_a_common_password_is_refused_however_it_is_dressed_up(password: str) -> None:
    assert _broken(password) == [COMMON]


@pytest.mark.parametrize("password", ["Gatehouse1!", "G@tehouse2026", "Johndoe1!", "!!J0hnd0e2", "Adalovelace7#"])
def test_a_name_that_everybody_knows_is_refused_however_it_is_dressed_up(password: str) -> None:
    policy = PasswordPolicy(8, POLICY.classes, frozenset({"gatehouse"}))

    with pytest.raises(BadRequest, match="not be made of the username, the email or the name of this service"):
        policy.check(password, username="johndoe", email="ada.lovelace@example.com".replace(".", "", 1))


@pytest.mark.parametrize("password", [PASSWORD, "NewSecurePass456!", "Ann1!xyz", "Passport-of-Ann-7"])
def test_what_only_holds_a_common_word_may_be_set(password: str) -> None:
    assert _broken(password, username="ann") == []


def test_the_username_is_refused_as_password_without_regard_to_case() -> None:
    assert _broken("SECUREpass-123", username="SecurePass-123") == [OWN_NAME]


def test_the_longest_password_has_72_bytes_whatever_the_characters() -> None:
    for filler in ("x", "é", "€", "🂡"):
        room = 72 - len("Aa1!")
        most = room // len(filler.encode())
        longest = "Aa1!" + filler * most + "x" * (room - most * len(filler.encode()))
        assert len(longest.encode()) == 72
        assert _broken(longest) == []
        assert HASHER.matches(longest, HASHER.hash(longest))
        assert _broken(longest + "x") == [LONG]
        assert not fits(longest + "x")


def test_two_long_passwords_that_differ_behind_the_72nd_byte_are_not_the_same() -> None:
    longest = "Aa1!" + "x" * 68

    assert not HASHER.matches(longest + "y", HASHER.hash(longest))


def test_a_lone_surrogate_is_refused_and_matches_nothing() -> None:
    assert PRINTABLE in _broken("Abcde12!\ud800")
    assert not HASHER.matches("Abcde12!\ud800", PASSWORD_HASH)


def test_what_stands_in_for_a_password_of_another_length_is_nobodys_password() -> None:
    stand_in = "a password of another length"

    assert HASHER.matches(stand_in, HASHER.hash(stand_in))
    for unfit in ("x" * 73, "\ud800"):
        assert not HASHER.matches(unfit, HASHER.hash(stand_in))


def test_nothing_behind_a_nul_is_ignored() -> None:
    assert not HASHER.matches(PASSWORD + "\x00", PASSWORD_HASH)
    assert not HASHER.matches(PASSWORD + "\x00tail", PASSWORD_HASH)


def test_the_classes_and_the_length_can_be_set() -> None:
    lenient = PasswordPolicy(12, frozenset({"digit"}))

    assert _broken("abcdefghijk1", lenient) == []
    assert _broken("abcdefghijk", lenient) == ["have at least 12 characters", DIGIT]


def test_a_refusal_never_quotes_the_password() -> None:
    with pytest.raises(BadRequest) as refusal:
        POLICY.check("hunter2", username="john", email="john@example.com")

    assert "hunter2" not in refusal.value.message


def test_a_hash_is_bcrypt_with_the_rounds_that_were_asked_for() -> None:
    assert PasswordHasher(5).hash(PASSWORD).startswith("$2b$05$")


@pytest.mark.parametrize(
    ("password", "hashed"),
    [
        (PASSWORD, PASSWORD_HASH),
        ("wrong", PASSWORD_HASH),
        (PASSWORD, None),
        ("x" * 73, PASSWORD_HASH),
        ("x" * 73, None),
        ("\ud800", PASSWORD_HASH),
        ("\ud800", None),
        ("", None),
    ],
    ids=lambda given: "a hash" if given == PASSWORD_HASH else ascii(given)[:20],
)
def test_every_comparison_pays_for_one_hash_of_the_same_cost(
    monkeypatch: pytest.MonkeyPatch, password: str, hashed: str | None
) -> None:
    paid: list[bytes] = []
    genuine = bcrypt.checkpw

    def counted(candidate: bytes, against: bytes) -> bool:
        paid.append(against[:7])
        return genuine(candidate, against)

    monkeypatch.setattr(bcrypt, "checkpw", counted)

    assert HASHER.matches(password, hashed) is (password == PASSWORD and hashed is not None)
    assert paid == [b"$2b$04$"]


@pytest.mark.parametrize("rounds", [4, 5, 10])
def test_the_decoy_is_a_hash_that_bcrypt_takes(monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    decoys: list[bytes] = []
    monkeypatch.setattr(bcrypt, "checkpw", lambda _candidate, decoy: decoys.append(decoy) or False)
    PasswordHasher(rounds).matches(PASSWORD, None)
    monkeypatch.undo()

    [decoy] = decoys
    assert decoy.startswith(f"$2b${rounds:02}$".encode())
    assert len(decoy) == len(PASSWORD_HASH)
    # bcrypt hashes under the decoy's own salt and rounds: so a comparison with it costs what any other does.
    assert bcrypt.hashpw(PASSWORD.encode(), decoy[:29])[:29] == decoy[:29]
    assert bcrypt.checkpw(PASSWORD.encode(), decoy) is False


def test_a_hash_is_outdated_only_when_more_rounds_are_asked_for_now() -> None:
    five = PasswordHasher(5).hash(PASSWORD)

    assert [PasswordHasher(rounds).is_outdated(five) for rounds in (4, 5, 6, 10)] == [False, False, True, True]
