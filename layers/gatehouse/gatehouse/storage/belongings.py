"""What belongs to a consumer beside profile and gate: in their own partition, and what waits for them elsewhere."""

from collections.abc import Iterator
from itertools import islice

from gatehouse.accounts.one_use import OneUse
from gatehouse.consumers.belongings import Waiting
from gatehouse.mail.writing import mailbox_of
from gatehouse.storage import keys
from gatehouse.storage.consumers import delete_belongings
from gatehouse.storage.mail import MailRecord
from gatehouse.storage.one_use import OneUseRecord
from gatehouse.storage.ranges import Range
from gatehouse.storage.schema import Record
from gatehouse.storage.table import Item, items_together, store_faults

_AT_ONCE = 100


class DynamoBelongings:
    """The port `consumers.belongings.BelongingStore`."""

    def delete_belongings(self, user_id: str) -> None:
        delete_belongings(user_id, sparing=keys.PROFILE)

    def delete_waiting(self, user_id: str, email: str | None) -> None:
        """What was written a moment ago may not be listed yet: it goes by TTL, within a week."""
        with store_faults():
            links = _links(user_id)
            # An address that was to become theirs is known from the link alone, which therefore goes last.
            asked_for = {link.payload["email"] for link in links if "email" in link.payload}
            mailboxes = {mailbox_of(to, with_tag=True) for to in asked_for | ({email} if email else set())}
            for owner in (*sorted(mailboxes), user_id):
                with Record.batch_write() as batch:
                    for pk, sk in _owned_by(owner):
                        batch.delete(Record(pk, sk))

    def find_waiting(self, user_id: str, email: str) -> Waiting:
        with store_faults():
            links = _links(user_id)
            mails = [MailRecord.from_raw_data(item).mail() for item in _items(mailbox_of(email, with_tag=True))]
        return Waiting(
            mails=[(mail.kind, mail.created_at) for mail in mails],
            links=[(link.purpose, link.expires_at) for link in links],
        )


def _links(user_id: str) -> list[OneUse]:
    return [OneUseRecord.from_raw_data(item).one_use() for item in _items(user_id)]


def _items(owner: str) -> list[Item]:
    """The items themselves, 100 at most."""
    return list(items_together(list(islice(_owned_by(owner), _AT_ONCE))).values())


def _owned_by(owner: str) -> Iterator[tuple[str, str]]:
    """The keys of what is listed under an owner: a consumer's links, or a mailbox's mails."""
    stretch = Range(keys.OWNED_BY, [owner], "PK", None, None, descending=True)
    position = None
    while found := stretch.entries(_AT_ONCE, position):
        yield from ((entry["PK"]["S"], entry["SK"]["S"]) for entry in found)
        position = stretch.position(found[-1])
