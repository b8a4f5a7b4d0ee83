"""One-use tokens in the table: used once whatever happens, and not a moment too late."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from gatehouse.accounts.one_use import OneUse, OneUseToken, Purpose, issue
from gatehouse.errors import BadRequest, ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.mail.model import Mail, MailKind
from gatehouse.storage.mail import MailRecord, add_mail
from gatehouse.storage.one_use import add_one_use, get_one_use, use_up
from gatehouse.storage.transactions import Transaction
from tests.contracts.faults import PatientTime, faults, lost, silent
from tests.contracts.made_up import at_once
from tests.stores import Store, cost_of
from tests.unit.fakes import START

OWNER = new_id(START)
EMAIL = {"email": "new@example.com"}


def kept(purpose: Purpose = Purpose.RESET, **payload: str) -> tuple[OneUseToken, OneUse]:
    token, one_use = issue(purpose, OWNER, START, payload=payload)
    transaction = Transaction()
    add_one_use(transaction, one_use)
    transaction.commit()
    return token, one_use


def use(one_use: OneUse, *, after: timedelta = timedelta()) -> str:
    """Uses the token for something that leaves an item of its own; answers with that item's partition."""
    effect = Mail(id=new_id(START), kind=MailKind.PASSWORD_CHANGED, to="jo@example.com", created_at=START)
    transaction = Transaction()
    use_up(transaction, one_use, START + after)
    add_mail(transaction, effect)
    transaction.commit()
    return MailRecord.of(effect).pk


def left(store: Store) -> list[tuple[str, str]]:
    """The keys of what is in the table, but for what mailboxes got."""
    return [(partition, sort) for partition, sort in store.stored_keys() if not partition.startswith("TRY#mail/")]


def test_a_token_lies_by_its_digest_until_its_time_has_passed(store: Store) -> None:
    token, one_use = kept(Purpose.CHANGE_EMAIL, **EMAIL)

    assert store.items() == [
        {
            "PK": {"S": f"TOK#{token.digest}"},
            "SK": {"S": "T"},
            "purpose": {"S": "change"},
            "owner": {"S": OWNER},
            "ownedBy": {"S": OWNER},
            "payload": {"M": {"email": {"S": "new@example.com"}}},
            "expires": {"N": str(int((START + timedelta(hours=24)).timestamp()))},
        }
    ]
    assert token.text() not in str(store.items())
    assert cost_of(partial(get_one_use, token, START)).calls == {"GetItem": 1}
    assert get_one_use(token, START) == one_use


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_without_payload_comes_back_as_it_was(store: Store, purpose: Purpose) -> None:
    token, one_use = kept(purpose)

    assert get_one_use(token, START) == one_use


def test_a_token_is_used_once_with_what_it_allows(store: Store) -> None:
    token, one_use = kept()
    effect = use(one_use)

    assert left(store) == [(effect, "M")]
    with pytest.raises(BadRequest, match="does not work"):
        use(one_use)
    with pytest.raises(BadRequest, match="does not work"):
        get_one_use(token, START)
    assert left(store) == [(effect, "M")]


def test_a_token_used_by_16_at_once_succeeds_once(store: Store) -> None:
    _, one_use = kept()
    answers = at_once([partial(use, one_use)] * 16)

    (effect,) = [answer for answer in answers if isinstance(answer, str)]
    assert sum(isinstance(answer, BadRequest) for answer in answers) == 15
    assert left(store) == [(effect, "M")]


def test_an_expired_token_is_refused_although_ttl_has_not_come_by(store: Store) -> None:
    token, one_use = kept()
    last = timedelta(hours=1) - timedelta(milliseconds=1)
    before = store.items()

    assert get_one_use(token, START + last) == one_use
    for late in (timedelta(hours=1), timedelta(hours=1, milliseconds=1), timedelta(days=2)):
        with pytest.raises(BadRequest, match="does not work"):
            get_one_use(token, START + late)
        with pytest.raises(BadRequest, match="does not work"):
            use(one_use, after=late)
    assert store.items() == before
    use(one_use, after=last)


def test_a_token_is_refused_for_another_purpose_or_owner(store: Store) -> None:
    token, one_use = kept(Purpose.VERIFY_EMAIL)
    before = store.items()
    for other in (replace(one_use, purpose=Purpose.RESET), replace(one_use, owner=new_id(START))):
        with pytest.raises(BadRequest, match="does not work"):
            use(other)
    with pytest.raises(BadRequest, match="does not work"):
        get_one_use(replace(token, purpose=Purpose.RESET), START)

    assert store.items() == before


def test_a_token_that_there_never_was_is_refused(store: Store) -> None:
    token, one_use = issue(Purpose.RESET, OWNER, START)
    with pytest.raises(BadRequest, match="does not work"):
        get_one_use(token, START)
    with pytest.raises(BadRequest, match="does not work"):
        use(one_use)

    assert store.items() == []


def test_a_token_is_not_used_where_what_it_allows_is_refused(store: Store) -> None:
    token, one_use = kept()
    transaction = Transaction()
    use_up(transaction, one_use, START)
    transaction.check(MailRecord.key("nobody"), MailRecord.pk.exists(), otherwise=LookupError())
    with pytest.raises(LookupError):
        transaction.commit()

    assert get_one_use(token, START) == one_use


def test_a_store_that_hears_nothing_leaves_the_token_good(store: Store, patient_time: PatientTime) -> None:
    token, one_use = kept()
    with faults("TransactWriteItems", [silent] * 3), pytest.raises(ServiceUnavailable):
        use(one_use)

    assert get_one_use(token, START) == one_use


def test_a_lost_answer_uses_the_token_once(dynoxide_store: Store, patient_time: PatientTime) -> None:
    _, one_use = kept()
    with faults("TransactWriteItems", [lost]) as sent:
        effect = use(one_use)

    assert len(sent) == 2
    assert left(dynoxide_store) == [(effect, "M")]
