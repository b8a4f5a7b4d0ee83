"""The gate on a store that refuses, hangs or answers into the void: never more than the limit, or 503."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from gatehouse.admission.model import Admitted
from gatehouse.credentials.kinds import key_auth
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import ServiceUnavailable, Unauthenticated
from tests.contracts import callers
from tests.contracts.callers import Grounds, Pass
from tests.contracts.faults import (
    Fault,
    PatientTime,
    Send,
    broken_behind,
    faults,
    lost,
    none,
    refused,
    silent,
    unreachable,
    wordless,
)
from tests.contracts.made_up import at_once
from tests.stores import Store
from tests.unit.fakes import HOME, START, StoppedClock, the_settings

LIMIT = 20
NOT_NOW: dict[str, Fault] = {
    "throttled": refused("ThrottlingException"),
    "over its throughput": refused("ProvisionedThroughputExceededException"),
    "over the account's limit": refused("RequestLimitExceeded"),
    "crossed by a transaction": refused("TransactionConflictException"),
}
WITHOUT_EFFECT: dict[str, Fault] = {
    "broken within": refused("InternalServerError", 500),
    "unavailable": refused("ServiceUnavailable", 503),
    "wordless": wordless,
    "silent": silent,
    "unreachable": unreachable,
}
WITH_EFFECT: dict[str, Fault] = {"lost": lost, "broken behind the write": broken_behind}

type Calls = tuple[Callable[[], Admitted], Callable[[], int]]
"""A call, and how often such calls were counted."""


def named(cases: dict[str, Fault]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", cases.values(), ids=cases.keys())


@pytest.fixture
def grounds(dynoxide_store: Store, clock: StoppedClock) -> Grounds:
    return Grounds(clock, the_settings(THROTTLE_LIMIT=str(LIMIT), THROTTLE_LIMIT_ANONYMOUS=str(LIMIT)))


def used(store: Store, partition: str, counter: str = "wUsed") -> int:
    item = store.item(partition, "G")
    return 0 if item is None or counter not in item else int(item[counter]["N"])


@pytest.fixture(params=["a key", "a session", "an address"])
def calls(request: pytest.FixtureRequest, dynoxide_store: Store, grounds: Grounds) -> Calls:
    """At a function that has admitted one."""
    function = grounds.function()
    if request.param == "an address":
        call, count = partial(function.anonymous, HOME), partial(used, dynoxide_store, f"IP#{HOME}")
    else:
        shown = callers.made_key(grounds) if request.param == "a key" else callers.session(grounds)
        call = partial(shown.call, function)
        counter = "wUsed" if request.param == "a key" else "sUsed"
        count = partial(used, dynoxide_store, f"G#{grounds.user_id}", counter)
    call()
    return call, count


@named(NOT_NOW)
def test_a_store_that_is_busy_for_a_moment_is_asked_again_and_it_costs_nothing(
    calls: Calls, patient_time: PatientTime, fault: Fault
) -> None:
    call, count = calls
    with faults("UpdateItem", [fault] * 4) as asked:
        assert call().allowance.remaining == LIMIT - 2
    assert (len(asked), count()) == (5, 2)
    assert patient_time.slept < 0.3


@named(NOT_NOW)
def test_a_store_that_is_busy_for_300_milliseconds_is_503_and_it_costs_nothing(
    calls: Calls, patient_time: PatientTime, fault: Fault
) -> None:
    call, count = calls
    with faults("UpdateItem", [fault] * 10_000), pytest.raises(ServiceUnavailable):
        call()
    assert 0.3 <= patient_time.slept <= 0.5
    assert count() == 1


@named(WITHOUT_EFFECT)
def test_a_write_that_may_have_been_made_is_503_and_is_not_tried_again(calls: Calls, fault: Fault) -> None:
    call, count = calls
    with faults("UpdateItem", [fault]) as asked, pytest.raises(ServiceUnavailable):
        call()
    assert (len(asked), count()) == (1, 1)


@named(WITH_EFFECT)
def test_a_write_whose_answer_is_lost_is_503_and_counts_once(calls: Calls, fault: Fault) -> None:
    call, count = calls
    with faults("UpdateItem", [fault]) as asked, pytest.raises(ServiceUnavailable):
        call()
    assert (len(asked), count()) == (1, 2)
    assert call().allowance.remaining == LIMIT - 3


@pytest.mark.parametrize(
    "code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException", "UnrecognizedClientException"]
)
def test_a_mistake_of_ours_is_not_told_as_a_store_that_does_not_answer(calls: Calls, code: str) -> None:
    with faults("UpdateItem", [refused(code)]) as asked, pytest.raises(ClientError) as mistake:
        calls[0]()
    assert mistake.value.response["Error"]["Code"] == code
    assert len(asked) == 1


def at_random(seed: int, number: int) -> tuple[list[Fault], Sequence[None]]:
    """So many faults, every second of them none, and one entry for each write whose answer was lost."""
    written: list[None] = []

    def of_what_is_written(fault: Fault) -> Fault:
        def meet(request: Any, send: Send) -> Any:
            answer = send()
            if answer.status_code != 200:
                return answer
            written.append(None)
            return fault(request, lambda: answer)

        return meet

    chance = random.Random(seed)  # noqa: S311 - which faults, no secret
    every = [*NOT_NOW.values(), *WITHOUT_EFFECT.values(), *map(of_what_is_written, WITH_EFFECT.values())]
    return [chance.choice([none, chance.choice(every)]) for _ in range(number)], written


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("together", [1, 10], ids=["one by one", "at once"])
def test_however_the_store_fails_never_more_than_the_limit_take_effect(
    dynoxide_store: Store, grounds: Grounds, patient_time: PatientTime, seed: int, together: int
) -> None:
    shown, functions = callers.made_key(grounds), [grounds.function() for _ in range(2)]
    sequence, written = at_random(seed, 400)
    outcomes: Counter[str] = Counter()
    with faults("UpdateItem", sequence):
        for turn in range(100 // together):
            answers = at_once([partial(shown.call, functions[(turn + n) % 2]) for n in range(together)])
            outcomes.update(map(outcome_of, answers))
            assert outcomes["let in"] + len(written) == used(dynoxide_store, f"G#{grounds.user_id}") <= LIMIT
    assert set(outcomes) == {"let in", "over the limit", "503"}
    assert outcomes["let in"] + len(written) == LIMIT


def outcome_of(answer: Any) -> str:
    if isinstance(answer, Admitted):
        return "over the limit" if answer.allowance.is_spent else "let in"
    return "503" if isinstance(answer, ServiceUnavailable) else repr(answer)


# Guesses


def tries(store: Store, subject: str) -> tuple[int, int] | None:
    """Failures, and what is being tried with them."""
    item = store.item(f"TRY#{subject}", "T")
    return None if item is None else (int(item.get("failed", {"N": "0"})["N"]), int(item["flying"]["N"]))


@pytest.fixture
def guess(grounds: Grounds) -> Pass:
    """Wrong for its key id."""
    credential, _ = grounds.make(CredentialType.KEY_AUTH, chosen=True)
    key = key_auth.parse(f"{credential.key_id}.wrong-secret")
    return Pass(lambda function: function.by_secret(CredentialType.KEY_AUTH, key, HOME), token=credential.key_id)


@named(WITHOUT_EFFECT)
@pytest.mark.parametrize("at", [0, 1])
def test_a_guess_that_cannot_be_counted_is_503_and_nothing_of_it_stays_counted(
    dynoxide_store: Store, grounds: Grounds, guess: Pass, fault: Fault, at: int
) -> None:
    with faults("UpdateItem", [*[none] * at, fault]), pytest.raises(ServiceUnavailable):
        guess.call(grounds.function())
    assert tries(dynoxide_store, f"address/{HOME}/{int(START.timestamp()) // 900}") in (None, (0, 0))
    assert tries(dynoxide_store, f"key/{guess.token}/{HOME}") is None


@named({**WITHOUT_EFFECT, **WITH_EFFECT})
def test_a_right_secret_comes_in_though_it_cannot_be_settled_that_it_was_no_guess(
    grounds: Grounds, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    shown, function = callers.chosen_key(grounds), grounds.function()
    with faults("UpdateItem", [none, none, fault, fault]):
        assert callers.is_let_in(shown.call, function)
    assert [record.message for record in caplog.records] == ["an attempt was not settled"] * 2


def test_a_wrong_secret_that_cannot_be_settled_stays_among_what_is_being_tried(
    dynoxide_store: Store, grounds: Grounds, guess: Pass
) -> None:
    with faults("UpdateItem", [none, none, silent, silent]), pytest.raises(Unauthenticated):
        guess.call(grounds.function())
    assert tries(dynoxide_store, f"key/{guess.token}/{HOME}") == (0, 1)
