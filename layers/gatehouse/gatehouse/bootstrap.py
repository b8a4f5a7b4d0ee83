"""What whoever has access to the table does for ADMINs: the first is made, and one who is locked out let in again."""

import secrets
import string
from dataclasses import dataclass, field
from typing import Protocol

from gatehouse.accounts import one_use
from gatehouse.accounts.changes import AccountChanges, AccountFinder
from gatehouse.accounts.model import Account
from gatehouse.accounts.one_use import OneUse, OneUseToken, Purpose
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.creation import NewUser, fresh_user
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import Conflict, NotFound
from gatehouse.ids import new_id
from gatehouse.mail.letters import letter, moment
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.service import MailSender

_ALPHABETS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-_.+=%")


class AdminStore(Protocol):
    """Where the first ADMIN is kept."""

    def create_first_admin(
        self, user: User, password_hash: str | None, makes: OneUse | None, event: AuditEvent
    ) -> None:
        """Keeps the user, and the token, where there is no active ADMIN; raises Conflict."""


@dataclass(frozen=True)
class FirstAdmin:
    """The first ADMIN; `password` is told once, and only where it was made here."""

    user: User
    password: str | None = field(repr=False)


@dataclass(frozen=True)
class Bootstrap:
    """The use cases. `sender` is the way out for mails, where there is one."""

    store: AdminStore
    finder: AccountFinder
    changes: AccountChanges
    clock: Clock
    hasher: PasswordHasher
    policy: PasswordPolicy
    recorder: Recorder
    app_url: str
    sender: MailSender | None = None

    def create_first_admin(self, email: str, username: str, password: str | None = None) -> FirstAdmin:
        """The ADMIN; raises BadRequest, or Conflict where there is an ADMIN already or a name is taken."""
        chosen = _make_password(self.policy.min_length) if password is None else password
        user = self._admin({"email": email, "username": username, "password": chosen})
        self.policy.check(chosen, username=username, email=email)
        self.store.create_first_admin(user, self.hasher.hash(chosen), None, self._created(user))
        return FirstAdmin(user, chosen if password is None else None)

    def invite_first_admin(self, email: str, username: str) -> tuple[OneUseToken, OneUse]:
        """What sets the password of the first ADMIN, who has none yet; may be asked for again until one is set.

        Raises BadRequest, or Conflict as above.
        """
        user, now = self._admin({"email": email, "username": username}), self.clock.now()
        payload = {"state": Account(user=user, password_hash=None, sessions=0, generation=0).state}
        begun = one_use.issue(Purpose.BEGIN, user.id, now, payload=payload)
        try:
            self.store.create_first_admin(user, None, begun[1], self._created(user))
        except Conflict:
            account = self.finder.find_account(unique_form(email))
            if account is None or account.password_hash is not None or account.user.role is not Role.ADMIN:
                raise
            return self._begin(account)
        return begun

    def invite_back(self, email: str) -> tuple[OneUseToken, OneUse]:
        """What sets the password of an ADMIN anew, and forgets the failures that lock the account.

        Raises NotFound where no active ADMIN has the email.
        """
        account = self.finder.find_account(unique_form(email))
        if account is None or not account.user.is_active_admin:
            raise NotFound("No active ADMIN has this email.")
        return self._begin(account)

    def _begin(self, account: Account) -> tuple[OneUseToken, OneUse]:
        payload = {"state": account.state}
        begun = one_use.issue(Purpose.BEGIN, account.user.id, self.clock.now(), payload=payload)
        event = self.recorder.event(AuditAction.PASSWORD_RESET_ASKED, acting.ITSELF, subject_id=account.user.id)
        self.changes.ask(begun[1], [], event)
        return begun

    def mail(self, kind: MailKind, email: str, token: OneUseToken, kept: OneUse) -> bool:
        """Whether the link was mailed: not, where there is no way out. Raises MailRefused, ServiceUnavailable."""
        if self.sender is None:
            return False
        now, until = self.clock.now(), {"until": moment(kept.expires_at)}
        mail = Mail(id=new_id(now), kind=kind, to=email, words=until, created_at=now)
        told = letter(mail, self.app_url, token)
        self.sender.send(email, told.subject, told.text, told.html)
        return True

    def _created(self, user: User) -> AuditEvent:
        return self.recorder.event(AuditAction.USER_CREATED, acting.ITSELF, subject_id=user.id, after=told.user(user))

    def _admin(self, new: NewUser) -> User:
        return fresh_user(new, self.clock, role=Role.ADMIN, kind=Kind.USER, is_verified=True)


def _make_password(min_length: int) -> str:
    """A password with every class of characters, and of over 120 bits."""
    must = [secrets.choice(alphabet) for alphabet in _ALPHABETS]
    rest = [secrets.choice("".join(_ALPHABETS)) for _ in range(max(20, min_length) - len(must))]
    mixed = must + rest
    secrets.SystemRandom().shuffle(mixed)
    return "".join(mixed)
