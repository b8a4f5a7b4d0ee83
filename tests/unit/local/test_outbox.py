"""The outbox of the local gateway."""

from concurrent.futures import ThreadPoolExecutor

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.mail.model import MailKind
from gatehouse.mail.service import Post
from local.gateway.outbox import Outbox
from tests.unit.fakes import StoppedClock
from tests.unit.post import APP_URL, SEAL, MemoryMails, the_writer


def test_a_mail_is_kept_with_the_token_of_its_link(clock: StoppedClock) -> None:
    outbox = Outbox()
    for purpose, kind in ((Purpose.RESET, MailKind.PASSWORD_RESET), (Purpose.INVITATION, MailKind.INVITATION)):
        token, kept = issue(purpose, "owner", clock.now())
        mail = the_writer(clock).write(kind, "jo@example.com", (token, kept))
        assert mail is not None
        Post(MemoryMails(), outbox, clock, SEAL, APP_URL).dispatch(mail)
        (*_, last) = outbox.mails()
        assert last == {
            "to": "jo@example.com",
            "subject": last["subject"],
            "text": last["text"],
            "token": token.text(),
        }
        assert str(last["text"]).startswith("Hello,")


def test_a_mail_without_a_link_has_no_token() -> None:
    outbox = Outbox()
    outbox.send("jo@example.com", "Subject", "Gatehouse:\nhttps://app.example.com\n", "<p></p>")

    assert outbox.mails() == [
        {"to": "jo@example.com", "subject": "Subject", "text": "Gatehouse:\nhttps://app.example.com\n", "token": None}
    ]


def test_mails_come_in_their_order_and_none_is_lost_under_threads() -> None:
    outbox = Outbox()
    for number in range(3):
        outbox.send(str(number), "", "", "")
    assert [mail["to"] for mail in outbox.mails()] == ["0", "1", "2"]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: outbox.send(str(number), "", "", ""), range(200)))
    assert len(outbox.mails()) == 203
