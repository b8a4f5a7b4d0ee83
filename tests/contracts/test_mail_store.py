"""The ports of mails that wait, `mail.service.MailStore`, and how mailboxes are counted beside them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.service import CLAIM, MailStore, Post
from gatehouse.mail.writing import MailboxFull, mailbox_of
from gatehouse.storage.mail import DynamoMails, add_mail
from gatehouse.storage.mailboxes import WITHIN
from gatehouse.storage.transactions import Transaction
from tests.contracts.faults import PatientTime, faults, lost, refused, silent
from tests.contracts.made_up import at_once
from tests.stores import Store, cost_of
from tests.unit.fakes import START, StoppedClock
from tests.unit.mailroom import MemoryMailroom
from tests.unit.post import APP_URL, SEAL, MemoryMails, Sent, the_writer

MAILBOX = f"TRY#mail/{mailbox_of('jo@example.com')}"
NOTICES = f"{MAILBOX}/notices"
MINUTE = timedelta(minutes=1)

type Add = Callable[[Mail], None]


def a_mail(**changes: Any) -> Mail:
    known = Mail(id=new_id(START), kind=MailKind.TWO_FACTORS_ON, to="jo@example.com", created_at=START)
    return replace(known, **changes)


EVERYTHING = a_mail(
    kind=MailKind.PASSWORD_CHANGED,
    words={"until": "later", "address": "192.0.2.1"},
    listed=("KEY_AUTH, mobile-app", "JWT, g-2"),
    sealed_token="k1 reset abc",
)


def keep(mail: Mail) -> None:
    transaction = Transaction()
    add_mail(transaction, mail)
    transaction.commit()


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def mails(request: pytest.FixtureRequest) -> tuple[MailStore, Add]:
    """Mails that wait, on each implementation in turn, and how one gets there."""
    if request.param == "memory":
        memory = MemoryMails()
        return memory, memory.add
    request.getfixturevalue(f"{request.param}_store")
    return DynamoMails(), keep


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def mailboxes(request: pytest.FixtureRequest) -> Add:
    """How a mail is kept with its place in its mailbox, on each implementation in turn."""
    if request.param == "memory":
        room = MemoryMailroom()
        return lambda mail: room.keep(None, [mail])
    request.getfixturevalue(f"{request.param}_store")
    return keep


def claim(store: MailStore, mail: Mail, at: datetime = START) -> Mail | None:
    return store.claim_mail(mail.id, at, at + CLAIM)


@pytest.mark.parametrize("mail", [a_mail(), EVERYTHING], ids=["least", "most"])
def test_a_mail_comes_back_as_it_was_written(mails: tuple[MailStore, Add], mail: Mail) -> None:
    store, add = mails
    add(mail)

    assert claim(store, mail) == mail


def test_a_mail_is_one_senders_own_until_the_claim_ends(mails: tuple[MailStore, Add]) -> None:
    store, add = mails
    mail = a_mail()
    add(mail)
    claim(store, mail)
    for later in (timedelta(), CLAIM - timedelta(milliseconds=1)):
        with pytest.raises(ServiceUnavailable):
            claim(store, mail, START + later)

    assert claim(store, mail, START + CLAIM) == mail
    with pytest.raises(ServiceUnavailable):
        claim(store, mail, START + CLAIM)


def test_a_mail_that_is_deleted_or_never_was_is_gone(mails: tuple[MailStore, Add]) -> None:
    store, add = mails
    mail, other = a_mail(), a_mail()
    add(mail)
    add(other)
    claim(store, mail)
    store.delete_mail(mail.id)
    store.delete_mail(mail.id)

    assert claim(store, mail) is None
    assert claim(store, a_mail()) is None
    assert claim(store, other) == other


def test_a_mail_lies_in_the_table_for_a_week_with_its_token_sealed(store: Store) -> None:
    keep(EVERYTHING)

    assert store.items() == [
        {
            "PK": {"S": f"MAIL#{EVERYTHING.id}"},
            "SK": {"S": "M"},
            "kind": {"S": "password_changed"},
            "to": {"S": "jo@example.com"},
            "words": {"M": {"until": {"S": "later"}, "address": {"S": "192.0.2.1"}}},
            "listed": {"L": [{"S": "KEY_AUTH, mobile-app"}, {"S": "JWT, g-2"}]},
            "sealedToken": {"S": "k1 reset abc"},
            "ownedBy": {"S": mailbox_of("jo@example.com", with_tag=True)},
            "createdAt": {"N": str(int(START.timestamp() * 1000))},
            "expires": {"N": str(int((START + timedelta(days=7)).timestamp()))},
        },
        {
            "PK": {"S": NOTICES},
            "SK": {"S": "T"},
            "at1": {"N": str(int(START.timestamp() * 1000))},
            **{f"at{number}": {"N": "0"} for number in range(2, 11)},
            "expires": {"N": str(int((START + 2 * WITHIN).timestamp()))},
        },
    ]


def test_no_mail_adds_nothing_to_a_transaction(store: Store) -> None:
    transaction = Transaction()
    add_mail(transaction, None)
    add_mail(transaction, EVERYTHING)
    transaction.commit()

    assert store.stored_keys() == [(f"MAIL#{EVERYTHING.id}", "M"), (NOTICES, "T")]


def test_nobodys_token_can_be_read_from_the_table(store: Store, clock: StoppedClock) -> None:
    link = issue(Purpose.RESET, "owner", START)
    mail = the_writer(clock).write(MailKind.PASSWORD_RESET, "jo@example.com", link)
    keep(mail)

    assert link[0].text()[-43:] not in str(store.items())


def test_of_16_senders_at_once_one_sends_the_mail(store: Store, clock: StoppedClock) -> None:
    mail, sent = a_mail(), Sent()
    keep(mail)
    answers = at_once([partial(Post(DynamoMails(), sent, clock, SEAL, APP_URL).send, mail.id)] * 16)

    assert len(sent.letters) == 1
    assert {type(answer) for answer in answers} <= {type(None), ServiceUnavailable}
    assert store.stored_keys() == [(NOTICES, "T")]


def test_sending_a_mail_costs_two_calls(dynoxide_store: Store, clock: StoppedClock) -> None:
    mail = a_mail()
    keep(mail)

    cost = cost_of(partial(Post(DynamoMails(), Sent(), clock, SEAL, APP_URL).send, mail.id))
    assert cost.calls == {"UpdateItem": 1, "DeleteItem": 1}


def test_a_lost_claim_keeps_the_mail_for_later(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime
) -> None:
    mail, sent = a_mail(), Sent()
    keep(mail)
    post = Post(DynamoMails(), sent, clock, SEAL, APP_URL)
    with faults("UpdateItem", [lost]), pytest.raises(ServiceUnavailable):
        post.send(mail.id)
    with pytest.raises(ServiceUnavailable):
        post.send(mail.id)
    assert sent.letters == []
    clock.moment += CLAIM
    post.send(mail.id)

    assert len(sent.letters) == 1
    assert dynoxide_store.stored_keys() == [(NOTICES, "T")]


def test_a_mail_that_was_sent_and_could_not_be_deleted_is_sent_again_rather_than_lost(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime
) -> None:
    mail, sent = a_mail(), Sent()
    keep(mail)
    post = Post(DynamoMails(), sent, clock, SEAL, APP_URL)
    with faults("DeleteItem", [silent] * 5), pytest.raises(ServiceUnavailable):
        post.send(mail.id)
    clock.moment += CLAIM
    post.send(mail.id)

    assert len(sent.letters) == 2
    assert dynoxide_store.stored_keys() == [(NOTICES, "T")]


def a_request(minute: int = 0, to: str = "jo@example.com") -> Mail:
    """A mail that anybody can ask for."""
    return a_mail(kind=MailKind.ACCOUNT_EXISTS, to=to, created_at=START + minute * MINUTE)


def is_kept(keep: Add, mail: Mail) -> bool:
    try:
        keep(mail)
    except MailboxFull:
        return False
    return True


def test_a_mailbox_takes_three_within_any_hour(mailboxes: Add) -> None:
    minutes = (0, 50, 55, 56, 59, 60, 61, 109, 110, 111, 115, 116, 120)
    taken = [minute for minute in minutes if is_kept(mailboxes, a_request(minute))]
    assert taken == [0, 50, 55, 60, 110, 115, 120]


def test_no_hour_has_more_than_three_wherever_it_begins(mailboxes: Add) -> None:
    written = [minute for minute in range(0, 420, 7) if is_kept(mailboxes, a_request(minute))]
    assert all(later - earlier >= 60 for earlier, later in zip(written, written[3:], strict=False))
    assert len(written) > 15


def test_mailboxes_are_counted_apart_and_in_whatever_spelling(mailboxes: Add) -> None:
    for name in ("jo", "joe"):
        spellings = (f"{name}@example.com", f"{name}@Example.com".title(), f"{name}@example.com".upper())
        taken = [is_kept(mailboxes, a_request(to=spelling)) for spelling in (*spellings, *spellings)]
        assert taken == [True] * 3 + [False] * 3


def test_a_mailbox_that_is_full_keeps_nothing_and_takes_notices_all_the_same(store: Store) -> None:
    for _ in range(3):
        keep(a_request())
    before = store.items()
    with pytest.raises(MailboxFull):
        keep(a_request())
    assert store.items() == before
    notice = a_mail(kind=MailKind.TOKEN_REUSED)
    keep(notice)
    assert {*store.stored_keys()} - {(item["PK"]["S"], item["SK"]["S"]) for item in before} == {
        (f"MAIL#{notice.id}", "M"),
        (NOTICES, "T"),
    }


def test_where_one_notice_has_no_room_all_are_left_out_and_all_else_is_written_at_once(store: Store) -> None:
    for _ in range(10):
        keep(a_mail())
    before, asked = set(store.stored_keys()), a_request()
    transaction = Transaction()
    for mail in (a_mail(), asked, a_mail(to="another@example.com")):
        add_mail(transaction, mail)
    transaction.commit()

    assert set(store.stored_keys()) - before == {(f"MAIL#{asked.id}", "M"), (MAILBOX, "T")}


def test_a_notice_alone_that_has_no_room_is_dropped_and_nothing_is_refused(store: Store) -> None:
    for _ in range(10):
        DynamoMails().keep_notice(a_mail(), None)
    before = store.items()
    DynamoMails().keep_notice(a_mail(), None)
    DynamoMails().keep_notice(a_mail(is_for_nobody=True), None)

    assert store.items() == before


def test_of_16_notices_to_one_mailbox_at_once_ten_are_written_and_nobody_is_refused(store: Store) -> None:
    answers = at_once([partial(is_kept, keep, a_mail()) for _ in range(16)])

    assert {type(answer) for answer in answers} <= {bool, ServiceUnavailable}
    written = [item for item in store.items() if item["SK"] == {"S": "M"}]
    assert len(written) == min(10, answers.count(True))


def test_of_16_mails_to_one_mailbox_at_once_three_are_written(store: Store) -> None:
    answers = at_once([partial(is_kept, keep, a_request()) for _ in range(16)])

    assert {type(answer) for answer in answers} <= {bool, ServiceUnavailable}
    written = [item for item in store.items() if item["SK"] == {"S": "M"}]
    assert len(written) == answers.count(True) == 3


def test_what_a_mailbox_got_is_forgotten_in_time_and_costs_no_call_of_its_own(dynoxide_store: Store) -> None:
    cost = cost_of(partial(keep, a_request()))

    assert cost.calls == {"TransactWriteItems": 1}
    item = dynoxide_store.item(MAILBOX, "T")
    assert item is not None
    assert item["expires"] == {"N": str(int((START + 2 * WITHIN).timestamp()))}


def test_a_mail_for_nobody_takes_its_place_like_any_other_and_names_nobody(store: Store) -> None:
    for _ in range(3):
        keep(replace(a_request(), is_for_nobody=True))
    with pytest.raises(MailboxFull):
        keep(a_request())

    mails = [item for item in store.items() if item["PK"]["S"].startswith("MAIL#")]
    assert [item["SK"]["S"] for item in mails] == ["N"] * 3
    assert "jo@example.com" not in str(store.items())


def test_a_store_that_is_busy_or_silent_counts_nothing_and_says_so(
    dynoxide_store: Store, patient_time: PatientTime
) -> None:
    for fault in (refused("ThrottlingException"), silent):
        with faults("TransactWriteItems", [fault] * 100), pytest.raises(ServiceUnavailable):
            keep(a_request())

    assert dynoxide_store.items() == []
