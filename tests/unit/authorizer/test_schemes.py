"""Which credential a request came with, and that a bad one is never taken for none."""

from dataclasses import replace

import pytest

from authorizer import schemes
from authorizer.schemes import Headers, identify
from gatehouse.admission.service import Admission
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.fakes import HASHER, TOKENS, MemoryStore, StoppedClock

PERSON = Caller(consumer_id="u", session_id="s")
PROGRAM = Caller(consumer_id="u", credential_id="k")


class OpenGate:
    """Lets everybody in, and remembers what was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []
        self.admission = Admission(MemoryStore(), StoppedClock(), HASHER, TOKENS)

    def by_session(self, _admission: Admission, token: str) -> Caller:
        self.shown.append(("session", token))
        return PERSON

    def by_key(self, _admission: Admission, text: str) -> Caller:
        self.shown.append(("key", text))
        return PROGRAM


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> OpenGate:
    opened = OpenGate()
    stand_in = {Admission.by_session: opened.by_session, Admission.by_key: opened.by_key}
    monkeypatch.setattr(
        schemes, "SCHEMES", tuple(replace(scheme, admit=stand_in[scheme.admit]) for scheme in schemes.SCHEMES)
    )
    return opened


@pytest.mark.parametrize("headers", [{}, {"cookie": ["session=x"]}, {"proxy-authorization": ["Bearer x"]}])
def test_whoever_shows_nothing_is_nobody(gate: OpenGate, headers: Headers) -> None:
    assert identify(headers, gate.admission) is ANONYMOUS
    assert gate.shown == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("space", [" ", "  ", "   "])
def test_a_bearer_token_is_taken_in_any_spelling_of_the_scheme(gate: OpenGate, scheme: str, space: str) -> None:
    assert identify({"authorization": [f"{scheme}{space}a.b.c "]}, gate.admission) == PERSON
    assert gate.shown == [("session", "a.b.c")]


def test_an_api_key_is_taken_as_it_is(gate: OpenGate) -> None:
    assert identify({"x-api-key": ["api-key-123.Secret "]}, gate.admission) == PROGRAM
    assert gate.shown == [("key", "api-key-123.Secret ")]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ["Bearer a.b.c"], "x-api-key": ["k.secret"]},
        {"authorization": ["Bearer a.b.c"], "x-api-key": [""]},
        {"authorization": [""], "x-api-key": ["k.secret"]},
        {"authorization": ["", ""]},
        {"authorization": ["Bearer a.b.c", "Bearer a.b.c"]},
        {"authorization": ["Bearer a.b.c", "Basic YTpi"]},
        {"x-api-key": ["k.secret", "k.secret"]},
    ],
    ids=str,
)
def test_more_than_one_credential_is_refused_unlooked_at(gate: OpenGate, headers: Headers) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        identify(headers, gate.admission)

    assert refusal.value.message == "Send one credential, not several."
    assert gate.shown == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a.b.c",
        "Basic YTpi",
        "Digest x",
        "Token a.b.c",
        "ApiKey k.secret",
        "Bearer,a.b.c",
        "Bearer\ta.b.c",
        "Bearera.b.c",
        " Bearer a.b.c",
        "OAuth a.b.c",
        "\x00",
    ],
    ids=repr,
)
def test_another_scheme_is_refused_and_never_taken_for_nobody(gate: OpenGate, value: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        identify({"authorization": [value]}, gate.admission)

    assert refusal.value.message == "Sign in with Authorization: Bearer or with X-API-Key."
    assert gate.shown == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ["Bearer"]},
        {"authorization": ["Bearer "]},
        {"authorization": ["Bearer a b c"]},
        {"authorization": ["Bearer a.b.c, Bearer d.e.f"]},
        {"x-api-key": [""]},
        {"x-api-key": ["k.secret,k.secret"]},
        {"x-api-key": ["Bearer a.b.c"]},
    ],
    ids=str,
)
def test_an_empty_or_mangled_credential_is_refused_by_the_gate_itself(
    store: MemoryStore, clock: StoppedClock, headers: Headers
) -> None:
    with pytest.raises(Unauthenticated):
        identify(headers, Admission(store, clock, HASHER, TOKENS))


def test_the_first_scheme_that_recognises_the_request_answers(gate: OpenGate, monkeypatch: pytest.MonkeyPatch) -> None:
    def scheme(name: str, recognises: bool) -> schemes.Scheme:
        return schemes.Scheme(
            lambda _headers: name if recognises else None, lambda _gate, told: Caller(consumer_id=told)
        )

    monkeypatch.setattr(schemes, "SCHEMES", (scheme("a", False), scheme("b", True), scheme("c", True)))

    assert identify({"authorization": ["anything"]}, gate.admission) == Caller(consumer_id="b")


def test_bearer_is_asked_before_the_api_key() -> None:
    assert [scheme.admit for scheme in schemes.SCHEMES] == [Admission.by_session, Admission.by_key]
