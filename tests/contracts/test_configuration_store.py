"""The port of the configuration, `configuration.service.ConfigurationStore`, on every implementation, and its races."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from gatehouse.accounts.admittance import Mode
from gatehouse.audit.listing import EventQuery
from gatehouse.audit.model import AuditAction
from gatehouse.audit.recording import Recorder
from gatehouse.configuration.model import NAMES, Overrides
from gatehouse.configuration.service import Configuration, ConfigurationFields, ConfigurationStore
from gatehouse.consumers.model import Role
from gatehouse.errors import ServiceUnavailable
from gatehouse.ids import new_id
from gatehouse.persistence import Stale
from gatehouse.storage.audit import DynamoAuditEvents
from gatehouse.storage.configuration_changes import DynamoConfigurationChanges
from tests.contracts.faults import PatientTime, cancelled, faults, lost, silent
from tests.contracts.made_up import at_once
from tests.stores import Store, cost_of
from tests.unit.configurations import DEFAULTS, MemoryConfiguration
from tests.unit.fakes import START, StoppedClock, a_user, no_code_needed, signed_in

ADMIN = signed_in(a_user("root", role=Role.ADMIN))
EVERYTHING: dict[str, Any] = {
    **{name: number for number, name in enumerate(NAMES, 1)},
    "registration_mode": Mode.VERIFY_FIRST,
    "allowed_email_domains": frozenset({"example.com", "example.org"}),
    "cleanup_anonymise_days": 0,
}


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def kept(request: pytest.FixtureRequest) -> ConfigurationStore:
    """A configuration in which nothing was set yet, on each implementation in turn."""
    if request.param == "memory":
        return MemoryConfiguration()
    request.getfixturevalue(f"{request.param}_store")
    return DynamoConfigurationChanges()


def the_use_cases(clock: StoppedClock) -> Configuration:
    return Configuration(DynamoConfigurationChanges(), clock, Recorder(clock), DEFAULTS, no_code_needed)


def kept_events() -> list[Any]:
    page = DynamoAuditEvents().page_events(EventQuery(action=AuditAction.CONFIGURATION_CHANGED), 100, None)
    return [event for _, event in page.entries]


def test_nothing_is_set_where_never_anything_was(kept: ConfigurationStore) -> None:
    assert kept.find_overrides() == Overrides()


def test_it_is_found_as_it_was_set_and_what_was_taken_back_is_gone(kept: ConfigurationStore) -> None:
    steps = [
        Overrides(),
        Overrides(throttle_limit=5, updated_at=START, revision=1),
        Overrides(**EVERYTHING, updated_at=START, revision=2),
        Overrides(allowed_email_domains=frozenset(), updated_at=START, revision=3),
        Overrides(updated_at=START, revision=4),
    ]
    for before, after in pairwise(steps):
        kept.keep_overrides(before, after)
        assert kept.find_overrides() == after


def test_what_was_decided_on_an_older_one_is_stale_and_changes_nothing(kept: ConfigurationStore) -> None:
    first = Overrides(throttle_limit=5, updated_at=START, revision=1)
    second = Overrides(throttle_limit=6, updated_at=START, revision=2)
    with pytest.raises(Stale):
        kept.keep_overrides(first, second)
    kept.keep_overrides(Overrides(), first)
    kept.keep_overrides(first, second)
    for before in (Overrides(), first):
        with pytest.raises(Stale):
            kept.keep_overrides(before, Overrides(throttle_limit=7, updated_at=START, revision=before.revision + 1))

    assert kept.find_overrides() == second


def test_it_is_one_item_that_has_only_what_is_set(store: Store) -> None:
    DynamoConfigurationChanges().keep_overrides(Overrides(), Overrides(throttle_limit=5, updated_at=START, revision=1))

    assert store.items() == [
        {
            "PK": {"S": "CONF"},
            "SK": {"S": "C"},
            "throttleLimit": {"N": "5"},
            "updatedAt": {"N": "1772366400000"},
            "revision": {"N": "1"},
        }
    ]


def test_a_change_that_is_not_made_has_no_event_either(store: Store, clock: StoppedClock) -> None:
    the_use_cases(clock).update(ADMIN, {"throttle_limit": 5})
    [event] = kept_events()
    after = Overrides(throttle_limit=6, updated_at=START, revision=1)
    with pytest.raises(Stale):
        DynamoConfigurationChanges().keep_overrides(Overrides(), after, replace(event, id=new_id(START)))

    assert kept_events() == [event]


def test_reading_is_one_read_and_a_change_one_more_transaction(dynoxide_store: Store, clock: StoppedClock) -> None:
    configuration = the_use_cases(clock)
    change: ConfigurationFields = {"throttle_limit": 5}

    assert cost_of(lambda: configuration.get(ADMIN)).calls == {"GetItem": 1}
    assert cost_of(lambda: configuration.update(ADMIN, change)).calls == {"GetItem": 1, "TransactWriteItems": 1}
    assert cost_of(lambda: configuration.update(ADMIN, change)).calls == {"GetItem": 1}


@pytest.mark.parametrize("fault", [lost, silent, cancelled("TransactionConflict")])
def test_a_change_is_made_once_whatever_becomes_of_an_answer(
    dynoxide_store: Store, patient_time: PatientTime, clock: StoppedClock, fault: Any
) -> None:
    with faults("TransactWriteItems", [fault]) as sent:
        the_use_cases(clock).update(ADMIN, {"throttle_limit": 5})

    assert len(sent) == 2
    assert DynamoConfigurationChanges().find_overrides() == Overrides(throttle_limit=5, updated_at=START, revision=1)
    assert len(kept_events()) == 1


def test_of_changes_at_the_same_time_none_is_lost(dynoxide_store: Store, clock: StoppedClock) -> None:
    configuration = the_use_cases(clock)
    changes: list[ConfigurationFields] = [
        {"throttle_limit": 5},
        {"throttle_limit_admin": 6},
        {"audit_retention_days": 70},
        {"registration_mode": Mode.INVITE_ONLY},
    ]
    answers = at_once([partial(configuration.update, ADMIN, change) for change in changes])

    taken = [change for change, answer in zip(changes, answers, strict=True) if not isinstance(answer, Exception)]
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} <= {ServiceUnavailable}
    assert taken
    told: dict[str, Any] = {name: value for change in taken for name, value in change.items()}
    assert DynamoConfigurationChanges().find_overrides() == Overrides(**told, updated_at=START, revision=len(taken))
    assert sorted(len(event.after["overridden"]) for event in kept_events()) == list(range(1, len(taken) + 1))
