"""Mails and links that accounts are made and changed with, and that are asked for alone: `AccountChanges`."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from gatehouse.accounts.changes import NewAccount
from gatehouse.accounts.one_use import Purpose
from gatehouse.changes import MailWritten
from gatehouse.mail.model import Mail, MailKind
from gatehouse.mail.writing import MailboxFull
from gatehouse.storage.changes import facts
from tests.contracts.worlds import (
    JO,
    OnTheTable,
    World,
    a_link,
    a_mail,
    a_person,
    account_of,
    began,
    change,
    refused,
)
from tests.stores import Store, cost_of
from tests.unit.fakes import START, a_user


def fill(world: World, to: str = JO) -> None:
    """Three mails that anybody may have asked for, ten minutes one after the other."""
    for minutes in (0, 10, 20):
        world.changes.ask(a_link()[1], [a_mail(to=to, created_at=START + timedelta(minutes=minutes))])


def the_ask(world: World, mail: Mail) -> None:
    world.changes.ask(a_link()[1], [mail])


def the_creation(world: World, mail: Mail) -> None:
    user = a_user("jane")
    new = NewAccount(user=user, password_hash="hash", session=began(user)[0], makes=a_link()[1], mail=mail)
    world.changes.create_account(new, START)


def the_change(world: World, mail: Mail) -> None:
    account = world.accounts.find_account("john@example.com")
    assert account is not None
    mails = (a_mail(MailKind.PASSWORD_CHANGED), mail)
    change(world, account.user, generation=1, password_hash="new", mails=mails, forgives=True)


@pytest.mark.parametrize("act", [the_ask, the_creation, the_change])
def test_the_fourth_within_the_hour_is_one_too_many_and_nothing_is_written_with_it(
    world: World, act: Callable[[World, Mail], None]
) -> None:
    a_person(world)
    fill(world, to="Jo@Example.com")
    for minutes in (20, 59):
        refused(world, partial(act, world, a_mail(created_at=START + timedelta(minutes=minutes))), MailboxFull)
    act(world, a_mail(MailKind.VERIFY_EMAIL, to="another@example.com", created_at=START + timedelta(minutes=59)))


@pytest.mark.parametrize("act", [the_ask, the_creation, the_change])
def test_an_hour_after_the_first_there_is_room_for_one(world: World, act: Callable[[World, Mail], None]) -> None:
    a_person(world)
    fill(world)
    freed = a_mail(created_at=START + timedelta(hours=1))
    act(world, freed)
    assert freed in world.mails()
    refused(world, lambda: the_ask(world, a_mail(created_at=START + timedelta(minutes=69))), MailboxFull)
    the_ask(world, a_mail(created_at=START + timedelta(minutes=70)))


def test_notices_are_written_to_a_full_mailbox_and_take_no_place_of_others(world: World) -> None:
    user = a_person(world)
    for _ in range(4):
        change(world, user, mails=(a_mail(MailKind.PASSWORD_CHANGED),))
    fill(world)
    change(world, user, mails=(a_mail(MailKind.PASSWORD_CHANGED), a_mail(MailKind.EMAIL_CHANGED, to="old@example.com")))
    assert sum(mail.kind.is_notice for mail in world.mails()) == 6


def test_the_eleventh_notice_within_the_hour_is_left_out_and_what_it_tells_is_done(world: World) -> None:
    user = a_person(world)
    for minutes in range(10):
        change(world, user, mails=(a_mail(MailKind.PASSWORD_CHANGED, created_at=START + timedelta(minutes=minutes)),))
    for minutes, written in ((59, 10), (60, 11), (60, 11), (61, 12)):
        notice = a_mail(MailKind.PASSWORD_CHANGED, created_at=START + timedelta(minutes=minutes))
        name = f"At {minutes}"
        assert change(world, user, first_name=name, mails=(notice,)).user.first_name == name
        assert sum(mail.kind.is_notice for mail in world.mails()) == written


def test_notices_fill_their_own_places_and_none_of_what_is_asked_for(world: World) -> None:
    user = a_person(world)
    for _ in range(11):
        change(world, user, mails=(a_mail(MailKind.PASSWORD_CHANGED),))
    fill(world)
    assert [mail.kind for mail in world.mails()].count(MailKind.PASSWORD_CHANGED) == 10
    assert [mail.kind for mail in world.mails()].count(MailKind.PASSWORD_RESET) == 3


def test_what_is_asked_for_is_refused_whole_where_its_notice_would_be_dropped_as_well(world: World) -> None:
    user = a_person(world)
    for _ in range(10):
        change(world, user, mails=(a_mail(MailKind.PASSWORD_CHANGED),))
    fill(world, to="full@example.com")
    mails = (a_mail(MailKind.EMAIL_CHANGE_ASKED), a_mail(MailKind.CONFIRM_NEW_EMAIL, to="full@example.com"))
    refused(world, lambda: world.changes.ask(a_link()[1], mails), MailboxFull)


def test_a_dropped_notice_leaves_what_was_asked_for_with_it(world: World) -> None:
    user = a_person(world)
    for _ in range(10):
        change(world, user, mails=(a_mail(MailKind.PASSWORD_CHANGED),))
    asked = a_mail(MailKind.CONFIRM_NEW_EMAIL, to="new@example.com")
    token, kept = a_link(user.id, Purpose.CHANGE_EMAIL)
    world.changes.ask(kept, (asked, a_mail(MailKind.EMAIL_CHANGE_ASKED)))
    assert world.changes.get_one_use(token, START) == kept
    assert asked in world.mails()
    assert MailKind.EMAIL_CHANGE_ASKED not in {mail.kind for mail in world.mails()}


@pytest.mark.parametrize("kind", [MailKind.VERIFY_EMAIL, MailKind.INVITATION, MailKind.CONFIRM_NEW_EMAIL])
def test_who_fills_a_mailbox_with_other_mails_keeps_nobody_from_a_link_that_sets_a_password(
    world: World, kind: MailKind
) -> None:
    for _ in range(3):
        the_ask(world, a_mail(kind))
    refused(world, lambda: the_ask(world, a_mail(kind)), MailboxFull)
    reset = a_mail(MailKind.PASSWORD_RESET)
    the_ask(world, reset)
    assert reset in world.mails()


def test_beyond_the_three_there_is_one_link_an_hour_that_sets_a_password(world: World) -> None:
    def reset_at(minutes: int) -> bool:
        for minute in range(minutes - 3, minutes):
            with suppress(MailboxFull):
                the_ask(world, a_mail(MailKind.VERIFY_EMAIL, created_at=START + timedelta(minutes=minute)))
        try:
            the_ask(world, a_mail(created_at=START + timedelta(minutes=minutes)))
        except MailboxFull:
            return False
        return True

    assert [minutes for minutes in range(3, 180, 3) if reset_at(minutes)] == [3, 63, 123]


def test_a_tag_of_an_address_is_no_mailbox_of_its_own(world: World) -> None:
    for address in ("jo@example.com", "jo+1@example.com", "Jo+2+3@Example.com"):
        the_ask(world, a_mail(MailKind.VERIFY_EMAIL, to=address))
    refused(world, lambda: the_ask(world, a_mail(MailKind.VERIFY_EMAIL, to="jo+4@example.com")), MailboxFull)
    the_ask(world, a_mail(MailKind.VERIFY_EMAIL, to="jo.4@example.com"))


def test_two_mails_that_are_asked_for_together_are_kept_or_refused_together(world: World) -> None:
    fill(world, to="full@example.com")
    mails = (a_mail(MailKind.CONFIRM_NEW_EMAIL, to="full@example.com"), a_mail(MailKind.EMAIL_CHANGE_ASKED))
    refused(world, lambda: world.changes.ask(a_link()[1], mails), MailboxFull)
    mails = (a_mail(MailKind.CONFIRM_NEW_EMAIL, to="free@example.com"), a_mail(MailKind.EMAIL_CHANGE_ASKED))
    world.changes.ask(a_link()[1], mails)
    assert {mail.id for mail in mails} <= {mail.id for mail in world.mails()}


def test_what_is_asked_for_nobody_fills_a_mailbox_as_any_other(world: World) -> None:
    for _ in range(3):
        the_ask(world, a_mail(is_for_nobody=True))
    refused(world, lambda: the_ask(world, a_mail(is_for_nobody=True)), MailboxFull)
    refused(world, lambda: the_ask(world, a_mail()), MailboxFull)
    assert [mail.is_for_nobody for mail in world.mails()] == [True] * 3


def test_a_link_is_kept_with_its_mail(world: World) -> None:
    token, kept = a_link("somebody", Purpose.CHANGE_EMAIL)
    mail = a_mail(MailKind.CONFIRM_NEW_EMAIL, words={"until": "tomorrow"}, sealed_token="k1 change abc")
    world.changes.ask(kept, [mail])
    assert world.changes.get_one_use(token, START) == kept
    assert world.mails() == [mail]


# What only a table has: its items, what its stream tells, and what it costs.


def test_a_mail_for_nobody_lies_beside_the_others_and_is_told_to_nobody(store: Store) -> None:
    world = OnTheTable(store)
    real, decoy = a_mail(), a_mail(is_for_nobody=True)
    for mail in (real, decoy):
        the_ask(world, mail)
    items = {item["PK"]["S"]: item for item in store.items()}
    told = {mail.id: items[f"MAIL#{mail.id}"] for mail in (real, decoy)}
    assert [item["SK"]["S"] for item in told.values()] == ["M", "N"]
    assert [list(facts(None, item, START)) for item in told.values()] == [[MailWritten(real.id)], []]
    assert list(facts(told[decoy.id], None, START)) == []
    assert told[real.id].keys() == told[decoy.id].keys()


def test_a_decoy_costs_what_a_real_one_costs(dynoxide_store: Store) -> None:
    world = OnTheTable(dynoxide_store)
    user = a_person(world)
    kept, payload = a_link(user.id)[1], {"state": account_of(world, user).state}
    real = cost_of(lambda: world.changes.ask(replace(kept, payload=payload), [a_mail(to=user.email)]))
    decoy_link = replace(a_link()[1], payload={})
    decoy = cost_of(lambda: world.changes.ask(decoy_link, [a_mail(to="nobody@example.com", is_for_nobody=True)]))
    assert real == decoy
    assert real.calls == {"TransactWriteItems": 1}
