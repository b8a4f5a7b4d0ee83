"""A request that was answered: one line in the seed's words, and what it adds to the figures."""

from datetime import timedelta

import pytest

from gatehouse.access import Answered, Problem
from gatehouse.admission.meters import Allowance
from gatehouse.counts import Counted, Fact
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.fakes import START

LEFT = Allowance(limit=10, remaining=0, resets_at=START + timedelta(minutes=1))
LATENCY = Fact(Counted.LATENCY, 25.1, by="users")


def _answered(status: int = 200, *problems: Problem) -> Answered:
    return Answered(
        method="POST", endpoint="/graphql", status=status, seconds=0.02512, operation="users", problems=problems
    )


def _told(*problems: Problem, status: int = 200) -> list[Fact]:
    return [fact for fact in _answered(status, *problems).facts if fact != LATENCY]


def test_a_line_has_the_seeds_fields_and_who_asked_with_what() -> None:
    answered = Answered(
        method="POST",
        endpoint="/graphql",
        status=200,
        seconds=0.02512,
        operation="several",
        query=["users", "me"],
        caller=Caller(consumer_id="uuid-123", credential_id="uuid-456"),
        allowance=LEFT,
        problems=[Problem("FORBIDDEN", "ROLE")],
    )

    assert answered.line == {
        "userId": "uuid-123",
        "method": "POST",
        "endpoint": "/graphql",
        "query": "users,me",
        "statusCode": 200,
        "responseTime": 25.1,
        "credentialId": "uuid-456",
        "remaining": 0,
        "codes": ["FORBIDDEN"],
    }


@pytest.mark.parametrize("caller", [None, ANONYMOUS])
def test_what_is_not_known_is_not_in_the_line(caller: Caller | None) -> None:
    answered = Answered(method="GET", endpoint="/health", status=200, seconds=0, operation="unknown", caller=caller)

    assert answered.line == {"method": "GET", "endpoint": "/health", "statusCode": 200, "responseTime": 0}


def test_a_request_that_went_well_is_its_time() -> None:
    assert _answered().facts == [LATENCY]


@pytest.mark.parametrize(
    ("problem", "also"),
    [
        (Problem("BAD_REQUEST"), []),
        (Problem("FORBIDDEN", "ROLE"), [Fact(Counted.REFUSED)]),
        (Problem("UNAUTHENTICATED"), [Fact(Counted.REFUSED)]),
        (Problem("UNAUTHENTICATED", "WRONG_CREDENTIALS"), [Fact(Counted.FAILED_SIGN_INS), Fact(Counted.REFUSED)]),
        (Problem("UNAUTHENTICATED", "WRONG_CODE"), [Fact(Counted.FAILED_SIGN_INS), Fact(Counted.REFUSED)]),
        (Problem("BAD_REQUEST", "WRONG_CODE"), []),
        (Problem("RATE_LIMIT_EXCEEDED"), [Fact(Counted.THROTTLED)]),
    ],
    ids=str,
)
def test_an_error_is_counted_by_its_code_and_as_what_it_means(problem: Problem, also: list[Fact]) -> None:
    assert _told(problem) == [Fact(Counted.ERRORS, by=problem.code), *also]


def test_a_request_with_many_errors_is_refused_and_throttled_once_and_each_failed_sign_in_counts() -> None:
    wrong, throttled = Problem("UNAUTHENTICATED", "WRONG_CREDENTIALS"), Problem("RATE_LIMIT_EXCEEDED")
    facts = _told(wrong, throttled, wrong, throttled)

    assert [facts.count(Fact(what)) for what in (Counted.FAILED_SIGN_INS, Counted.REFUSED, Counted.THROTTLED)] == [
        *(2, 1, 1)
    ]
    assert len([fact for fact in facts if fact.what is Counted.ERRORS]) == 4


def test_the_codes_of_oauth_are_counted_and_their_status_tells_what_they_mean() -> None:
    assert _told(Problem("invalid_client"), status=401) == [
        Fact(Counted.ERRORS, by="invalid_client"),
        Fact(Counted.FAILED_SIGN_INS),
        Fact(Counted.REFUSED),
    ]
    assert _told(Problem("temporarily_unavailable"), status=429)[1:] == [Fact(Counted.THROTTLED)]
