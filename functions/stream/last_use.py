"""A secret was used: when, is noted at its credential."""

from gatehouse.changes import LastUses, SecretUsed


def follow(fact: SecretUsed, uses: LastUses) -> None:
    uses.note_use(fact.consumer_id, fact.credential_id, fact.version, fact.at)
