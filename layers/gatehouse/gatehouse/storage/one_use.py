"""One-use tokens in the table, by their digests: kept with what makes them, used up with what they allow."""

from datetime import UTC, datetime
from typing import Any

from pynamodb.attributes import MapAttribute, NumberAttribute, UnicodeAttribute

from gatehouse.accounts.one_use import NOBODY, OneUse, OneUseToken, Purpose, not_valid
from gatehouse.storage import keys
from gatehouse.storage.schema import Record
from gatehouse.storage.table import store_faults
from gatehouse.storage.transactions import Transaction


class OneUseRecord(Record):
    """What a token allows, and whom. TTL comes hours late: what is too old may still lie here."""

    purpose = UnicodeAttribute()
    owner = UnicodeAttribute()
    payload: MapAttribute[str, Any] = MapAttribute(null=True)
    expires = NumberAttribute()  # seconds: the table's TTL attribute
    owned_by = UnicodeAttribute(attr_name="ownedBy", null=True)

    @classmethod
    def key(cls, digest: str) -> "OneUseRecord":
        return cls(keys.one_use(digest), keys.ONE_USE)

    @classmethod
    def of(cls, kept: OneUse) -> "OneUseRecord":
        return cls(
            keys.one_use(kept.digest),
            keys.ONE_USE,
            purpose=kept.purpose,
            owner=kept.owner,
            payload=dict(kept.payload) or None,
            expires=int(kept.expires_at.timestamp()),
            owned_by=kept.digest if kept.owner == NOBODY else kept.owner,  # what is nobody's costs no less
        )

    def one_use(self) -> OneUse:
        return OneUse(
            digest=keys.one_use_digest(self.pk),
            purpose=Purpose(self.purpose),
            owner=self.owner,
            payload={} if self.payload is None else self.payload.as_dict(),
            expires_at=datetime.fromtimestamp(int(self.expires), UTC),
        )


def add_one_use(transaction: Transaction, kept: OneUse) -> None:
    """Adds to the transaction that the token is good from now on."""
    transaction.put(OneUseRecord.of(kept))


def get_one_use(token: OneUseToken, now: datetime) -> OneUse:
    """What the token allows; raises BadRequest where it is not good, or not any more.

    It may be used up the next moment: what it allows is written with `use_up`.
    """
    with store_faults():
        try:
            found = OneUseRecord.get(keys.one_use(token.digest), keys.ONE_USE, consistent_read=True).one_use()
        except OneUseRecord.DoesNotExist:
            raise not_valid() from None
    if not found.is_good(token.purpose, now):
        raise not_valid()
    return found


def use_up(transaction: Transaction, kept: OneUse, now: datetime) -> None:
    """Adds to the transaction that the token is used; BadRequest where it is not good, or not any more."""
    still_good = (
        (OneUseRecord.purpose == kept.purpose)
        & (OneUseRecord.owner == kept.owner)
        & (OneUseRecord.expires > int(now.timestamp()))
    )
    transaction.delete(OneUseRecord.key(kept.digest), still_good, otherwise=not_valid())
