"""A mail's way on one machine: from the transaction that writes it to the outbox, by the functions themselves."""

import sys
from threading import Event
from typing import override

import pytest

from gatehouse import wiring
from gatehouse.accounts.one_use import Purpose, issue
from gatehouse.mail.model import MailKind
from gatehouse.mail.sealing import Seal
from gatehouse.mail.writing import Writer
from gatehouse.storage.mail import add_mail
from gatehouse.storage.transactions import Transaction
from local.gateway.environment import load_template
from local.gateway.following import account, pumping
from local.gateway.outbox import Outbox
from local.gateway.queues import LocalQueue
from tests.stores import Store
from tests.unit.fakes import KEY, StoppedClock, the_settings
from tests.unit.rings import a_ring


class Watched(Outbox):
    """An outbox that says when there is something in it."""

    def __init__(self) -> None:
        super().__init__()
        self.has_mail = Event()

    @override
    def send(self, to: str, subject: str, text: str, html: str) -> None:
        super().send(to, subject, text, html)
        self.has_mail.set()


@pytest.fixture(autouse=True)
def loaded_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "_installed_following", None)
    monkeypatch.setattr(wiring, "_installed_post", None)
    monkeypatch.setattr(wiring, "_installed_cleanup", None)
    for module in ("stream.handler", "mail.handler", "cleanup.handler"):
        monkeypatch.delitem(sys.modules, module, raising=False)


def test_a_mail_that_is_written_is_in_the_outbox_soon_and_gone_from_the_table(
    moto_store: Store, clock: StoppedClock
) -> None:
    template, outbox, mails = load_template({}), Watched(), LocalQueue()
    settings = the_settings(
        TABLE_NAME=moto_store.settings.table_name,
        APP_URL="https://app.example.com",
        GATEWAY_TIERS=template.functions["StreamFunction"].environment["GATEWAY_TIERS"],
    )
    account(settings, template, clock, mails)
    wiring.install_post(wiring.build_post(settings, clock, outbox))
    wiring.install_cleanup(wiring.build_cleanup(settings, clock))
    token, kept = issue(Purpose.RESET, "owner", clock.now())
    writer = Writer(clock, Seal(a_ring("local", {"local": KEY})))
    transaction = Transaction()
    add_mail(transaction, writer.write(MailKind.PASSWORD_RESET, "jo@example.com", (token, kept)))

    with pumping(settings, template, clock, mails):
        transaction.commit()
        assert outbox.has_mail.wait(10)

    (mail,) = outbox.mails()
    assert (mail["to"], mail["token"]) == ("jo@example.com", token.text())
    assert [partition for partition, sort in moto_store.stored_keys() if sort == "M"] == []
