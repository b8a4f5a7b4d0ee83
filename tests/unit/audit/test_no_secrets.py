"""No password, code, token or secret gets into an event, nor what one is recognised by: whatever is done."""

import base64
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from gatehouse.accounts.model import Origin
from gatehouse.audit.chain import canonical_json
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.consumers.model import Role
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import TwoFactorRequired
from gatehouse.tokens import CLIENT_ACCESS
from tests.unit.factors import app_code, wrong_code
from tests.unit.fakes import HOME, PASSWORD, TOKENS, MemoryStore, StoppedClock, a_user, the_house
from tests.unit.people import ASKED_FROM_HOME, NEW_PASSWORD, WRONG_PASSWORD, Town, asking, refusal

CHOSEN = "a-secret-that-somebody-chose"
JANE = "jane@example.com"
LOOKS_SECRET = re.compile(r"gatehouse_[a-z]+_|gatehouse_\w{16}\.|eyJ[\w-]+\.|\$2[aby]\$\d")
"""A token of ours, a key with its secret, a JWT, or a hash of bcrypt's."""


class Story:
    """Everything that is done with a secret, and the secrets that were seen meanwhile."""

    def __init__(self, store: MemoryStore, clock: StoppedClock) -> None:
        self.store, self.clock = store, clock
        self.town = Town(store, clock, GUESS_LIMIT_ADDRESS="1000")
        self.house = the_house(store, clock)
        self.admin = asking(self.town.add("root", role=Role.ADMIN))
        self.john = self.town.add("john")
        self.secrets: set[str] = {PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, CHOSEN}

    def tell(self) -> None:
        self._sign_in()
        self._use_links()
        self._use_two_factors()
        self._use_credentials()
        self.secrets |= {digest for kept in (self.store.hashes, self.store.secret_hashes) for digest in _known(kept)}
        self.secrets |= {digest for digest in self.store.previous_hashes.values() if digest is not None}

    def _sign_in(self) -> None:
        signed = self.town.login(self.john, origin=ASKED_FROM_HOME)
        self._see(signed.access_token, signed.refresh_token)
        for number in range(100):
            refusal(self.town.login, self.john, WRONG_PASSWORD, Origin(f"203.0.113.{number // 5}", "curl"))
        self.town.people.unlocking.unlock(self.admin, self.john.id)
        second = self.town.people.accounts.refresh(signed.refresh_token, ASKED_FROM_HOME)
        third = self.town.people.accounts.refresh(second.refresh_token, ASKED_FROM_HOME)
        self._see(second.refresh_token, third.refresh_token)
        self.clock.advance(minutes=1)
        refusal(self.town.people.accounts.refresh, signed.refresh_token, ASKED_FROM_HOME)
        caller = self.town.sign_in(self.john)
        changed = self.town.people.passwords.change(caller, ASKED_FROM_HOME, PASSWORD, NEW_PASSWORD)
        self._see(changed.access_token, changed.refresh_token)
        self.town.people.sessions.revoke_all(self.town.caller(changed), include_credentials=True)

    def _use_links(self) -> None:
        passwords, emails = self.town.people.passwords, self.town.people.emails
        self.town.people.registration.invite(self.admin, JANE, Role.USER)
        given = {"token": self._link(JANE), "username": "jane", "password": PASSWORD}
        jane = self.town.people.registration.accept(given, ASKED_FROM_HOME)  # type: ignore[arg-type]
        passwords.ask_for_reset(JANE, ASKED_FROM_HOME)
        passwords.reset(self._link(JANE), NEW_PASSWORD, ASKED_FROM_HOME)
        caller = self.town.caller(self.town.login(jane.user, NEW_PASSWORD))
        emails.ask_for_change(caller, ASKED_FROM_HOME, "new@example.com", NEW_PASSWORD)
        emails.verify(caller, self._link("new@example.com"))

    def _use_two_factors(self) -> None:
        user = self.town.add("ann")
        caller = self.town.sign_in(user)
        enrolment = self.town.people.two_factor.enable(caller)
        secret = base64.b32decode(enrolment.secret)
        code = app_code(secret, self.clock.now())
        recovery = self.town.people.two_factor.confirm(caller, HOME, code)
        self._see(enrolment.secret, secret.hex(), repr(secret)[2:-1], *recovery)
        self._see(*(digest.hex() for digest in self.store.factors.factor(user.id).recovery))
        self.clock.advance(minutes=1)
        with pytest.raises(TwoFactorRequired) as asked:
            self.town.login(user)
        challenge, now = asked.value.challenge or "", self.clock.now()
        self._see(challenge)
        refusal(self.town.people.accounts.complete_login, challenge, wrong_code(secret, now), ASKED_FROM_HOME)
        self.town.people.accounts.complete_login(challenge, app_code(secret, now), ASKED_FROM_HOME)
        self.town.people.two_factor.disable(caller, HOME, recovery[0])

    def _use_credentials(self) -> None:
        owner, credentials = asking(self.john), self.house.credentials
        for kind in CredentialType:
            made = credentials.create(owner, {"type": kind})
            rotated = credentials.rotate(owner, made.credential.id, 60)
            self._see(made.secret or "", rotated.secret or "")
            credentials.update(owner, made.credential.id, {"label": "x", "is_active": False})
            credentials.delete(owner, made.credential.id)
        chosen = credentials.create(
            owner, {"type": CredentialType.OAUTH2, "key_id": "chosen", "key_secret": CHOSEN}
        ).credential
        own = {"cid": chosen.id, "ver": 1, "client_id": chosen.key_id}
        now = self.clock.now()
        token = TOKENS.issue(CLIENT_ACCESS, self.john.id, own, now, now.replace(year=now.year + 1))
        self._see(token)
        self.house.clients.revoke(self.admin, token)

    def _link(self, address: str) -> str:
        link = self.town.link(address)
        self._see(link)
        return link

    def _see(self, *secrets: str) -> None:
        self.secrets |= {secret for secret in secrets if secret}


