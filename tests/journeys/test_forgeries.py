"""Forged, foreign and replayed tokens at every door that takes one: refused, and nothing of them is quoted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL, SESSION, TokenKind
from tests.forgeries import FORGERIES
from tests.forging import Genuine
from tests.journeys.client import DELETE_USER, ME, SETTINGS, Answer, House, Person
from tests.journeys.conftest import open_house
from tests.journeys.test_oauth import Program, form, made
from tests.journeys.test_two_factor import Phone, challenge_of, complete, login

pytestmark = pytest.mark.long

KEY = SETTINGS["JWT_SECRET"].encode()
BEARERS = (SESSION, CREDENTIAL, CLIENT_ACCESS)
LONGEST = 8_000
GRANT = {"grant_type": "client_credentials"}
LOGOUT = "mutation { logout }"


@dataclass(frozen=True)
class Somebody:
    """A person with two factors, and with a token of each kind."""

    person: Person
    program: Program
    client: Program
    phone: Phone
    access_token: str

    @classmethod
    def arrive(cls, house: House) -> "Somebody":
        owner = house.person()
        program, client = (made(house, owner, kind) for kind in ("JWT", "OAUTH2"))
        told = form(house, "/oauth/token", GRANT | identity(client)).body
        phone = Phone(house, owner)
        phone.confirm()
        return cls(owner, program, client, phone, told["access_token"])

    def challenge(self, house: House) -> Genuine:
        return Genuine.read(challenge_of(login(house, self.person)), KEY)

    def token(self, kind: TokenKind) -> Genuine:
        """The token of a kind that is sent as a bearer."""
        texts = {SESSION.typ: self.person.token, CREDENTIAL.typ: self.program.secret}
        return Genuine.read(texts.get(kind.typ, self.access_token), KEY)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    """A system whose clock these tests move."""
    with open_house({}) as opened:
        yield opened


@pytest.fixture(scope="module")
def ann(house: House) -> Somebody:
    return Somebody.arrive(house)


@pytest.fixture(scope="module")
def bob(house: House) -> Somebody:
    return Somebody.arrive(house)


def identity(client: Program) -> dict[str, str]:
    return {"client_id": client.key_id, "client_secret": client.secret}


def come_with(house: House, token: str) -> Answer:
    """The answer to somebody who sends the token as a bearer."""
    return house.graphql(ME, headers={"Authorization": f"Bearer {token}"})


def who(house: House, token: str) -> str:
    """Whom the token is taken for, or that it is refused as it should be."""
    answer = come_with(house, token)
    return answer.data["me"]["id"] if answer.status == 200 else fault(answer, token) or "refused"


def fault(answer: Answer, forged: str) -> str | None:
    """What is wrong with the refusal of a token."""
    if (answer.status, answer.outcome) != (401, "UNAUTHENTICATED") or answer.headers["www-authenticate"] != "Bearer":
        return answer.text
    return quoted(answer.text, forged)


def quoted(text: str, forged: str) -> str | None:
    return next((part for part in forged.split(".") if len(part) > 10 and part in text), None)


def fits_a_header(text: str) -> bool:
    return text != "" and text.isascii() and text.isprintable() and text == text.strip() and len(text) < LONGEST


def sent_in_a_body(genuine: Genuine) -> Mapping[str, str]:
    """The forgeries that are not refused for their size, or as no text, before anybody looks at them."""
    made = {name: forge(genuine) for name, forge in FORGERIES.items()}
    return {
        name: forged for name, forged in made.items() if forged and "\ud800" not in forged and len(forged) < LONGEST
    }


def introspect(house: House, by: Somebody, token: str) -> dict[str, Any]:
    return form(house, "/oauth/introspect", {"token": token, **identity(by.client)}).body


@pytest.mark.parametrize("kind", BEARERS, ids=lambda kind: kind.typ)
def test_a_forged_bearer_is_refused_and_never_taken_for_nobody(house: House, ann: Somebody, kind: TokenKind) -> None:
    genuine = ann.token(kind)
    assert who(house, genuine.forge()) == ann.person.id
    sent = {name: forged for name, forge in FORGERIES.items() if fits_a_header(forged := forge(genuine))}
    assert len(sent) > len(FORGERIES) - 50
    answers = {name: fault(come_with(house, forged), forged) for name, forged in sent.items()}
    assert {name: wrong for name, wrong in answers.items() if wrong is not None} == {}
    assert who(house, genuine.forge()) == ann.person.id
    assert quoted("".join(house.log()), ".".join(sent.values())) is None


def test_a_forged_challenge_is_refused_with_the_right_code(house: House, ann: Somebody) -> None:
    genuine = ann.challenge(house)
    code = ann.phone.code()
    refused = {}
    for name, forged in sent_in_a_body(genuine).items():
        answer = complete(house, forged, code)
        if answer.outcome != "UNAUTHENTICATED" or quoted(answer.text, forged):
            refused[name] = answer.text
    assert refused == {}
    assert complete(house, genuine.forge(), code).outcome == "ok"


@pytest.mark.parametrize("kind", [CREDENTIAL, CLIENT_ACCESS], ids=lambda kind: kind.typ)
def test_a_forged_token_is_told_as_inactive(house: House, ann: Somebody, kind: TokenKind) -> None:
    told = {name: introspect(house, ann, forged) for name, forged in sent_in_a_body(ann.token(kind)).items()}
    assert {name: body for name, body in told.items() if body != {"active": False}} == {}
    assert introspect(house, ann, ann.token(kind).forge())["active"] is True


def test_to_take_back_a_forged_token_changes_nothing(house: House, ann: Somebody) -> None:
    genuine = ann.token(CLIENT_ACCESS)
    for name, forged in sent_in_a_body(genuine).items():
        # Only whoever has the key can make a token with the same id that says to be of the other kind.
        if not name.startswith("RFC 8725 3.12 both"):
            answer = form(house, "/oauth/revoke", {"token": forged, **identity(ann.client)})
            assert (answer.status, answer.text) == (200, ""), name
    assert who(house, genuine.forge()) == ann.person.id


def test_no_other_secret_of_a_person_is_a_bearer(house: House, ann: Somebody) -> None:
    key = house.key(ann.person)
    others = {
        "refresh token": ann.person.refresh_token,
        "challenge": ann.challenge(house).forge(),
        "key": key.text,
        "client's secret": ann.client.secret,
        "password": ann.person.password,
        "secret of an app": ann.phone.told["secret"],
        "one-use token": "gatehouse_reset_" + "A" * 43,
        "id": ann.person.id,
    }
    assert {name: who(house, text) for name, text in others.items()} == dict.fromkeys(others, "refused")


def test_a_token_that_is_genuine_is_no_token_of_another_kind(house: House, ann: Somebody) -> None:
    code = ann.phone.code()
    for kind in BEARERS:
        assert complete(house, ann.token(kind).forge(), code).outcome == "UNAUTHENTICATED"
    for genuine in (ann.token(SESSION), ann.challenge(house)):
        assert introspect(house, ann, genuine.forge()) == {"active": False}
        assert form(house, "/oauth/revoke", {"token": genuine.forge(), **identity(ann.client)}).status == 200
    assert who(house, ann.token(SESSION).forge()) == ann.person.id


@pytest.mark.parametrize("kind", BEARERS, ids=lambda kind: kind.typ)
def test_a_swapped_subject_is_refused_though_the_key_is_right_and_both_are_known(
    house: House, ann: Somebody, bob: Somebody, kind: TokenKind
) -> None:
    mine, theirs = ann.token(kind), bob.token(kind)
    assert [who(house, each.forge()) for each in (mine, theirs)] == [ann.person.id, bob.person.id]
    assert who(house, mine.forge(claims={"sub": bob.person.id})) == "refused"
    for name in [*kind.claims, "jti"]:
        mixed = {**mine.claims, name: theirs.claims[name], "sub": bob.person.id}
        whole = mixed[next(iter(kind.claims))] == theirs.claims[next(iter(kind.claims))]
        # With the subject and what stands for it both swapped, it is another's token, as the key's owner may make it.
        assert who(house, mine.forge(claims=mixed)) == (bob.person.id if whole else "refused")


def test_what_stands_for_another_consumer_or_another_type_is_refused(
    house: House, ann: Somebody, bob: Somebody
) -> None:
    client, program = ann.token(CLIENT_ACCESS), ann.token(CREDENTIAL)
    assert [who(house, each.forge()) for each in (client, program)] == [ann.person.id] * 2
    forged = {
        "a session of another": ann.token(SESSION).forge(claims={"sid": bob.token(SESSION).claims["sid"]}),
        "a credential of another": program.forge(claims={"cid": bob.program.id}),
        "a client of another": client.forge(claims={"cid": bob.client.id}),
        "a client as a program": program.forge(claims={"cid": ann.client.id, "jti": client.claims["jti"]}),
        "a program as a client": client.forge(claims={"cid": ann.program.id, "jti": program.claims["jti"]}),
        "a secret yet to come": program.forge(claims={"ver": 2}),
        "a secret long gone": program.forge(claims={"ver": 0}),
        "nobody's": program.forge(claims={"sub": "0195fff0-0000-7000-8000-000000000001"}),
    }
    assert {name: who(house, token) for name, token in forged.items()} == dict.fromkeys(forged, "refused")


@pytest.mark.parametrize("subject", ["\ud800", "x" * 3_000, "\x00", "U#a", " "], ids=lambda text: ascii(text)[:10])
@pytest.mark.parametrize("kind", BEARERS, ids=lambda kind: kind.typ)
def test_a_subject_that_is_no_id_is_refused(house: House, ann: Somebody, kind: TokenKind, subject: str) -> None:
    name = next(iter(kind.claims))
    assert who(house, ann.token(kind).forge(claims={"sub": subject})) == "refused"
    assert who(house, ann.token(kind).forge(claims={name: subject})) == "refused"


def test_a_challenge_is_for_its_owners_code_and_its_five_minutes(house: House, ann: Somebody, bob: Somebody) -> None:
    challenge = ann.challenge(house).forge()
    assert complete(house, challenge, bob.phone.code()).extensions["reason"] == "WRONG_CODE"
    house.pass_seconds(300)
    assert complete(house, challenge, ann.phone.code()).extensions["reason"] == "CHALLENGE_EXPIRED"


def test_a_token_is_refused_once_its_session_or_its_owner_has_gone(house: House) -> None:
    owner = house.person()
    program = made(house, owner, "JWT").secret
    again = house.sign_in(owner.email, owner.password)
    tokens = [owner.token, again.token, program]
    assert [who(house, token) for token in tokens] == [owner.id] * 3
    assert house.graphql(LOGOUT, by=again).outcome == "ok"
    assert [who(house, token) for token in tokens] == [owner.id, "refused", owner.id]
    assert house.graphql(DELETE_USER, {"id": owner.id}, by=house.admin).outcome == "ok"
    assert [who(house, token) for token in tokens] == ["refused"] * 3
