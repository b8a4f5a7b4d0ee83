"""Who may open an account here, and with which email."""

from dataclasses import dataclass
from enum import StrEnum

from gatehouse.consumers.fields import unique_form
from gatehouse.errors import BadRequest


class Mode(StrEnum):
    """How accounts are opened."""

    OPEN = "OPEN"
    VERIFY_FIRST = "VERIFY_FIRST"
    INVITE_ONLY = "INVITE_ONLY"


@dataclass(frozen=True)
class Admittance:
    """How accounts are opened, and with emails of which domains (none: of all)."""

    mode: Mode
    domains: frozenset[str]

    def check_domain(self, email: str, field: str) -> None:
        """Nothing, where the address may be used; raises BadRequest. `field` is what the caller calls it."""
        if self.domains and unique_form(email).rpartition("@")[2] not in self.domains:
            raise BadRequest("An email of this domain cannot be used here.", field=field, reason="EMAIL_DOMAIN")
