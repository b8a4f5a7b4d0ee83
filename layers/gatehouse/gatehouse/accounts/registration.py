"""Accounts opened by who will own them: openly, by a link that shows the mailbox is theirs, or on invitation only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from gatehouse.accounts import one_use
from gatehouse.accounts.admittance import Admittance, Mode
from gatehouse.accounts.changes import AccountChanges, AccountFinder, NewAccount
from gatehouse.accounts.emails import verification
from gatehouse.accounts.model import Origin, SignIn
from gatehouse.accounts.one_use import NOBODY, OneUseToken, Purpose, not_valid
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.sign_ins import SignIns
from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction, AuditEvent
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.creation import NewUser, fresh_user
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import Kind, Role, User
from gatehouse.errors import Conflict, Forbidden
from gatehouse.mail.model import MailKind
from gatehouse.mail.writing import MailboxFull, Writer, mailbox_is_full
from gatehouse.permissions import Action, Caller, require
from gatehouse.text import masked


class Acceptance(TypedDict, total=False):
    """What `accept` takes."""

    token: str
    username: str | None
    password: str
    first_name: str | None
    last_name: str | None


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What an ADMIN is told of an invitation; its link goes to the mailbox alone."""

    email: str
    role: Role
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The use cases. `admittance` tells the rules that are in force.

    `require_fresh` raises TwoFactorRequired where a caller has to give a code first.
    """

    finder: AccountFinder
    changes: AccountChanges
    clock: Clock
    hasher: PasswordHasher
    policy: PasswordPolicy
    sign_ins: SignIns
    writer: Writer
    recorder: Recorder
    admittance: Callable[[], Admittance]
    needs_verified_email: bool
    require_fresh: Callable[[Caller], None]

    def register(self, new: NewUser, origin: Origin) -> SignIn | None:
        """A new USER, signed in; None where a mail says how it goes on, and nothing else does.

        Raises BadRequest, Conflict for a taken name, Forbidden where accounts are opened on invitation only.
        """
        admittance = self.admittance()
        if admittance.mode is Mode.INVITE_ONLY:
            raise Forbidden("An account is opened here on invitation only.", reason="REGISTRATION_CLOSED")
        user = fresh_user(new, self.clock, role=Role.USER, kind=Kind.USER, is_verified=False)
        admittance.check_domain(user.email, "email")
        password = new["password"] or ""
        self.policy.check(password, username=user.username, email=user.email)
        if admittance.mode is Mode.VERIFY_FIRST:
            self._mail_registration(user, origin)
            return None
        kept, mail = verification(user, self.writer)
        if self.needs_verified_email:
            event = self._registered(acting.stranger(origin), user)
            self._create(NewAccount(user=user, password_hash=self.hasher.hash(password), makes=kept, mail=mail), event)
            return None
        session, token = self.sign_ins.begin(user.id, 0, origin)
        password_hash = self.hasher.hash(password)
        event = self._registered(acting.person(user, session.id, origin), user)
        self._create(NewAccount(user=user, password_hash=password_hash, session=session, makes=kept, mail=mail), event)
        return self.sign_ins.answer(user, session, token)

    def invite(self, caller: Caller, email: str, role: Role) -> Invitation:
        """An invitation, whose link is mailed; raises BadRequest, Conflict for a taken email, RateLimitExceeded."""
        require(caller, Action.INVITE_USER)
        if role is not Role.USER:
            require(caller, Action.CHANGE_ROLE)
            self.require_fresh(caller)
        if self.finder.find_account(unique_form(fields.email(email))) is not None:
            raise Conflict("This email is taken.", field="email")
        payload = {"email": email, "role": role.value, "by": caller.consumer_id or ""}
        link = one_use.issue(Purpose.INVITATION, NOBODY, self.clock.now(), payload=payload)
        event = self.recorder.event(
            AuditAction.INVITED, acting.caller(caller), after={"maskedEmail": masked(email), "role": role.value}
        )
        try:
            self.changes.ask(link[1], [self.writer.write(MailKind.INVITATION, email, link)], event)
        except MailboxFull as error:
            raise mailbox_is_full() from error
        return Invitation(email=email, role=role, expires_at=link[1].expires_at)

    def accept(self, given: Acceptance, origin: Origin) -> SignIn:
        """The new user of an invitation, or of a registration that began with a mail, signed in.

        Raises BadRequest, and Conflict for a taken name.
        """
        kept = self.changes.get_one_use(OneUseToken.parse(given["token"], Purpose.INVITATION), self.clock.now())
        if self.admittance().mode is Mode.INVITE_ONLY and "by" not in kept.payload:
            raise not_valid()
        new: NewUser = {
            "email": kept.payload["email"],
            "username": given.get("username") or kept.payload.get("username") or "",
            "password": given["password"],
            "first_name": given.get("first_name") or kept.payload.get("first_name"),
            "last_name": given.get("last_name") or kept.payload.get("last_name"),
        }
        role = Role(kept.payload["role"])
        user = fresh_user(new, self.clock, role=role, kind=Kind.USER, is_verified=True)
        self.policy.check(given["password"], username=user.username, email=user.email)
        session, token = self.sign_ins.begin(user.id, 0, origin)
        new_account = NewAccount(
            user=user,
            password_hash=self.hasher.hash(given["password"]),
            session=session,
            uses=kept,
            invited_by=kept.payload.get("by"),
        )
        event = self.recorder.event(
            AuditAction.INVITATION_ACCEPTED,
            acting.person(user, session.id, origin),
            subject_id=user.id,
            after=told.user(user),
        )
        self.changes.create_account(new_account, self.clock.now(), event)
        return self.sign_ins.answer(user, session, token)

    def _registered(self, who: acting.Who, user: User) -> AuditEvent:
        return self.recorder.event(AuditAction.USER_REGISTERED, who, subject_id=user.id, after=told.user(user))

    def _mail_registration(self, user: User, origin: Origin) -> None:
        """Mails a link to go on with, or that there is an account already; what is done and answered is alike."""
        taken_by = self.finder.find_account(unique_form(user.email))
        link = one_use.issue(Purpose.INVITATION, NOBODY, self.clock.now(), payload=_begun(user))
        if taken_by is None:
            mail = self.writer.write(MailKind.REGISTRATION, user.email, link)
        else:
            mail = self.writer.write(MailKind.ACCOUNT_EXISTS, taken_by.user.email)
        event = self.recorder.event(AuditAction.REGISTRATION_ASKED, acting.stranger(origin))
        try:
            self.changes.ask(link[1], [mail], event)
        except MailboxFull:
            return  # who asks is told the same, whatever there is at the address

    def _create(self, new: NewAccount, event: AuditEvent) -> None:
        try:
            self.changes.create_account(new, self.clock.now(), event)
        except MailboxFull:
            # The account does not wait for the mailbox; its owner can ask for another mail.
            unmailed = NewAccount(user=new.user, password_hash=new.password_hash, session=new.session)
            self.changes.create_account(unmailed, self.clock.now(), event)


def _begun(user: User) -> dict[str, str]:
    """What is kept of a registration until its link is used; no password, which whoever uses the link chooses."""
    names = {"first_name": user.first_name, "last_name": user.last_name}
    told = {name: text for name, text in names.items() if text is not None}
    return {"email": user.email, "role": Role.USER.value, "username": user.username, **told}
