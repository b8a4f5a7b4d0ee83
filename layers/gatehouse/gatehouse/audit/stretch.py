"""A stretch of the chain, with the seals next to it: what in it is not as it was sealed."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from gatehouse.audit.chain import Head, Position, Seal, digest_of
from gatehouse.audit.findings import Finding, Part, SealedLog, Tampering
from gatehouse.audit.unsealed import Unsealed


class Stretch:
    """A stretch of the chain, read once, with the seals next to it."""

    def __init__(
        self, log: SealedLog, head: Head, first: int, last: int, *, every: int, now: datetime, most: int | None = None
    ) -> None:
        self.log, self.head, self.first, self.last = log, head, first, last
        self.every = every
        self.ends_the_chain = last == head.last.number
        further = every if self.ends_the_chain else 0
        self.kept = log.seals(max(first - 1, head.start.number + 1), last + (further or 2))
        self.unsealed = Unsealed(log, self.kept, head.start.number, now, most)
        self.checkpoints = log.checkpoints(max(first - 1, 1), last + further)
        self.whole = {number: seal for number, seal in self.kept.items() if seal.is_whole(number)}
        events = log.events({seal.event_id for seal in self.whole.values()})
        self.digests = {name: digest_of(kept.event) if kept.event else "" for name, kept in events.items()}
        self.marks = {name: kept.number for name, kept in events.items()}
        self.number_of = {self.whole[number].event_id: number for number in sorted(self.whole, reverse=True)}

    def findings(self, known: Collection[Position]) -> Iterator[Finding]:
        """Everything that is not as it was sealed."""
        yield from self._misplaced_ends()
        blamed = set(self._blamed())
        noted = {position.number: position.hash for position in known}
        yield from self._seals(blamed, noted)
        trusted = {n: seal for n, seal in self.whole.items() if n not in blamed and self.first <= n <= self.last}
        yield from self._events(trusted)
        yield from self._marks(trusted)
        yield from self._beyond()
        yield from self._lost(noted)
        yield from self._checkpoints(trusted)
        stretch, is_end = range(self.first, self.last + 1), self.ends_the_chain
        yield from self.unsealed.findings(stretch, self.number_of, trusted, is_end=is_end)

    def _misplaced_ends(self) -> Iterator[Finding]:
        """A head that names the hash of another number: there the chain ends, or begins. The rest is not looked at."""
        last, start = self.head.last, self.head.start
        ends = next((n for n, seal in self.whole.items() if seal.hash == last.hash and n != last.number), None)
        begins = min((n - 1 for n, seal in self.whole.items() if seal.previous == start.hash), default=start.number)
        if not self.kept:  # a checkpoint is weaker evidence: it proves nothing of itself
            begins = next((n for n, kept in self.checkpoints.items() if kept.hash == start.hash), begins)
        if ends is not None or not 0 <= start.number <= last.number:
            yield Finding(Tampering.CHANGED, Part.HEAD, last.number)
            self.last, self.ends_the_chain = self.last if ends is None else min(self.last, ends), False
        elif self.first == start.number + 1 <= begins:
            yield Finding(Tampering.CHANGED, Part.HEAD, start.number)
            self.first = begins + 1

    def _hash_at(self, number: int) -> str | None:
        """The hash of the seal of that number; None where it cannot be told."""
        if number == self.head.start.number:
            return self.head.start.hash
        return self.whole[number].hash if number in self.whole else None

    def _is_torn(self, number: int) -> bool:
        """Whether the seal, or the head behind the last one, names another hash than that of the seal before it."""
        before = self._hash_at(number - 1)
        if self.ends_the_chain and number == self.last + 1:
            named: str | None = self.head.last.hash
        else:
            named = self.whole[number].previous if number in self.whole else None
        return before is not None and named is not None and before != named

    def _blamed(self) -> Iterator[int]:
        """The numbers of the seals that fit in themselves, and not to the others.

        Of two that do not fit together it is the later one that does not fit to the next either, else the earlier one.
        """
        for number in range(self.first, self.last + 2):
            if self._is_torn(number):
                is_end = self.ends_the_chain and number == self.last + 1
                yield number if not is_end and self._is_torn(number + 1) else number - 1

    def _seals(self, blamed: set[int], known: Mapping[int, str]) -> Iterator[Finding]:
        for number in range(self.first, self.last + 1):
            seal = self.kept.get(number)
            if seal is None:
                yield Finding(Tampering.DROPPED, Part.SEAL, number)
            elif number not in self.whole:
                yield from self._misplaced(number, seal)
            elif number in blamed:
                is_heads = self.ends_the_chain and number == self.last and not self._is_torn(number)
                if is_heads and self._is_as_sealed(seal):
                    yield Finding(Tampering.CHANGED, Part.HEAD, number)
                else:
                    yield Finding(Tampering.CHANGED, Part.SEAL, number)
            elif known.get(number, seal.hash) != seal.hash:
                yield Finding(Tampering.CHANGED, Part.SEAL, number)
            elif self.number_of[seal.event_id] != number:
                yield Finding(Tampering.INSERTED, Part.SEAL, number, seal.event_id)
        if self.head.start.number in blamed:
            yield Finding(Tampering.CHANGED, Part.HEAD, self.head.start.number)

    def _misplaced(self, number: int, seal: Seal) -> Iterator[Finding]:
        """A seal that is not the one of its number: a changed one, or another, with which it was swapped."""
        other = seal.number
        partner = None
        if other != number and seal.is_whole(other):
            partner = self.kept.get(other) or self.log.seals(other, other).get(other)
        if partner is None or not partner.is_whole(number):
            yield Finding(Tampering.CHANGED, Part.SEAL, number)
        elif number < other or other < self.first:
            yield Finding(Tampering.SWAPPED, Part.SEAL, min(number, other), other=max(number, other))

    def _is_as_sealed(self, seal: Seal) -> bool:
        return self.digests.get(seal.event_id) == seal.digest

    def _events(self, trusted: Mapping[int, Seal]) -> Iterator[Finding]:
        wrong = []
        for number, seal in trusted.items():
            if seal.event_id not in self.digests:
                yield Finding(Tampering.DROPPED, Part.EVENT, number, seal.event_id)
            elif not self._is_as_sealed(seal):
                wrong.append(seal)
        by_digest = {seal.digest: seal for seal in wrong}
        for seal in wrong:
            partner = by_digest.get(self.digests[seal.event_id])
            if partner is None or self.digests[partner.event_id] != seal.digest:
                yield Finding(Tampering.CHANGED, Part.EVENT, seal.number, seal.event_id)
            elif seal.number < partner.number:
                yield Finding(Tampering.SWAPPED, Part.EVENT, seal.number, seal.event_id, partner.number)

    def _marks(self, trusted: Mapping[int, Seal]) -> Iterator[Finding]:
        """Marks that are not of the seal that the event has; without one it could be sealed again."""
        own = {n: seal.event_id for n, seal in trusted.items() if self.number_of[seal.event_id] == n}
        wrong = {n: self.marks[own[n]] for n in own if self.marks.get(own[n], n) != n}
        for number, other in wrong.items():
            if other is None:
                yield Finding(Tampering.DROPPED, Part.MARK, number, own[number])
            elif wrong.get(other) != number:
                yield Finding(Tampering.CHANGED, Part.MARK, number, own[number])
            elif number < other:
                yield Finding(Tampering.SWAPPED, Part.MARK, number, own[number], other)

    def _checkpoints(self, trusted: Mapping[int, Seal]) -> Iterator[Finding]:
        due = {number: seal.position for number, seal in trusted.items() if number % self.every == 0}
        start = self.head.start
        if 0 < start.number == self.first - 1 <= self.head.last.number and not self._is_torn(self.first):
            due[start.number] = start
        for number, right in due.items():
            held = self.checkpoints.get(number)
            if held is None:
                yield Finding(Tampering.DROPPED, Part.CHECKPOINT, number)
            elif held != right:
                other = held.number
                if other == number or due.get(other) != held or self.checkpoints.get(other) != right:
                    yield Finding(Tampering.CHANGED, Part.CHECKPOINT, number)
                elif number < other:
                    yield Finding(Tampering.SWAPPED, Part.CHECKPOINT, number, other=other)
        for number in self.checkpoints:
            is_beyond = self.ends_the_chain and number > self.last and not self._has_come_to(number)
            if number % self.every or is_beyond:
                yield Finding(Tampering.INSERTED, Part.CHECKPOINT, number)

    def _beyond(self) -> Iterator[Finding]:
        """What lies behind the end, unless it was sealed meanwhile."""
        later = sorted(number for number in self.kept if number > self.last) if self.ends_the_chain else []
        if not later or self._has_come_to(later[-1]):
            return
        following = self.whole.get(self.last + 1)
        if (
            following is not None
            and following.previous == self.head.last.hash
            and self.number_of[following.event_id] == following.number
            and self._is_as_sealed(following)
        ):
            yield Finding(Tampering.CHANGED, Part.HEAD, self.last)
            self.ends_the_chain = False
            return
        for number in later:
            yield Finding(Tampering.INSERTED, Part.SEAL, number)

    def _lost(self, noted: Mapping[int, str]) -> Iterator[Finding]:
        """Where the chain was seen to come to elsewhere, and does not any more, or begins with something else."""
        start = self.head.start
        if self.first == start.number + 1 and noted.get(start.number, start.hash) != start.hash:
            yield Finding(Tampering.CHANGED, Part.HEAD, start.number)
        for number in sorted(noted) if self.ends_the_chain else ():
            if number > self.last and not self._has_come_to(number):
                yield Finding(Tampering.DROPPED, Part.SEAL, number)

    def _has_come_to(self, number: int) -> bool:
        """Whether the chain goes as far by now."""
        return (self.log.find_head() or self.head).last.number >= number
