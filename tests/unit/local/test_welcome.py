"""What the person who starts the system is told."""

from typing import Any

import pytest

from gatehouse.errors import Conflict, GatehouseError
from local.gateway.environment import StartError, choices
from local.gateway.welcome import first_admin, where_the_example_is

URL = "http://localhost:3000/graphql"


class Refusing:
    """A bootstrap that makes nobody."""

    def __init__(self, error: GatehouseError) -> None:
        self._error = error

    def create_first_admin(self, *_: Any) -> Any:
        raise self._error


def test_on_a_store_that_has_an_admin_it_is_told_how_to_sign_in() -> None:
    bootstrap: Any = Refusing(Conflict("There is an ADMIN already."))
    lines = first_admin(bootstrap, choices({}), URL)
    assert lines[0] == "The store has an ADMIN already. To sign in:"
    assert f"curl -s {URL}" in lines[1]
    assert "<password>" in lines[1]


def test_where_the_name_is_taken_by_somebody_else_nothing_is_served() -> None:
    bootstrap: Any = Refusing(Conflict("This username is taken.", field="username"))
    with pytest.raises(StartError, match="This username is taken"):
        first_admin(bootstrap, choices({}), URL)


def test_the_example_is_told_on_one_line_with_its_url() -> None:
    line = where_the_example_is(URL)
    assert line.endswith(": http://localhost:3000/orders-api/orders")
    assert "\n" not in line
