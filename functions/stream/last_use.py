"""A secret or a session was used: when, is noted there."""

from gatehouse.changes import LastUses, SecretUsed, SessionUsed


def follow(fact: SecretUsed | SessionUsed, uses: LastUses) -> None:
    match fact:
        case SecretUsed(consumer_id, credential_id, version, at):
            uses.note_use(consumer_id, credential_id, version, at)
        case SessionUsed(consumer_id, session_id, at):
            uses.note_session_use(consumer_id, session_id, at)
