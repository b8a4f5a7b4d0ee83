"""A password changed by who knows it, and set anew by who reads the mailbox."""

from dataclasses import dataclass, replace

from gatehouse.accounts import one_use
from gatehouse.accounts.changes import AccountChange, AccountChanges, AccountFinder
from gatehouse.accounts.factors import Factor
from gatehouse.accounts.guard import Guard
from gatehouse.accounts.lockout import account as account_of
from gatehouse.accounts.model import Account, Origin, SignIn
from gatehouse.accounts.one_use import NOBODY, OneUse, OneUseToken, Purpose, not_valid
from gatehouse.accounts.passwords import PasswordHasher, PasswordPolicy
from gatehouse.accounts.programs import Programs
from gatehouse.accounts.proving import prove_password
from gatehouse.accounts.sign_ins import SignIns
from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers import fields
from gatehouse.consumers.fields import unique_form
from gatehouse.consumers.model import DeactivatedBy, Kind
from gatehouse.errors import BadRequest, Conflict, ServiceUnavailable, Unauthenticated
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import MailboxFull, Writer
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Stale

_ATTEMPTS = 5
_REACTIVATED_BY_RESET = (None, DeactivatedBy.OWNER, DeactivatedBy.SWEEP)


@dataclass(frozen=True, kw_only=True)
class PasswordChanges:
    """The use cases."""

    finder: AccountFinder
    changes: AccountChanges
    programs: Programs
    clock: Clock
    hasher: PasswordHasher
    policy: PasswordPolicy
    guard: Guard
    sign_ins: SignIns
    writer: Writer
    recorder: Recorder

    def change(self, caller: Caller, origin: Origin, current: str, new: str) -> SignIn:
        """A fresh sign-in with the new password; all other sessions have ended, and the owner is told.

        Raises BadRequest for a wrong `current`, which counts as at a sign-in, and for a `new` that may not be set;
        Conflict where another change came first.
        """
        require(caller, Action.CHANGE_PASSWORD)
        user_id, now = caller.consumer_id or "", self.clock.now()
        with self.guard.attempt(account_of(user_id), origin.address, now, origin.correlation_id) as attempt:
            proved: str | None = None
            for _ in range(_ATTEMPTS):
                account = self._own(caller)
                if proved is None:
                    prove_password(attempt, self.hasher, account, current)
                    proved = account.password_hash
                elif account.password_hash != proved:
                    raise Conflict("The password has just been changed.")
                if new == current:
                    raise BadRequest("newPassword must differ from the present password.", field="newPassword")
                after = self._with_password(account, new)
                session, token = self.sign_ins.begin(account.user.id, after.generation, origin)
                change = AccountChange(before=account, after=after, session=session, mails=(self._told(account),))
                event = self.recorder.event(
                    AuditAction.PASSWORD_CHANGED, acting.caller(caller), subject_id=account.user.id
                )
                try:
                    self.changes.change_account(change, self.clock.now(), event)
                except Stale:
                    continue
                attempt.forgive()
                return self.sign_ins.answer(after.user, session, token)
        raise _changing()

    def ask_for_reset(self, email: str, origin: Origin) -> None:
        """Mails a link to the owner of the address; what is done and answered is alike where there is none.

        Raises BadRequest for a text that cannot be an address.
        """
        account = self.finder.find_account(unique_form(fields.email(email)))
        may_reset = account is not None and _may_reset(account)
        payload = {"state": account.state} if account is not None and may_reset else {}
        owner = account.user.id if account is not None and may_reset else NOBODY
        link = one_use.issue(Purpose.RESET, owner, self.clock.now(), payload=payload)
        to = account.user.email if account is not None and may_reset else email
        mail = self.writer.write(MailKind.PASSWORD_RESET, to, link, is_for_nobody=not may_reset)
        event = self.recorder.event(
            AuditAction.PASSWORD_RESET_ASKED,
            acting.stranger(origin),
            subject_id=account.user.id if account is not None and may_reset else None,
        )
        try:
            self.changes.ask(link[1], [mail], event)
        except MailboxFull:
            return  # who asks is told the same, whatever there is at the address

    def reset(self, text: str, new: str, origin: Origin) -> None:
        """Sets the password of the account whose link it is, ends all its sessions and forgets its failures.

        It signs nobody in: a second factor is asked for at the next sign-in. Where the mailbox was never shown to be
        the owner's, whoever opened the account may be a stranger: all that they put into it goes. What the owner or
        the sweep switched off is on again. Raises BadRequest.
        """
        token = OneUseToken.parse_any(text, Purpose.RESET, Purpose.BEGIN)
        for _ in range(_ATTEMPTS):
            now = self.clock.now()
            kept = self.changes.get_one_use(token, now)
            account = self._owner(kept)
            after = self._with_password(account, new)
            is_strangers = account.user.email_verified_at is None
            if is_strangers:
                self.programs.remove(account.user.id, acting.stranger(origin))
                after = replace(after, factor=Factor())
            user = replace(
                after.user,
                is_active=True,
                deactivated_by=None,
                email_verified_at=now,
                two_factor_enabled=after.factor.is_on,
            )
            change = AccountChange(
                before=account,
                after=replace(after, user=user),
                uses=kept,
                mails=(self._told(account),),
                forgives=True,
                without_programs=is_strangers,
            )
            event = self.recorder.event(
                AuditAction.PASSWORD_RESET,
                acting.stranger(origin),
                subject_id=user.id,
                before={**told.user(account.user), "twoFactorEnabled": account.user.two_factor_enabled},
                after={**told.user(user), "twoFactorEnabled": user.two_factor_enabled},
            )
            try:
                self.changes.change_account(change, now, event)
            except Stale:
                continue
            return
        raise _changing()

    def _own(self, caller: Caller) -> Account:
        account = self.finder.find_account_of(caller.consumer_id or "")
        if account is None or not account.user.is_active:
            raise Unauthenticated("The session has ended.")
        return account

    def _owner(self, kept: OneUse) -> Account:
        account = self.finder.find_account_of(kept.owner)
        if account is None or not _may_reset(account) or kept.payload != {"state": account.state}:
            raise not_valid()
        return account

    def _with_password(self, account: Account, new: str) -> Account:
        """The account with the new password, and none of its sessions; raises BadRequest."""
        user, now = account.user, self.clock.now()
        self.policy.check(new, username=user.username, email=user.email, field="newPassword")
        return replace(
            account,
            user=replace(user, password_changed_at=now, updated_at=now, revision=user.revision + 1),
            password_hash=self.hasher.hash(new),
            generation=account.generation + 1,
        )

    def _told(self, account: Account) -> Mail:
        live = self.programs.live(account.user.id, self.clock.now())
        return self.writer.write(MailKind.PASSWORD_CHANGED, account.user.email, listed=live)


def _may_reset(account: Account) -> bool:
    """Whether the mailbox decides: not where somebody else switched the account off, nor where it has no password."""
    is_persons = account.password_hash is not None or account.user.kind is Kind.USER
    return is_persons and account.user.deactivated_by in _REACTIVATED_BY_RESET


def _changing() -> ServiceUnavailable:
    return ServiceUnavailable("This account is being changed by others. Try again.")
