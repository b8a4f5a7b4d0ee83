"""One request that was answered, as the access log and the figures tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatehouse.admission.meters import Allowance
from gatehouse.counts import Counted, Fact
from gatehouse.errors import Forbidden, RateLimitExceeded, Unauthenticated
from gatehouse.permissions import Caller

MESSAGE = "request"
"""What every line of the access log says; the rest are fields."""

_REFUSALS = frozenset({Unauthenticated.code, Forbidden.code})
_SIGN_IN_FAILED = frozenset({"WRONG_CREDENTIALS", "WRONG_CODE"})
_CLIENT_REFUSED = "invalid_client"  # as RFC 6749 has it


@dataclass(frozen=True)
class Problem:
    """An error that was told, by its code and its reason."""

    code: str
    reason: str | None = None

    @property
    def is_failed_sign_in(self) -> bool:
        is_persons = self.code == Unauthenticated.code and self.reason in _SIGN_IN_FAILED
        return is_persons or self.code == _CLIENT_REFUSED


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Facts of a request, none of them a text that a caller sent.

    `query` holds the names of known root fields; `operation` is one of few names, see `counts`. `caller` and
    `allowance` are None where nobody was admitted.
    """

    method: str
    endpoint: str
    status: int
    seconds: float
    operation: str
    query: Sequence[str] = ()
    caller: Caller | None = None
    allowance: Allowance | None = None
    problems: Sequence[Problem] = ()

    @property
    def line(self) -> dict[str, Any]:
        """The fields of its line, in the words of the seed; the logger adds timestamp and correlation id."""
        fields = {
            "userId": self.caller and self.caller.consumer_id,
            "method": self.method,
            "endpoint": self.endpoint,
            "query": ",".join(self.query) or None,
            "statusCode": self.status,
            "responseTime": self._milliseconds,
            "sessionId": self.caller and self.caller.session_id,
            "credentialId": self.caller and self.caller.credential_id,
            "remaining": self.allowance and self.allowance.remaining,
            "codes": [problem.code for problem in self.problems] or None,
        }
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def facts(self) -> list[Fact]:
        """What it adds to the figures: each error counts, and a request is refused or throttled but once."""
        codes = {problem.code for problem in self.problems}
        is_refused = self.status in (Unauthenticated.status, Forbidden.status) or codes & _REFUSALS
        is_throttled = self.status == RateLimitExceeded.status or RateLimitExceeded.code in codes
        return [
            Fact(Counted.LATENCY, self._milliseconds, by=self.operation),
            *(Fact(Counted.ERRORS, by=problem.code) for problem in self.problems),
            *(Fact(Counted.FAILED_SIGN_INS) for problem in self.problems if problem.is_failed_sign_in),
            *([Fact(Counted.REFUSED)] if is_refused else []),
            *([Fact(Counted.THROTTLED)] if is_throttled else []),
        ]

    @property
    def _milliseconds(self) -> float:
        return round(self.seconds * 1000, 1)
