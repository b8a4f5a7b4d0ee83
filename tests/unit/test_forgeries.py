"""Every forgery in the table, for every kind of token: refused, in words that tell nothing of it."""

from datetime import timedelta
from typing import Any

import pytest

from gatehouse.errors import Unauthenticated
from gatehouse.tokens import TokenKind, type_of
from tests.forgeries import FORGERIES
from tests.forging import KINDS, Genuine
from tests.unit.fakes import KEY, START, TOKENS

OWN: dict[type, Any] = {str: "0195fff0-0000-7000-8000-000000000002", int: 1}
LATER = START + timedelta(hours=2)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.typ)
def genuine(request: pytest.FixtureRequest) -> Genuine:
    kind: TokenKind = request.param
    own = {name: OWN[expected] for name, expected in kind.claims.items()}
    return Genuine.read(TOKENS.issue(kind, "u", own, START, START + timedelta(hours=1)), KEY)


def test_what_the_forgeries_are_made_of_is_taken(genuine: Genuine) -> None:
    assert TOKENS.verify(genuine.kind, genuine.forge(), START).own == genuine.claims


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused_and_never_for_its_age(genuine: Genuine, name: str) -> None:
    forged = FORGERIES[name](genuine)
    for now in (START, LATER):
        with pytest.raises(Unauthenticated) as refusal:
            TOKENS.verify(genuine.kind, forged, now)
        assert refusal.value.message in {"The token is not valid.", "The token is not valid yet."}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_names_no_type_or_one_that_is_a_text(genuine: Genuine, name: str) -> None:
    assert isinstance(type_of(FORGERIES[name](genuine)), str | None)
