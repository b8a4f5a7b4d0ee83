"""Every way in which access ends, and for which kinds of access there is such a way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from gatehouse.admission.service import Admission
from gatehouse.errors import Unauthenticated
from gatehouse.permissions import Caller
from gatehouse.storage.consumers import DynamoConsumers
from tests.contracts.callers import EVERY, OF_CREDENTIALS, Grounds, Pass, is_let_in
from tests.unit.fakes import AT_HOME, PASSWORD, START

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Way:
    """How access ends, for which kinds; where it `ends_one`, others of the same consumer are still let in.

    `end` is told a function as well, which comes to remember what the end is not yet. `given` is what the credential
    is made with.
    """

    end: Callable[[Grounds, Pass, Admission], None]
    kinds: tuple[str, ...]
    ends_one: bool = True
    given: Mapping[str, Any] | None = None

    def open(self, grounds: Grounds, kind: str) -> Pass:
        return EVERY[kind](grounds) if self.given is None else OF_CREDENTIALS[kind](grounds, **self.given)


def delete(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    grounds.credentials.delete(grounds.owner, shown.credential_id)


def disable(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    grounds.credentials.update(grounds.owner, shown.credential_id, {"is_active": False})


def end_earlier(grounds: Grounds, shown: Pass, warm: Admission) -> None:
    ends = grounds.clock.now() + SECOND
    grounds.credentials.update(grounds.owner, shown.credential_id, {"expires_at": ends})
    assert is_let_in(shown.call, warm)
    grounds.clock.moment = ends


def outlive(seconds: float) -> Callable[[Grounds, Pass, Admission], None]:
    return lambda grounds, _shown, _warm: grounds.clock.advance(seconds=seconds)


def rotate_at_once(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    grounds.credentials.rotate(grounds.owner, shown.credential_id, 0)


def rotate_and_outlive_the_overlap(grounds: Grounds, shown: Pass, warm: Admission) -> None:
    grounds.credentials.rotate(grounds.owner, shown.credential_id, 60)
    grounds.clock.advance(seconds=59, milliseconds=999)
    assert is_let_in(shown.call, warm)
    grounds.clock.advance(milliseconds=1)


def rotate_twice(grounds: Grounds, shown: Pass, warm: Admission) -> None:
    grounds.credentials.rotate(grounds.owner, shown.credential_id, None)
    assert is_let_in(shown.call, warm)
    grounds.credentials.rotate(grounds.owner, shown.credential_id, None)


def revoke(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    client = Caller(consumer_id=grounds.user_id, credential_id=shown.credential_id)
    grounds.clients.revoke(client, shown.token)


def sign_out(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    grounds.accounts.logout(Caller(consumer_id=grounds.user_id, session_id=shown.session_id))


def use_a_refresh_token_again(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    successor = grounds.accounts.refresh(shown.refresh_token, AT_HOME).refresh_token
    grounds.accounts.refresh(successor, AT_HOME)
    grounds.clock.advance(seconds=31)
    with pytest.raises(Unauthenticated):
        grounds.accounts.refresh(shown.refresh_token, AT_HOME)


def sign_in_too_often(grounds: Grounds, shown: Pass, _warm: Admission) -> None:
    for _ in range(100):
        grounds.clock.advance(milliseconds=1)
        grounds.accounts.login(grounds.first.user.email, PASSWORD, AT_HOME)


def switch_off(grounds: Grounds, _shown: Pass, _warm: Admission) -> None:
    grounds.consumers.update(grounds.admin, grounds.user_id, {"is_active": False})


def switch_off_and_on(grounds: Grounds, shown: Pass, warm: Admission) -> None:
    switch_off(grounds, shown, warm)
    grounds.consumers.update(grounds.admin, grounds.user_id, {"is_active": True})


def delete_consumer(grounds: Grounds, _shown: Pass, _warm: Admission) -> None:
    grounds.consumers.delete(grounds.admin, grounds.user_id)


def delete_consumer_alone(grounds: Grounds, _shown: Pass, _warm: Admission) -> None:
    """As where what belongs to it is not deleted yet."""
    keep = DynamoConsumers()
    user = keep.find_user(grounds.user_id)
    assert user is not None
    keep.delete_user(user)


KINDS = tuple(OF_CREDENTIALS)
WAYS: Mapping[str, Way] = {
    "deleted": Way(delete, KINDS),
    "disabled": Way(disable, KINDS),
    "expired": Way(outlive(120), KINDS, given={"expires_at": START + timedelta(seconds=120)}),
    "ended earlier": Way(end_earlier, KINDS),
    "rotated, overlap over": Way(rotate_and_outlive_the_overlap, KINDS),
    "rotated without overlap": Way(rotate_at_once, KINDS),
    "rotated twice": Way(rotate_twice, KINDS),
    "token revoked": Way(revoke, ("JWT", "access token")),
    "token outlived": Way(outlive(3_600), ("access token",)),
    "signed out": Way(sign_out, ("session",)),
    "refresh token reused": Way(use_a_refresh_token_again, ("session",)),
    "session outlived": Way(outlive(30 * 86_400), ("session",)),
    "one session too many": Way(sign_in_too_often, ("session",)),
    "consumer switched off": Way(switch_off, tuple(EVERY), ends_one=False),
    "consumer switched off and on": Way(switch_off_and_on, ("session",)),
    "consumer deleted": Way(delete_consumer, tuple(EVERY), ends_one=False),
    "consumer deleted, the rest not yet": Way(delete_consumer_alone, tuple(EVERY), ends_one=False),
}
