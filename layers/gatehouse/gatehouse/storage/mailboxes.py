"""What mailboxes got lately, in the table: the times of their latest mails, the newest first."""

from datetime import datetime, timedelta

from gatehouse.clock import milliseconds
from gatehouse.storage import keys
from gatehouse.storage.counting import CountingUpdate, NotWritten


class DynamoMailboxes:
    """The store of `mail.writing`."""

    def take_place(self, mailbox: str, most: int, within: timedelta, now: datetime) -> bool:
        update = CountingUpdate()
        none = update.number(0)
        # Each time moves one place back, the oldest first: so it does not matter whether a store sets them in turn.
        update.sets += [f"at{place} = if_not_exists(at{place - 1}, {none})" for place in range(most, 1, -1)]
        update.sets.append(f"at1 = {update.number(milliseconds(now))}")
        update.sets.append(f"expires = {update.number(int((now + 2 * within).timestamp()))}")
        before = update.number(milliseconds(now - within))
        update.conditions.append(f"(attribute_not_exists(at{most}) OR at{most} <= {before})")
        try:
            update.write(keys.guesses(f"mail/{mailbox}"), keys.GUESSES)
        except NotWritten:
            return False
        return True
