"""A mail waits to be sent: the mail function is told."""

from gatehouse.changes import MailQueue, MailWritten


def follow(fact: MailWritten, mails: MailQueue) -> None:
    mails.put(fact.mail_id)
