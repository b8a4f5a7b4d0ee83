"""Rotation while programs call without pause, on a store that is right about concurrency: not one call is refused."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.storage.consumers import DynamoConsumers
from tests.contracts.made_up import admission_on_the_table, clients_on_the_table, credentials_on_the_table
from tests.stores import Store
from tests.unit.credentials.programs import ENTRANCES
from tests.unit.fakes import StoppedClock, a_user, signed_in, the_settings

CALLERS, ROTATIONS = 8, 4


@dataclass
class Program:
    """What all callers read before each call: the secret that they were told last."""

    credential: Credential
    secret: str


@pytest.mark.parametrize("kind", CredentialType)
def test_callers_without_pause_come_through_rotations_unrefused(
    dynoxide_store: Store, clock: StoppedClock, kind: CredentialType
) -> None:
    owner = a_user("owner")
    DynamoConsumers().create_user(owner, None)
    credentials, me = credentials_on_the_table(clock), signed_in(owner)
    issued = credentials.create(me, {"type": kind})
    assert issued.secret is not None
    program = Program(issued.credential, issued.secret)
    calls: Queue[tuple[int, Any]] = Queue()
    is_over = Event()

    def call_on(caller: int) -> None:
        """Calls until all is over, in a function of its own, and tells what came of each call."""
        admission = admission_on_the_table(clock, the_settings(THROTTLE_LIMIT="1000000"))
        house: Any = SimpleNamespace(admission=admission, clients=clients_on_the_table(clock))
        while not is_over.is_set():
            try:
                calls.put((caller, ENTRANCES[kind](house, program.credential, program.secret).version))
            except Exception as error:  # noqa: BLE001 - it is the answer
                calls.put((caller, error))

    outcomes: Counter[Any] = Counter()
    with ThreadPoolExecutor(CALLERS) as threads:
        callers = [threads.submit(call_on, caller) for caller in range(CALLERS)]
        try:
            for version in range(2, ROTATIONS + 2):
                told = credentials.rotate(me, program.credential.id, None).secret
                assert told is not None
                program.secret = told
                # A secret has its overlap with the next one alone: everybody is to have called with this one first.
                behind = set(range(CALLERS))
                while behind:
                    caller, outcome = calls.get(timeout=30)
                    outcomes[outcome] += 1
                    assert isinstance(outcome, int), outcome
                    if outcome == version:
                        behind.discard(caller)
        finally:
            is_over.set()
        for each in callers:
            each.result()
    while not calls.empty():
        outcomes[calls.get()[1]] += 1

    assert {1, *outcomes} == set(range(1, ROTATIONS + 2)), outcomes
