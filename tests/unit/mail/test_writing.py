"""Writing mails: what is in one, that its token is sealed, and that a mailbox gets few that anybody can ask for."""

from datetime import timedelta

import pytest

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.credentials.model import CredentialType
from gatehouse.ids import parse_id
from gatehouse.mail.model import Mail, MailKind
from tests.contracts.made_up import a_credential
from tests.unit.fakes import StoppedClock, a_user
from tests.unit.post import SEAL, the_writer

NOTICES = {
    MailKind.EMAIL_CHANGE_ASKED,
    MailKind.EMAIL_CHANGED,
    MailKind.PASSWORD_CHANGED,
    MailKind.NEW_ADDRESS,
    MailKind.TOKEN_REUSED,
    MailKind.TWO_FACTORS_ON,
    MailKind.TWO_FACTORS_OFF,
    MailKind.TWO_FACTORS_RESET,
    MailKind.ACCOUNT_LOCKED,
}


def test_a_mail_with_a_link_has_its_token_sealed_and_the_end_of_its_life(clock: StoppedClock) -> None:
    link = issue(Purpose.RESET, "owner", clock.now())
    mail = the_writer(clock).write(MailKind.PASSWORD_RESET, "jo@example.com", link)

    assert mail is not None
    assert mail.sealed_token is not None
    assert mail == Mail(
        id=mail.id,
        kind=MailKind.PASSWORD_RESET,
        to="jo@example.com",
        words={"until": "1 March 2026 at 13:00 UTC"},
        sealed_token=mail.sealed_token,
        created_at=clock.now(),
    )
    assert parse_id(mail.id) == mail.id
    assert SEAL.open(mail.sealed_token, mail.id) == link[0]
    assert link[0].text()[-43:] not in mail.sealed_token


def test_of_live_credentials_type_and_key_id_are_told_and_no_label(clock: StoppedClock) -> None:
    owner = a_user()
    live = [a_credential(owner, label="my secret plan"), a_credential(owner, "g-2", type=CredentialType.JWT)]
    mail = the_writer(clock).write(MailKind.PASSWORD_CHANGED, "jo@example.com", listed=live)

    assert mail is not None
    assert mail.listed == ("KEY_AUTH, mobile-app", "JWT, g-2")


def test_what_a_template_does_not_ask_for_or_lacks_is_a_mistake_at_once(clock: StoppedClock) -> None:
    writer, link = the_writer(clock), issue(Purpose.RESET, "owner", clock.now())
    for write in (
        lambda: writer.write(MailKind.NEW_ADDRESS, "jo@example.com", words={"address": "192.0.2.1"}),
        lambda: writer.write(MailKind.TWO_FACTORS_ON, "jo@example.com", words={"address": "192.0.2.1"}),
        lambda: writer.write(MailKind.TWO_FACTORS_ON, "jo@example.com", link),
        lambda: writer.write(MailKind.PASSWORD_RESET, "jo@example.com"),
    ):
        with pytest.raises(ValueError, match="needs"):
            write()


def test_a_mailbox_gets_three_an_hour_in_whatever_spelling_and_another_one_its_own(clock: StoppedClock) -> None:
    writer = the_writer(clock)
    kinds = (MailKind.ACCOUNT_EXISTS,) * 5
    spellings = ("jo@example.com", "Jo@Example.com", "JO@EXAMPLE.COM", "jo@example.com", "jo@Example.com")

    written = [writer.write(*each) for each in zip(kinds, spellings, strict=True)]
    assert [mail is not None for mail in written] == [True, True, True, False, False]
    assert writer.write(MailKind.ACCOUNT_EXISTS, "joe@example.com")
    clock.advance(hours=1)
    assert writer.write(MailKind.ACCOUNT_EXISTS, "jo@example.com")


def test_notices_are_always_written_and_take_nobodys_place(clock: StoppedClock) -> None:
    writer = the_writer(clock)
    assert {kind for kind in MailKind if kind.is_notice} == NOTICES
    assert all(writer.write(MailKind.TOKEN_REUSED, "jo@example.com") for _ in range(10))
    assert all(writer.write(MailKind.ACCOUNT_EXISTS, "jo@example.com") for _ in range(3))
    assert writer.write(MailKind.ACCOUNT_EXISTS, "jo@example.com") is None
    assert writer.write(MailKind.TOKEN_REUSED, "jo@example.com")


def test_no_hour_has_more_than_three_wherever_it_begins(clock: StoppedClock) -> None:
    writer, start, written = the_writer(clock), clock.now(), []
    for _ in range(60):
        if writer.write(MailKind.ACCOUNT_EXISTS, "jo@example.com"):
            written.append((clock.now() - start) // timedelta(minutes=1))
        clock.advance(minutes=7)

    assert all(later - earlier >= 60 for earlier, later in zip(written, written[3:], strict=False))
    assert len(written) > 15
