"""What mailboxes got lately, in the table: when their latest mails were, the newest first.

Of mails that anybody can ask for one gets three an hour, and beyond them a link that sets a password, where it had
none within the hour: so nobody keeps an owner from that link by asking for others. Of notices it gets ten.
"""

from datetime import datetime, timedelta

from pynamodb.attributes import NumberAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Path

from gatehouse.clock import milliseconds
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import MailboxFull, mailbox_of
from gatehouse.storage import keys
from gatehouse.storage.schema import Record
from gatehouse.storage.transactions import Drop, Transaction

WITHIN = timedelta(hours=1)
_PLACES = 3
_PLACES_OF_NOTICES = 10


class MailboxRecord(Record):
    """The times lie in `at1`, `at2` and so on; `reset_at` is that of the latest link that sets a password."""

    reset_at = NumberAttribute(attr_name="resetAt", null=True)
    expires = NumberAttribute()  # seconds: the table's TTL attribute

    @classmethod
    def key(cls, counted: str) -> "MailboxRecord":
        return cls(keys.guesses(f"mail/{counted}"), keys.GUESSES)


def take_place(transaction: Transaction, mail: Mail) -> None:
    """Adds to the transaction that its mailbox gets one more.

    Where it had enough within the hour, that means MailboxFull, and of a notice that it is dropped.
    """
    if mail.kind.is_notice:
        # By the address as it is: a stranger who uses up those of name+tag must not silence what name is warned of.
        _take(transaction, mail, f"{mailbox_of(mail.to, with_tag=True)}/notices", _PLACES_OF_NOTICES, Drop())
    else:
        _take(transaction, mail, mailbox_of(mail.to), _PLACES, MailboxFull())


def _take(transaction: Transaction, mail: Mail, counted: str, places: int, otherwise: Exception) -> None:
    at, reset_at = mail.created_at, MailboxRecord.reset_at
    # The oldest first: so it does not matter whether a store sets them in turn.
    actions = [_place(number).set(_place(number - 1) | 0) for number in range(places, 1, -1)]
    actions.append(_place(1).set(milliseconds(at)))
    actions.append(MailboxRecord.expires.set(int((at + 2 * WITHIN).timestamp())))
    has_room: Condition = _is_old(_place(places), at)
    if mail.kind is MailKind.PASSWORD_RESET:
        has_room |= _is_old(reset_at, at)
        actions.append(reset_at.set(milliseconds(at)))
    transaction.update(MailboxRecord.key(counted), actions, has_room, otherwise=otherwise)


def _is_old(moment: Path | NumberAttribute, now: datetime) -> Condition:
    """That there is none, or it is of more than an hour ago."""
    old: Condition = moment.does_not_exist() | (moment <= milliseconds(now - WITHIN))
    return old


def _place(number: int) -> Path:
    return Path([f"at{number}"])
