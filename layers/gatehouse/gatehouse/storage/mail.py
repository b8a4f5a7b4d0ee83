"""Mails in the table: written with what they tell, and gone once they are sent."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute

from gatehouse.audit.model import AuditEvent
from gatehouse.clock import from_milliseconds, milliseconds
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.model import KEPT, Mail, MailKind
from gatehouse.mail.writing import mailbox_of
from gatehouse.storage import keys
from gatehouse.storage.audit import add_event
from gatehouse.storage.counting import CountingUpdate, NotWritten
from gatehouse.storage.mailboxes import take_place
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults
from gatehouse.storage.transactions import Drop, Transaction


class MailRecord(Record):
    """A mail that waits to be sent; `claimed_until` is when its sender must be done."""

    kind = UnicodeAttribute()
    to = UnicodeAttribute()
    words: MapAttribute[str, Any] = MapAttribute(null=True)
    listed: ListAttribute[Any] = ListAttribute(null=True)
    sealed_token = UnicodeAttribute(attr_name="sealedToken", null=True)
    created_at = NumberAttribute(attr_name="createdAt")
    claimed_until = NumberAttribute(attr_name="claimedUntil", null=True)
    expires = NumberAttribute()  # seconds: the table's TTL attribute
    owned_by = UnicodeAttribute(attr_name="ownedBy", null=True)

    @classmethod
    def key(cls, mail_id: str) -> "MailRecord":
        return cls(keys.mail(mail_id), keys.MAIL)

    @classmethod
    def of(cls, mail: Mail) -> "MailRecord":
        return cls(
            keys.mail(mail.id),
            keys.MAIL_FOR_NOBODY if mail.is_for_nobody else keys.MAIL,
            kind=mail.kind,
            to="nobody" if mail.is_for_nobody else mail.to,
            words=dict(mail.words) or None,
            listed=list(mail.listed) or None,
            sealed_token=mail.sealed_token,
            created_at=milliseconds(mail.created_at),
            expires=int((mail.created_at + KEPT).timestamp()),
            owned_by=mailbox_of(mail.to, with_tag=True),
        )

    def mail(self) -> Mail:
        return Mail(
            id=keys.mail_id(self.pk),
            kind=MailKind(self.kind),
            to=self.to,
            words={} if self.words is None else self.words.as_dict(),
            listed=tuple(self.listed or ()),
            sealed_token=self.sealed_token,
            created_at=from_milliseconds(int(self.created_at)),
        )


def add_mail(transaction: Transaction, mail: Mail | None) -> None:
    """Adds the mail to the transaction, if there is one; the stream sees to it that it is sent.

    Where its mailbox has had enough, a notice is dropped, and any other means MailboxFull.
    """
    if mail is not None:
        transaction.put(MailRecord.of(mail), otherwise=Drop() if mail.kind.is_notice else None)
        take_place(transaction, mail)


class DynamoMails:
    """The store of `mail.service`, and of notices that nothing else is written with."""

    def claim_mail(self, mail_id: str, now: datetime, until: datetime) -> Mail | None:
        update = CountingUpdate()
        update.sets.append(f"claimedUntil = {update.number(milliseconds(until))}")
        update.conditions.append("attribute_exists(PK)")
        free = f"claimedUntil <= {update.number(milliseconds(now))}"
        update.conditions.append(f"(attribute_not_exists(claimedUntil) OR {free})")
        try:
            item = update.write(keys.mail(mail_id), keys.MAIL)
        except NotWritten as refusal:
            if refusal.item:
                raise ServiceUnavailable("The mail is being sent just now.") from None
            return None
        return MailRecord.from_raw_data(dict(item)).mail()

    def keep_notice(self, mail: Mail | None, event: AuditEvent) -> None:
        transaction = Transaction()
        add_mail(transaction, mail)
        add_event(transaction, event)
        transaction.commit()

    def delete_mail(self, mail_id: str) -> None:
        with store_faults():
            MailRecord.key(mail_id).delete()
