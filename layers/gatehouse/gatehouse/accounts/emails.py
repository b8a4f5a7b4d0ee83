"""Mailboxes shown to be somebody's, and emails changed: both by a link that is used by who is signed in."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from gatehouse.accounts import one_use
from gatehouse.accounts.admittance import Admittance
from gatehouse.accounts.changes import AccountChange, AccountChanges, AccountFinder
from gatehouse.accounts.guard import Guard
from gatehouse.accounts.lockout import account as account_of
from gatehouse.accounts.model import Account, Origin
from gatehouse.accounts.one_use import OneUse, OneUseToken, Purpose, not_valid
from gatehouse.accounts.passwords import PasswordHasher
from gatehouse.accounts.proving import prove_password
from gatehouse.audit import acting, told
from gatehouse.audit.acting import Who
from gatehouse.audit.model import AuditAction
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import User
from gatehouse.errors import BadRequest, Conflict, Forbidden, ServiceUnavailable, Unauthenticated
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import MailboxFull, Writer, mailbox_is_full
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Stale

_ATTEMPTS = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Emails:
    """The use cases. `admittance` tells the rules that are in force.

    `require_fresh` raises TwoFactorRequired where a caller has to give a code first.
    """

    finder: AccountFinder
    changes: AccountChanges
    clock: Clock
    hasher: PasswordHasher
    guard: Guard
    writer: Writer
    recorder: Recorder
    admittance: Callable[[], Admittance]
    needs_verified_email: bool
    require_fresh: Callable[[Caller], None]

    def ask_for_verification(self, caller: Caller) -> None:
        """Mails the caller a link; raises Conflict where there is nothing to verify, RateLimitExceeded after three."""
        require(caller, Action.VERIFY_EMAIL)
        account = self._own(caller)
        if account.user.email_verified_at is not None:
            raise Conflict("This email is verified already.")
        kept, mail = verification(account.user, self.writer)
        event = self.recorder.event(
            AuditAction.EMAIL_VERIFICATION_ASKED, acting.caller(caller), subject_id=account.user.id
        )
        try:
            self.changes.ask(kept, [mail], event)
        except MailboxFull as error:
            raise mailbox_is_full() from error

    def ask_for_change(self, caller: Caller, origin: Origin, new: str, current_password: str) -> None:
        """Mails a link to the new address, and tells the old one; until the link is used all is as it was.

        Whether somebody has the new address is told to nobody but its owner. Raises BadRequest, and TwoFactorRequired
        where a fresh code is needed.
        """
        require(caller, Action.CHANGE_EMAIL)
        email = fields.email(new, "newEmail")
        self.admittance().check_domain(email, "newEmail")
        self.require_fresh(caller)
        user_id, now = caller.consumer_id or "", self.clock.now()
        with self.guard.attempt(account_of(user_id), origin.address, now, origin.correlation_id) as attempt:
            account = self._own(caller)
            prove_password(attempt, self.hasher, account, current_password)
            if email == account.user.email:
                raise BadRequest("newEmail is the present one.", field="newEmail")
            attempt.forgive()
        payload = {"email": email, "state": account.state}
        link = one_use.issue(Purpose.CHANGE_EMAIL, account.user.id, now, payload=payload)
        mails = (
            self.writer.write(MailKind.CONFIRM_NEW_EMAIL, email, link),
            self.writer.write(MailKind.EMAIL_CHANGE_ASKED, account.user.email),
        )
        event = self.recorder.event(
            AuditAction.EMAIL_CHANGE_ASKED, acting.caller(caller), subject_id=account.user.id, after={"newEmail": email}
        )
        try:
            self.changes.ask(link[1], mails, event)
        except MailboxFull:
            return  # others may have filled it, and who asks is not told what happens to an address

    def verify(self, caller: Caller, text: str) -> User:
        """The caller, whose email is now verified, or is the new one; raises BadRequest, or Conflict where it is taken.

        Only its owner uses a link, so that a click of somebody else's blesses nobody's account.
        """
        require(caller, Action.VERIFY_EMAIL)
        token = OneUseToken.parse_any(text, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
        return self._use_link(caller.consumer_id or "", token, acting.caller(caller)).user

    def _use_link(self, user_id: str, token: OneUseToken, who: Who) -> Account:
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            kept, account = self.changes.get_one_use(token, now), self.finder.find_account_of(user_id)
            if account is None or kept.owner != user_id or kept.payload["state"] != _state_for(kept, account):
                raise not_valid()
            email = kept.payload.get("email", account.user.email)
            user = replace(
                account.user,
                email=email,
                email_verified_at=now,
                updated_at=now,
                revision=account.user.revision + 1,
            )
            after, notices = replace(account, user=user), self._notices(account.user, email)
            event = self.recorder.event(
                AuditAction.EMAIL_VERIFIED if kept.purpose is Purpose.VERIFY_EMAIL else AuditAction.EMAIL_CHANGED,
                who,
                subject_id=user_id,
                before=told.user(account.user),
                after=told.user(user),
            )
            change = AccountChange(before=account, after=after, uses=kept, mails=notices)
            try:
                self.changes.change_account(change, now, event)
            except Stale:
                continue
            return after
        raise ServiceUnavailable("This account is being changed by others. Try again.")

    def admit(self, account: Account, text: str | None, origin: Origin) -> Account:
        """The account of who gave the right password, verified by the link's token where they gave that as well.

        Raises Forbidden, and mails another link, where the email has to be verified first; BadRequest for the token.
        """
        if not self.needs_verified_email or account.user.email_verified_at is not None:
            return account
        if text is not None:
            try:
                token = OneUseToken.parse(text, Purpose.VERIFY_EMAIL)
                return self._use_link(account.user.id, token, acting.stranger(origin))
            except BadRequest as error:
                raise not_valid("verificationToken") from error
        kept, mail = verification(account.user, self.writer)
        event = self.recorder.event(
            AuditAction.EMAIL_VERIFICATION_ASKED, acting.stranger(origin), subject_id=account.user.id
        )
        try:
            self.changes.ask(kept, [mail], event)
        except MailboxFull:
            _log.info("a verification was asked for once too often")
        raise Forbidden(
            "This email is to be verified first: sign in with the token of the link in the mail, as verificationToken.",
            reason="EMAIL_NOT_VERIFIED",
        )

    def _own(self, caller: Caller) -> Account:
        account = self.finder.find_account_of(caller.consumer_id or "")
        if account is None:
            raise Unauthenticated("The session has ended.")
        return account

    def _notices(self, user: User, email: str) -> tuple[Mail, ...]:
        if unique_form(email) == unique_form(user.email):
            return ()
        return (self.writer.write(MailKind.EMAIL_CHANGED, user.email),)


def verification(user: User, writer: Writer) -> tuple[OneUse, Mail]:
    """What is kept of a fresh link, and the mail that brings it."""
    payload = {"state": unique_form(user.email)}
    link = one_use.issue(Purpose.VERIFY_EMAIL, user.id, writer.clock.now(), payload=payload)
    return link[1], writer.write(MailKind.VERIFY_EMAIL, user.email, link)


def _state_for(kept: OneUse, account: Account) -> str:
    """What the account must be like for the link: a change is void once something has ended all sessions."""
    return account.state if kept.purpose is Purpose.CHANGE_EMAIL else unique_form(account.user.email)
