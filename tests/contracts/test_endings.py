"""Whatever has ended is refused on the very next request, by a function that remembers it and by one that does not."""

import pytest

from gatehouse.errors import Unauthenticated
from tests.contracts import callers
from tests.contracts.callers import Grounds, is_let_in
from tests.contracts.endings import WAYS, Way
from tests.stores import Store
from tests.unit.fakes import StoppedClock, the_settings

pytestmark = pytest.mark.long

CELLS = [pytest.param(kind, way, id=f"{kind}, {name}") for name, way in WAYS.items() for kind in way.kinds]


@pytest.fixture
def grounds(store: Store, clock: StoppedClock) -> Grounds:
    return Grounds(clock, the_settings(THROTTLE_LIMIT="1000"))


@pytest.mark.parametrize(("kind", "way"), CELLS)
def test_what_has_ended_is_refused_on_the_very_next_request_of_a_warm_function_and_of_a_cold_one(
    grounds: Grounds, kind: str, way: Way
) -> None:
    shown, bystander, warm = way.open(grounds, kind), callers.made_key(grounds), grounds.function()
    assert [is_let_in(one.call, warm) for one in (shown, shown, bystander)] == [True] * 3
    way.end(grounds, shown, warm)
    for function in (warm, grounds.function()):
        for _ in range(2):
            with pytest.raises(Unauthenticated):
                shown.call(function)
        if way.ends_one:
            assert is_let_in(bystander.call, function)
