"""The mails that a system has sent, and people who come by way of them."""

import re
import time
from dataclasses import dataclass, field

import httpx

from tests.gateway_process import GatewayProcess
from tests.journeys.client import REGISTER, Answer, House, Key, Person, person

RESET = "mutation ($token: String!, $new: String!) { resetPassword(token: $token, newPassword: $new) }"
REQUEST_RESET = "mutation ($email: String!) { requestPasswordReset(email: $email) }"
VERIFY = "mutation ($token: String!) { verifyEmail(token: $token) { id email emailVerifiedAt } }"
VERIFIED_AT = "{ me { email emailVerifiedAt } }"
CHANGE_PASSWORD = """mutation ($input: ChangePasswordInput!) { changePassword(changePasswordInput: $input) {
  accessToken refreshToken user { id username email }
} }"""
ACCEPT = """mutation ($input: AcceptInvitationInput!) { acceptInvitation(acceptInvitationInput: $input) {
  accessToken refreshToken user { id username email firstName role emailVerifiedAt }
} }"""
NOT_VALID = {"code": "BAD_REQUEST", "statusCode": 400, "field": "token", "reason": "TOKEN_NOT_VALID"}

_SECONDS_FOR_A_MAIL = 10
_MAILED = re.compile(r"gatehouse_(verify|change|reset|invite|begin)_[0-9A-Za-z_-]{43}")


@dataclass(frozen=True)
class Letter:
    """A mail in the outbox."""

    to: str
    subject: str
    text: str = field(repr=False)
    token: str = field(repr=False)


class Mailing(House):
    """A system whose mails are read: every mail that comes by way of the outbox is read once, in any order."""

    def __init__(self, gateway: GatewayProcess) -> None:
        super().__init__(gateway)
        self._read: set[int] = set()

    def letters(self) -> list[Letter]:
        """All mails that were sent until now, the oldest first."""
        told: list[dict[str, str]] = httpx.get(self.url.removesuffix("/graphql") + "/local/outbox").json()
        self.secrets |= {mail["token"] for mail in told if mail["token"]}
        return [Letter(mail["to"], mail["subject"], mail["text"], mail["token"] or "") for mail in told]

    def letter(self, to: str, about: str) -> Letter:
        """The first mail to the address about this that was not read before, waited for."""
        deadline = time.monotonic() + _SECONDS_FOR_A_MAIL
        while time.monotonic() < deadline:
            for number, letter in enumerate(self.letters()):
                if (letter.to, letter.subject) == (to, f"Gatehouse: {about}") and number not in self._read:
                    self._read.add(number)
                    assert bool(_MAILED.search(letter.text)) == bool(letter.token)
                    return letter
            time.sleep(0.01)
        raise AssertionError(f"No mail came to {to} about this: {about}")

    def subjects(self, to: str) -> list[str]:
        """What the address was mailed about until now, all that was asked for before included."""
        # One more mail comes behind the others, through the same stream and the same queue.
        self.reset_link(self.person().email)
        return [letter.subject.removeprefix("Gatehouse: ") for letter in self.letters() if letter.to == to]

    def registered(self) -> Person:
        """Somebody who has signed up, and whose email nobody has verified."""
        new = self.names()
        return person(self.graphql(REGISTER, {"input": new}).data["register"], new["password"])

    def password(self) -> str:
        """One that nobody has."""
        return self.names("new")["password"]

    def reset_link(self, email: str) -> str:
        """The token of a link that was asked for and mailed."""
        assert self.graphql(REQUEST_RESET, {"email": email}).data == {"requestPasswordReset": True}
        return self.letter(email, "choose a new password").token

    def reset(self, token: str, new: str) -> Answer:
        return self.graphql(RESET, {"token": token, "new": new})

    def verify(self, token: str, by: Person | Key | None) -> Answer:
        return self.graphql(VERIFY, {"token": token}, by=by)

    def change_password(self, who: Person | Key | None, current: str, new: str) -> Answer:
        given = {"currentPassword": current, "newPassword": new}
        return self.graphql(CHANGE_PASSWORD, {"input": given}, by=who)
