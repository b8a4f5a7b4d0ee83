"""The key set: the keys that sign and verify, what becomes of it in a rotation, and the text that it is kept as."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gatehouse.errors import NotFound

SHORTEST_KEY_BYTES = 32

KEPT_FOR = timedelta(days=366)
"""How long a key verifies after it stopped signing: a credential of the type JWT lives for up to 365 days, and a
function that remembers the set from before a rotation signs with the older key for some minutes more.
"""

SETTLES_FOR = timedelta(minutes=2)
"""How long a new key only verifies, so that every function knows it before a token signed with it goes round."""

_FORM = "%Y-%m-%dT%H:%M:%SZ"


class InvalidKeySet(Exception):
    """A key set that cannot be used; the text quotes nothing of it."""


@dataclass(frozen=True)
class SigningKeys:
    """The keys by their id: `current` is the one to sign with, every one of them verifies.

    `since` and `stopped` say when a key was made current and when it ceased to be, where that is known.
    """

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    since: Mapping[str, datetime] = field(default_factory=dict)
    stopped: Mapping[str, datetime] = field(default_factory=dict)

    def signer(self, now: datetime) -> str:
        """The id of the key that signs: while the current one settles, the one before it, if that is left."""
        since = self.since.get(self.current)
        if since is not None and now - since < SETTLES_FOR:
            for key_id, stopped in self.stopped.items():
                if stopped == since:
                    return key_id
        return self.current


def parse(text: str) -> SigningKeys:
    """The set in a text; raises InvalidKeySet where it is none, lacks its current key, or has one that is too short.

    A JSON object of keys by their id, with `current`, and with `since` and `stopped`, which may be missing.
    """
    told = _read(text)
    if told is None:
        raise InvalidKeySet("The signing keys must be a JSON object of keys by their id, and name the current one.")
    if any(len(key) < SHORTEST_KEY_BYTES for key in told.keys.values()):
        raise InvalidKeySet(f"Each signing key must have at least {SHORTEST_KEY_BYTES} bytes.")
    return told


def render(keys: SigningKeys) -> str:
    """The text that `parse` reads."""
    document: dict[str, Any] = {"current": keys.current}
    document |= {key_id: key.decode() for key_id, key in keys.keys.items()}
    for name, times in (("since", keys.since), ("stopped", keys.stopped)):
        document[name] = {key_id: moment.strftime(_FORM) for key_id, moment in times.items()}
    return json.dumps(document)


def fresh(now: datetime) -> SigningKeys:
    """A first set, of one key."""
    return _with_a_new_key(SigningKeys("", {}), now)


def rotated(keys: SigningKeys, now: datetime) -> SigningKeys:
    """The set with a new key of 256 bits to sign with, and without those whose last token has expired."""
    moment = now.replace(microsecond=0)
    # Of an older key without a time nobody knows when it stopped: now at the latest.
    stopped = {**dict.fromkeys(keys.keys, moment), **keys.stopped, keys.current: moment}
    return _with_a_new_key(_without_expired(SigningKeys(keys.current, keys.keys, keys.since, stopped), now), now)


def retired(keys: SigningKeys, key_id: str, now: datetime) -> SigningKeys:
    """The set without a key, whose tokens end with it; for the current key a new one takes over at once.

    Raises NotFound where there is no key of the id.
    """
    if key_id not in keys.keys:
        raise NotFound("There is no key of this id.")
    rest = _only(keys, set(keys.keys) - {key_id})
    return _with_a_new_key(rest, now) if key_id == keys.current else rest


def follows(later: SigningKeys, earlier: SigningKeys, now: datetime) -> bool:
    """Whether one set is the other after a rotation: one key is new, none is back, and none that is needed is lost."""
    older = {key_id: key for key_id, key in later.keys.items() if key_id != later.current}
    needed = _without_expired(earlier, now).keys
    return needed.items() <= older.items() <= earlier.keys.items() and later.current not in earlier.keys


def _with_a_new_key(keys: SigningKeys, now: datetime) -> SigningKeys:
    key_id = f"{now:%Y%m%d}-{secrets.token_hex(4)}"
    return SigningKeys(
        current=key_id,
        keys={**keys.keys, key_id: secrets.token_urlsafe(32).encode()},
        since={**keys.since, key_id: now.replace(microsecond=0)},
        stopped=keys.stopped,
    )


def _without_expired(keys: SigningKeys, now: datetime) -> SigningKeys:
    return _only(keys, {key_id for key_id in keys.keys if now < keys.stopped.get(key_id, now) + KEPT_FOR})


def _only(keys: SigningKeys, ids: set[str]) -> SigningKeys:
    return SigningKeys(
        current=keys.current,
        keys={key_id: key for key_id, key in keys.keys.items() if key_id in ids},
        since={key_id: moment for key_id, moment in keys.since.items() if key_id in ids},
        stopped={key_id: moment for key_id, moment in keys.stopped.items() if key_id in ids},
    )


def _read(text: str) -> SigningKeys | None:
    # No error of what is called here may be the cause of ours: it would carry the text.
    try:
        told = json.loads(text)
        current = told.pop("current")
        since, stopped = (_times(told.pop(name, {})) for name in ("since", "stopped"))
        keys = {key_id: key.encode() for key_id, key in told.items()}
        is_whole = current in keys
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return SigningKeys(current, keys, since, stopped) if is_whole else None


def _times(told: Mapping[str, str]) -> dict[str, datetime]:
    return {key_id: datetime.strptime(moment, _FORM).replace(tzinfo=UTC) for key_id, moment in told.items()}
