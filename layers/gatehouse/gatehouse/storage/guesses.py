"""Guesses in the table: counters of failures and of what is being tried, which TTL removes."""

from gatehouse.admission.guesses import Budget, NotBegun, Tries
from gatehouse.storage import keys
from gatehouse.storage.counting import CountingUpdate, Item, NotWritten

_KEPT_BEYOND_SECONDS = 3600


class DynamoGuesses:
    """The store of `admission.guesses`."""

    def begin(self, subject: str, budget: Budget, now: int, *, anew: bool) -> None:
        update = CountingUpdate()
        present, one = update.number(now), update.number(1)
        if anew:
            expires = update.number(budget.ends // 1000 + _KEPT_BEYOND_SECONDS)
            update.sets += [f"ends = {update.number(budget.ends)}", f"expires = {expires}"]
            update.sets += [f"failed = {update.number(0)}", f"tried = {one}"]
            update.conditions.append(f"(attribute_not_exists(ends) OR ends <= {present})")
        else:
            update.sets.append(f"tried = tried + {one}")
            update.conditions += [f"ends > {present}", f"failed < {update.number(budget.failures)}"]
            update.conditions.append(f"tried < {update.number(budget.tries)}")
        try:
            update.write(keys.guesses(subject), keys.GUESSES)
        except NotWritten as refusal:
            raise NotBegun(_tries(refusal.item)) from None

    def settle(self, subject: str, *, failed: bool) -> None:
        update = CountingUpdate()
        one = update.number(1)
        update.sets.append(f"failed = failed + {one}" if failed else f"tried = tried - {one}")
        update.conditions.append(f"tried >= {one}")
        try:
            update.write(keys.guesses(subject), keys.GUESSES)
        except NotWritten:
            return  # TTL removed it meanwhile, or others began it anew


def _tries(item: Item) -> Tries | None:
    if "ends" not in item:
        return None
    return Tries(*(int(item[name]["N"]) for name in ("ends", "failed", "tried")))
