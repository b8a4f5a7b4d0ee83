"""An app on somebody's phone that shows codes, and signing in with one."""

import base64
from datetime import datetime

from gatehouse.accounts import totp
from tests.journeys.client import LOGIN, Answer, House, Person

ENABLE = "mutation { enableTwoFactor { secret uri qr } }"
CONFIRM = "mutation ($code: String!) { confirmTwoFactor(code: $code) { recoveryCodes } }"
DISABLE = "mutation ($code: String!) { disableTwoFactor(code: $code) }"
COMPLETE = """mutation ($challenge: String!, $code: String!) {
  completeTwoFactorLogin(challenge: $challenge, code: $code) {
    accessToken refreshToken expiresIn user { id username email role isActive }
  }
}"""


class Phone:
    """An app on the phone of somebody who is signed in, which has read the secret."""

    def __init__(self, house: House, owner: Person) -> None:
        self.house = house
        self.owner = owner
        self.told = house.graphql(ENABLE, by=owner).data["enableTwoFactor"]
        self.secret = base64.b32decode(self.told["secret"])

    def code(self) -> str:
        """What it shows half a minute later, so that it was not used yet."""
        now = datetime.fromisoformat(self.house.pass_seconds(30))
        return totp.code_at(self.secret, totp.step_of(now))

    def confirm(self) -> list[str]:
        codes: list[str] = self.send(CONFIRM).data["confirmTwoFactor"]["recoveryCodes"]
        self.house.secrets |= set(codes)
        return codes

    def send(self, mutation: str, code: str | None = None) -> Answer:
        return self.house.graphql(mutation, {"code": code or self.code()}, by=self.owner)


def login(house: House, who: Person) -> Answer:
    return house.graphql(LOGIN, {"input": {"email": who.email, "password": who.password}})


def challenge_of(answer: Answer) -> str:
    told = answer.extensions
    challenge = told.pop("challenge")
    assert told == {"code": "TWO_FACTOR_REQUIRED", "statusCode": 401}
    assert isinstance(challenge, str)
    return challenge


def complete(house: House, challenge: str, code: str) -> Answer:
    return house.graphql(COMPLETE, {"challenge": challenge, "code": code})
