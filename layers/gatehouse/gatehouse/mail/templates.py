"""How every mail is worded; no text that a caller chose is in any of them."""

import string
from collections.abc import Mapping
from dataclasses import dataclass

from gatehouse.mail.model import MailKind

_OF_EVERY_MAIL = frozenset({"at"})
_OF_A_LINK = frozenset({"until"})


@dataclass(frozen=True)
class Template:
    """The parts of a mail in their order: paragraphs, what its link is called, what is above its list, paragraphs.

    Every gap `at` is filled with the time of what happened, `until` with the end of the link's life.
    """

    subject: str
    before: tuple[str, ...]
    link: str | None = None
    listing: str | None = None
    nothing_listed: str = ""
    after: tuple[str, ...] = ()

    @property
    def words(self) -> frozenset[str]:
        """The other gaps, which a mail's own words have to fill."""
        gaps = {
            name for part in (*self.before, *self.after) for _, name, _, _ in string.Formatter().parse(part) if name
        }
        return frozenset(gaps) - _OF_EVERY_MAIL - _OF_A_LINK


_ONCE = "The link works once, until {until}."
_NOT_YOU = "If it was not you, there is nothing to do: without the link nothing happens."
_TELL_US = "If it was not you, please tell the people who run this service at once."

TEMPLATES: Mapping[MailKind, Template] = {
    MailKind.VERIFY_EMAIL: Template(
        "Gatehouse: please confirm your email address",
        (
            "On {at} somebody asked us to confirm that this address belongs to their account.",
            "If it was you, sign in and confirm it.",
        ),
        link="Confirm this address",
        after=(_ONCE, _NOT_YOU),
    ),
    MailKind.CONFIRM_NEW_EMAIL: Template(
        "Gatehouse: please confirm your new email address",
        (
            "On {at} somebody asked to use this address for their account from now on.",
            "If it was you, sign in and confirm it. Until then your account keeps its old address.",
        ),
        link="Use this address",
        after=(_ONCE, _NOT_YOU),
    ),
    MailKind.EMAIL_CHANGE_ASKED: Template(
        "Gatehouse: your email address is about to change",
        (
            "On {at} somebody who was signed in to your account asked to give it another email address.",
            "This address stays in use until the new one is confirmed. If it was you, there is nothing to do here.",
        ),
        after=("If it was not you, change your password now: that ends all other sessions, and the change with them.",),
    ),
    MailKind.EMAIL_CHANGED: Template(
        "Gatehouse: your email address has changed",
        ("On {at} your account got another email address. This is the last mail to the old one.",),
        after=(_TELL_US,),
    ),
    MailKind.PASSWORD_RESET: Template(
        "Gatehouse: choose a new password",
        ("On {at} somebody asked for a new password for your account. If it was you, choose one now.",),
        link="Choose a new password",
        after=(_ONCE, "If it was not you, there is nothing to do: your password stays as it is."),
    ),
    MailKind.PASSWORD_CHANGED: Template(
        "Gatehouse: your password has changed",
        ("On {at} the password of your account was changed. All other sessions have ended.",),
        listing="Programs do not sign in with your password. These credentials of yours still work:",
        nothing_listed="There are no credentials for programs that still work.",
        after=("If it was not you, ask for a new password now, and delete every credential that you do not know.",),
    ),
    MailKind.NEW_ADDRESS: Template(
        "Gatehouse: a sign-in from a new address",
        (
            "On {at} somebody signed in to your account from an address that we had not seen before.",
            "The address was {address}, and the device {device}.",
        ),
        after=("If it was you, all is well. If it was not, change your password now: that ends all other sessions.",),
    ),
    MailKind.TOKEN_REUSED: Template(
        "Gatehouse: we ended a session of yours",
        (
            "On {at} somebody came back with a token of your session that had been replaced long before.",
            "It may have been copied, so we ended that session to be safe. You can sign in again as usual.",
        ),
        after=("If you do not know how it came to this, change your password as well.",),
    ),
    MailKind.ACCOUNT_EXISTS: Template(
        "Gatehouse: you have an account already",
        (
            "On {at} somebody tried to open an account with this address.",
            "There is one already, and nothing has changed.",
        ),
        after=(
            "If it was you, sign in; if you forgot your password, ask for a new one.",
            "If it was not you, there is nothing to do.",
        ),
    ),
    MailKind.REGISTRATION: Template(
        "Gatehouse: finish opening your account",
        ("On {at} somebody asked to open an account with this address. If it was you, choose your password now.",),
        link="Finish opening the account",
        after=(_ONCE, _NOT_YOU),
    ),
    MailKind.INVITATION: Template(
        "Gatehouse: you are invited",
        ("On {at} you were invited to open an account. Follow the link to choose your name and your password.",),
        link="Accept the invitation",
        after=(_ONCE, "If you do not want an account, there is nothing to do."),
    ),
    MailKind.TWO_FACTORS_ON: Template(
        "Gatehouse: two-factor sign-in is on",
        ("Since {at} signing in to your account takes a code from your app as well as your password.",),
        after=("Keep your recovery codes where you find them without your phone.", _TELL_US),
    ),
    MailKind.TWO_FACTORS_OFF: Template(
        "Gatehouse: two-factor sign-in is off",
        ("Since {at} signing in to your account takes your password alone.",),
        after=("If it was not you, change your password now, and switch two-factor sign-in on again.",),
    ),
    MailKind.TWO_FACTORS_RESET: Template(
        "Gatehouse: two-factor sign-in was reset",
        (
            "On {at} an administrator switched off the second factor of your account, with all its recovery codes.",
            "Signing in takes your password alone. If you asked for that, switch it on again with your new app.",
        ),
        after=("If you did not ask for it, please tell the people who run this service at once.",),
    ),
    MailKind.ACCOUNT_LOCKED: Template(
        "Gatehouse: your account is locked",
        (
            "There were very many wrong passwords for your account, the last on {at}. None of them got in.",
            "To keep it safe, nobody can sign in to it with the password that it has now.",
        ),
        after=("To sign in again, ask for a new password and choose one.",),
    ),
    MailKind.ACCOUNT_DORMANT: Template(
        "Gatehouse: nobody uses your account",
        (
            "Your account has not been used for a long time, by you or by any program of yours.",
            "If that stays so, it is switched off after {day}. To keep it, sign in before.",
        ),
        after=("If you do not need it any more, there is nothing to do.",),
    ),
    MailKind.ACCOUNT_DEACTIVATED: Template(
        "Gatehouse: your account is switched off",
        (
            "Your account has not been used for a long time. On {at} it was switched off, and its credentials with it.",
            "To switch it on again, ask for a new password and choose one.",
        ),
    ),
    MailKind.FIRST_ADMIN: Template(
        "Gatehouse: set your password",
        ("On {at} an ADMIN account was made for you. Follow the link to set its password.",),
        link="Set your password",
        after=(_ONCE,),
    ),
}
