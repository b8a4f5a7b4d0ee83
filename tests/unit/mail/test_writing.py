"""Writing mails: what is in one, and that its token is sealed."""

import pytest

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.credentials.keys import make_key_id
from gatehouse.credentials.model import CredentialType
from gatehouse.ids import parse_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import MailboxFull, mailbox_of
from tests.contracts.made_up import a_credential
from tests.unit.fakes import StoppedClock, a_user
from tests.unit.mailroom import MemoryMailroom
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
    MailKind.ACCOUNT_DORMANT,
    MailKind.ACCOUNT_DEACTIVATED,
}


def test_a_mail_with_a_link_has_its_token_sealed_and_the_end_of_its_life(clock: StoppedClock) -> None:
    link = issue(Purpose.RESET, "owner", clock.now())
    mail = the_writer(clock).write(MailKind.PASSWORD_RESET, "jo@example.com", link)

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


def test_of_live_credentials_nothing_is_told_that_a_caller_chose(clock: StoppedClock) -> None:
    owner, made = a_user(), make_key_id()
    live = [
        a_credential(owner, "CALL-555-0100-TO-SAVE-IT", label="my secret plan"),
        a_credential(owner, made, type=CredentialType.JWT),
    ]
    mail = the_writer(clock).write(MailKind.PASSWORD_CHANGED, "jo@example.com", listed=live)

    assert mail.listed == (
        "KEY_AUTH, with a key id that was chosen, made on 1 March 2026 at 12:00 UTC",
        f"JWT, {made}, made on 1 March 2026 at 12:00 UTC",
    )


@pytest.mark.parametrize("address", ["jo@example.com", "JO@Example.com", "jo+1@example.com", "jo+a+b@example.com"])
def test_a_mailbox_is_counted_once_whatever_its_address_is_spelled_like(address: str) -> None:
    assert mailbox_of(address) == mailbox_of("jo@example.com") != mailbox_of("jo@example.org")


def test_whoever_fills_a_tag_with_notices_silences_nobody_else(clock: StoppedClock) -> None:
    writer, room = the_writer(clock), MemoryMailroom()
    for _ in range(11):
        room.keep(None, [writer.write(MailKind.PASSWORD_CHANGED, "jo+stranger@example.com")])
    room.keep(None, [writer.write(MailKind.PASSWORD_CHANGED, "jo@example.com")])

    assert (len(room.to("jo+stranger@example.com")), len(room.to("jo@example.com"))) == (10, 1)


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


def is_kept(room: MemoryMailroom, mail: Mail) -> bool:
    try:
        room.keep(None, [mail])
    except MailboxFull:
        return False
    return True


def test_a_mail_is_always_written_and_its_mailbox_is_named_without_regard_to_case(clock: StoppedClock) -> None:
    assert all(the_writer(clock).write(MailKind.ACCOUNT_EXISTS, "jo@example.com") for _ in range(10))
    assert mailbox_of("Jo@Example.com") == mailbox_of("jo@example.com") != mailbox_of("joe@example.com")
    assert "jo" not in mailbox_of("jo@example.com")


def test_notices_take_the_place_of_no_other_mail_and_no_other_takes_theirs(clock: StoppedClock) -> None:
    writer, room = the_writer(clock), MemoryMailroom()
    assert {kind for kind in MailKind if kind.is_notice} == NOTICES
    assert all(is_kept(room, writer.write(MailKind.TOKEN_REUSED, "jo@example.com")) for _ in range(9))
    assert all(is_kept(room, writer.write(MailKind.ACCOUNT_EXISTS, "jo@example.com")) for _ in range(3))
    assert not is_kept(room, writer.write(MailKind.ACCOUNT_EXISTS, "Jo@Example.com"))
    assert is_kept(room, writer.write(MailKind.TOKEN_REUSED, "jo@example.com"))


def test_a_mail_for_nobody_is_like_any_other_and_says_so(clock: StoppedClock) -> None:
    link = issue(Purpose.RESET, "nobody", clock.now())
    mail = the_writer(clock).write(MailKind.PASSWORD_RESET, "jo@example.com", link, is_for_nobody=True)

    assert mail.is_for_nobody
    assert mail.sealed_token is not None
    assert not the_writer(clock).write(MailKind.PASSWORD_RESET, "jo@example.com", link).is_for_nobody