def _known(kept: dict[str, str | None]) -> Iterator[str]:
    return (digest for digest in kept.values() if digest is not None)


def everything_in(event: AuditEvent) -> str:
    """All that the event has anywhere: what a log would show, what is sealed, and what is kept."""
    return f"{event!r} {canonical_json(event).decode()} {asdict(event)!r}"


def test_no_secret_is_in_an_event(store: MemoryStore, clock: StoppedClock) -> None:
    story = Story(store, clock)
    story.tell()
    told = [everything_in(event) for event in store.events]

    assert len(story.secrets) > 40
    for secret in story.secrets:
        assert not [text for text in told if secret in text], secret
    assert not [text for text in told if LOOKS_SECRET.search(text)]


def test_the_story_has_every_action_that_somebody_does_with_a_secret(store: MemoryStore, clock: StoppedClock) -> None:
    Story(store, clock).tell()

    assert {event.action for event in store.events} >= {
        AuditAction.SIGNED_IN,
        AuditAction.SIGN_IN_FAILED,
        AuditAction.ACCOUNT_LOCKED,
        AuditAction.ACCOUNT_UNLOCKED,
        AuditAction.TOKEN_REUSED,
        AuditAction.SESSIONS_REVOKED,
        AuditAction.PASSWORD_CHANGED,
        AuditAction.PASSWORD_RESET_ASKED,
        AuditAction.PASSWORD_RESET,
        AuditAction.INVITED,
        AuditAction.INVITATION_ACCEPTED,
        AuditAction.EMAIL_CHANGE_ASKED,
        AuditAction.EMAIL_CHANGED,
        AuditAction.TWO_FACTOR_BEGUN,
        AuditAction.TWO_FACTOR_ON,
        AuditAction.TWO_FACTOR_OFF,
        AuditAction.CREDENTIAL_CREATED,
        AuditAction.CREDENTIAL_UPDATED,
        AuditAction.CREDENTIAL_ROTATED,
        AuditAction.CREDENTIAL_DELETED,
        AuditAction.TOKEN_REVOKED,
    }


def test_of_what_a_person_typed_in_vain_nothing_is_in_an_event(store: MemoryStore, clock: StoppedClock) -> None:
    town = Town(store, clock, REGISTRATION_MODE="VERIFY_FIRST")
    stranger = a_user("stranger-who-typed")
    new: Any = {"username": "stranger-who-typed", "email": stranger.email, "password": PASSWORD}

    refusal(town.login, stranger)
    town.people.passwords.ask_for_reset(stranger.email, ASKED_FROM_HOME)
    town.people.registration.register(new, ASKED_FROM_HOME)

    assert len(store.events) == 3
    assert not [event for event in store.events if "stranger" in everything_in(event)]
    assert {event.subject_id for event in store.events} == {None}


def test_what_tells_of_a_person_is_in_no_repr_and_not_sealed_as_it_is(store: MemoryStore, clock: StoppedClock) -> None:
    house = the_house(store, clock)
    admin = asking(store.add(a_user("root", role=Role.ADMIN)))
    new: Any = {"username": "jane-doe", "email": "jane.doe@example.com", "password": PASSWORD, "last_name": "Doe-Roe"}
    jane = house.consumers.create(admin, new)
    house.consumers.update(admin, jane.id, {"email": "other@example.com"})
    house.credentials.create(asking(jane), {"type": CredentialType.KEY_AUTH, "label": "Jane's phone"})

    for event in store.events:
        shown = f"{event!r} {canonical_json(event).decode()}"
        for text in ("jane", "Jane", "Doe-Roe", "other@", HOME):
            assert text not in shown
