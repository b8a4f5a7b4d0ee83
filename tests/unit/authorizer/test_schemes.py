"""Which credential a request came with, and that a bad one is never taken for none."""

from base64 import b64encode
from typing import Any

import pytest

from authorizer import schemes
from authorizer.schemes import Headers, identify
from gatehouse import tokens
from gatehouse.admission.meters import Allowance
from gatehouse.admission.model import Admitted
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import Caller
from gatehouse.tokens import TokenKind
from tests.unit.fakes import HOME, START, TOKENS, MemoryStore, StoppedClock, the_admission

ALLOWANCE = Allowance(limit=10, remaining=9, resets_at=START)
WELCOME = Admitted(caller=Caller(consumer_id="u"), allowance=ALLOWANCE, gateway_key="shared")
KINDS = (tokens.SESSION, tokens.CLIENT_ACCESS, tokens.CREDENTIAL)


class OpenGate:
    """Lets everybody in, and remembers what was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[Any, ...]] = []

    def anonymous(self, address: str, reason: str | None = None) -> Admitted:
        return self._welcome("nothing", reason, address)

    def by_session(self, token: str, address: str) -> Admitted:
        return self._welcome(tokens.SESSION.typ, token, address)

    def by_token(self, kind: TokenKind, token: str) -> Admitted:
        return self._welcome(kind.typ, token)

    def by_secret(self, kind: CredentialType, key: ApiKey, address: str) -> Admitted:
        return self._welcome(kind, key, address)

    def _welcome(self, *shown: Any) -> Admitted:
        self.shown.append(shown)
        return WELCOME


@pytest.fixture
def gate() -> Any:
    return OpenGate()


def a_token(kind: TokenKind) -> str:
    return TOKENS.issue(kind, "u", {}, START, START)


def basic(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize("headers", [{}, {"cookie": ["session=x"]}, {"proxy-authorization": ["Bearer x"]}])
def test_whoever_shows_nothing_is_nobody_from_an_address(gate: Any, headers: Headers) -> None:
    assert identify(headers, gate, HOME) is WELCOME
    assert gate.shown == [("nothing", None, HOME)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.typ)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("space", [" ", "  ", "   "])
def test_a_bearer_token_of_each_kind_is_taken_in_any_spelling_of_the_scheme(
    gate: Any, kind: TokenKind, scheme: str, space: str
) -> None:
    token = a_token(kind)
    assert identify({"authorization": [f"{scheme}{space}{token} "]}, gate, HOME) is WELCOME
    assert gate.shown == [(kind.typ, token, HOME) if kind is tokens.SESSION else (kind.typ, token)]


def test_an_api_key_is_taken_apart_at_its_dot(gate: Any) -> None:
    assert identify({"x-api-key": ["api-key-123.Sec.ret"]}, gate, HOME) is WELCOME
    assert gate.shown == [(CredentialType.KEY_AUTH, ApiKey("api-key-123", "Sec.ret"), HOME)]


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
@pytest.mark.parametrize("space", [" ", "   "])
def test_a_basic_credential_is_taken_apart_at_its_first_colon_in_any_spelling_of_the_scheme(
    gate: Any, scheme: str, space: str
) -> None:
    assert identify({"authorization": [f"{scheme}{space}{basic('basic-1:Sec:ret')} "]}, gate, HOME) is WELCOME
    assert gate.shown == [(CredentialType.BASIC_AUTH, ApiKey("basic-1", "Sec:ret"), HOME)]


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
def test_more_than_one_credential_is_refused_unlooked_at(gate: Any, headers: Headers) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        identify(headers, gate, HOME)

    assert refusal.value.message == "Send one credential, not several."
    assert gate.shown == []


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a.b.c",
        "Digest x",
        "Token a.b.c",
        "ApiKey k.secret",
        "Bearer a.b.c",
        "Bearer,a.b.c",
        "Bearer\ta.b.c",
        "Bearera.b.c",
        " Bearer a.b.c",
        "OAuth a.b.c",
        f"Bearer {TOKENS.issue(TokenKind('challenge+jwt', 'gatehouse/challenge', {}), 'u', {}, START, START)}",
        f"Basic{basic('basic-1:secret')}",
        "\x00",
    ],
    ids=lambda value: repr(value)[:24],
)
def test_another_scheme_or_kind_of_token_is_refused_and_never_taken_for_nobody(gate: Any, value: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        identify({"authorization": [value]}, gate, HOME)

    assert refusal.value.message == "Sign in with Authorization: Bearer or Basic, or with X-API-Key."
    assert gate.shown == []


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ["Bearer"]},
        {"authorization": ["Bearer "]},
        {"authorization": ["Bearer a b c"]},
        {"authorization": [f"Bearer {a_token(tokens.SESSION)}, Bearer d.e.f"]},
        {"authorization": [f"Bearer {a_token(tokens.SESSION)}"]},
        {"authorization": [f"Bearer {a_token(tokens.CREDENTIAL)}"]},
        {"authorization": [f"Bearer {a_token(tokens.CLIENT_ACCESS)}"]},
        {"authorization": ["Basic"]},
        {"authorization": ["Basic "]},
        {"authorization": ["Basic !"]},
        {"authorization": [f"Basic {basic('no colon')}"]},
        {"authorization": [f"Basic {basic(':secret')}"]},
        {"authorization": [f"Basic {basic('basic-1:')}"]},
        {"authorization": ["Basic " + "YTpi" * 1_000]},
        {"authorization": ["Basic /////w=="]},
        {"x-api-key": [""]},
        {"x-api-key": ["no-dot"]},
        {"x-api-key": ["api-key-123.Secret "]},
        {"x-api-key": ["Bearer a.b.c"]},
        {"x-api-key": ["gatehouse_0000000000000000." + "0" * 49]},
    ],
    ids=lambda headers: str(headers)[:40],
)
def test_an_empty_or_mangled_credential_is_refused_by_the_gate_itself_without_a_call_to_the_store(
    store: MemoryStore, clock: StoppedClock, headers: Headers
) -> None:
    with pytest.raises(Unauthenticated):
        identify(headers, the_admission(store, store.gates, store.lockouts, clock), HOME)

    assert store.calls == store.gates.calls == []


def test_the_first_scheme_that_recognises_the_request_answers(gate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def scheme(name: str, recognises: bool) -> schemes.Scheme:
        return schemes.Scheme(
            lambda _headers: name if recognises else None, lambda _gate, told, _address: gate.by_session(told, HOME)
        )

    monkeypatch.setattr(schemes, "SCHEMES", (scheme("a", False), scheme("b", True), scheme("c", True)))

    assert identify({"authorization": ["anything"]}, gate, HOME) is WELCOME
    assert gate.shown == [(tokens.SESSION.typ, "b", HOME)]


def test_sessions_are_asked_for_first_and_secrets_last(gate: Any) -> None:
    shown = {
        "authorization": [f"Bearer {a_token(tokens.SESSION)}"],
        "x-api-key": ["api-key-123.secret"],
    }
    in_order = [scheme.credential(shown) is not None for scheme in schemes.SCHEMES]

    assert in_order == [True, False, False, True, False]
