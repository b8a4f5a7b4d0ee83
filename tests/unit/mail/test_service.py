"""Sending: each mail once where nothing fails, again where something does, and never for ever."""

import logging

import pytest

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.service import CLAIM, MailRefused, NoSender, Post
from tests.unit.fakes import StoppedClock
from tests.unit.post import APP_URL, SEAL, MemoryMails, Sent, the_post, the_writer

TO = "jo@example.com"


@pytest.fixture
def mails() -> MemoryMails:
    return MemoryMails()


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def post(mails: MemoryMails, sent: Sent, clock: StoppedClock) -> Post:
    return the_post(mails, sent, clock)


@pytest.fixture
def mail(mails: MemoryMails, clock: StoppedClock) -> Mail:
    written = the_writer(clock).write(MailKind.TWO_FACTORS_ON, TO)
    assert written is not None
    mails.add(written)
    return written


def test_a_mail_is_sent_and_gone(post: Post, mails: MemoryMails, sent: Sent, mail: Mail) -> None:
    post.send(mail.id)

    ((to, subject, text, html),) = sent.letters
    assert (to, subject) == (TO, "Gatehouse: two-factor sign-in is on")
    assert "Keep your recovery codes" in text
    assert "Keep your recovery codes" in html
    assert mails.waiting == {}


def test_a_mail_that_is_gone_was_sent(post: Post, sent: Sent, mail: Mail) -> None:
    post.send(mail.id)
    post.send(mail.id)
    post.send("never there")

    assert len(sent.letters) == 1


def test_the_token_of_a_link_is_opened_on_its_way_out(
    post: Post, mails: MemoryMails, sent: Sent, clock: StoppedClock
) -> None:
    link = issue(Purpose.RESET, "owner", clock.now())
    written = the_writer(clock).write(MailKind.PASSWORD_RESET, TO, link)
    mails.add(written)
    assert written is not None
    post.send(written.id)

    assert f"{APP_URL}/reset-password#token={link[0].text()}\n" in sent.letters[0][2]


def test_a_mail_that_somebody_sends_just_now_is_left_to_them(
    post: Post, mails: MemoryMails, sent: Sent, clock: StoppedClock, mail: Mail
) -> None:
    mails.claim_mail(mail.id, clock.now(), clock.now() + CLAIM)
    with pytest.raises(ServiceUnavailable):
        post.send(mail.id)

    assert sent.letters == []
    assert list(mails.waiting) == [mail.id]


def test_a_mail_that_could_not_be_sent_waits_and_is_sent_when_the_claim_has_ended(
    post: Post, mails: MemoryMails, sent: Sent, clock: StoppedClock, mail: Mail
) -> None:
    sent.faults = [ServiceUnavailable("SES did not answer.")]
    with pytest.raises(ServiceUnavailable):
        post.send(mail.id)
    assert list(mails.waiting) == [mail.id]
    clock.moment += CLAIM
    post.send(mail.id)

    assert [to for to, *_ in sent.letters] == [TO]
    assert mails.waiting == {}


def test_a_mail_that_is_refused_for_good_is_gone_and_told_in_the_log_without_its_address(
    post: Post, mails: MemoryMails, sent: Sent, mail: Mail, caplog: pytest.LogCaptureFixture
) -> None:
    sent.faults = [MailRefused("BadRequestException")]
    with caplog.at_level(logging.ERROR):
        post.send(mail.id)

    assert mails.waiting == {}
    (record,) = caplog.records
    assert (record.message, vars(record)["mail_kind"], vars(record)["refusal"]) == (
        "a mail was refused for good",
        MailKind.TWO_FACTORS_ON,
        "BadRequestException",
    )
    assert TO not in str(vars(record))


def test_without_an_address_to_send_from_nothing_waits(
    mails: MemoryMails, clock: StoppedClock, mail: Mail, caplog: pytest.LogCaptureFixture
) -> None:
    Post(mails, NoSender(), clock, SEAL, APP_URL).send(mail.id)

    assert mails.waiting == {}
    assert [record.message for record in caplog.records] == [
        "a mail was not sent, because there is no address to send from"
    ]


def test_a_mail_can_be_sent_without_having_waited(post: Post, sent: Sent, clock: StoppedClock) -> None:
    written = the_writer(clock).write(MailKind.FIRST_ADMIN, TO, issue(Purpose.BEGIN, "owner", clock.now()))
    assert written is not None
    post.dispatch(written)

    assert "/set-password#token=gatehouse_begin_" in sent.letters[0][2]
