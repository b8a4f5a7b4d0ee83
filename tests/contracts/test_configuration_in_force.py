"""What an ADMIN configures is in force on every function within a minute: the house as it is wired, on the table."""

from typing import Any

import pytest

from gatehouse.accounts.admittance import Mode
from gatehouse.configuration.service import ConfigurationFields
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.inactivity import Days
from gatehouse.consumers.model import Role
from gatehouse.errors import BadRequest, Forbidden, ServiceUnavailable
from gatehouse.settings import InvalidSetting
from gatehouse.signing.keys import SigningKeys
from gatehouse.wiring import Gatehouse, build_cleanup, build_following
from tests.contracts.faults import PatientTime, faults, refused, silent
from tests.stores import Store, cost_of
from tests.unit.fakes import AT_HOME, HOME, KEY, PASSWORD, StoppedClock, a_user, signed_in, the_settings

ADMIN = signed_in(a_user("root", role=Role.ADMIN))
MINUTE = 60
SETTINGS = the_settings()
THROTTLED = refused("ThrottlingException")


@pytest.fixture
def house(store: Store, clock: StoppedClock) -> Gatehouse:
    """A function: the gate, the API's use cases and what they remember, as they are in one process."""
    return a_function(clock)


def a_function(clock: StoppedClock) -> Gatehouse:
    """One that has seen nothing yet."""
    return Gatehouse(SETTINGS, clock, lambda: SigningKeys("k1", {"k1": KEY}))


def configure(clock: StoppedClock, changes: ConfigurationFields) -> None:
    """An ADMIN does, at another function."""
    a_function(clock).configuration.update(ADMIN, changes)


def somebody(name: str, domain: str = "example.com") -> NewUser:
    return {"username": name, "email": f"{name}@{domain}", "password": PASSWORD}


def test_the_gate_goes_by_new_limits_after_a_minute_and_by_the_deployments_again_when_they_are_taken_back(
    house: Gatehouse, clock: StoppedClock
) -> None:
    limits: list[int] = []

    def ask(seconds: float) -> None:
        clock.advance(seconds=seconds)
        limits.append(house.admission.anonymous(HOME).allowance.limit)

    ask(0)
    configure(clock, {"throttle_limit_anonymous": 2})
    for seconds in (59.999, 0.001):
        ask(seconds)
    configure(clock, {"throttle_limit_anonymous": None})
    for seconds in (59.999, 0.001):
        ask(seconds)

    assert limits == [30, 30, 2, 2, 30]


def test_limits_of_roles_are_in_force_at_the_gate_in_what_usage_tells_and_at_the_outer_wall(
    house: Gatehouse, clock: StoppedClock
) -> None:
    no_plane: Any = object()
    wall = build_following(SETTINGS, clock, no_plane).wall
    throttles = (house.admission.throttle, house.usage.throttle, wall.throttle)
    before = [throttle().by_role for throttle in throttles]
    configure(clock, {"throttle_limit": 1, "throttle_limit_moderator": 2, "throttle_limit_admin": 3})
    clock.advance(seconds=MINUTE)

    assert before == [{Role.USER: 10, Role.MODERATOR: 100, Role.ADMIN: 1_000}] * 3
    assert [throttle().by_role for throttle in throttles] == [{Role.USER: 1, Role.MODERATOR: 2, Role.ADMIN: 3}] * 3


def test_registration_goes_by_a_new_mode_after_a_minute(house: Gatehouse, clock: StoppedClock) -> None:
    registration = house.people.registration
    assert registration.register(somebody("ann"), AT_HOME) is not None
    configure(clock, {"registration_mode": Mode.INVITE_ONLY})
    clock.advance(seconds=MINUTE - 1)
    assert registration.register(somebody("ben"), AT_HOME) is not None
    clock.advance(seconds=1)

    with pytest.raises(Forbidden) as refusal:
        registration.register(somebody("carl"), AT_HOME)
    assert refusal.value.reason == "REGISTRATION_CLOSED"


def test_registration_and_new_emails_go_by_new_domains_after_a_minute(house: Gatehouse, clock: StoppedClock) -> None:
    registration, emails = house.people.registration, house.people.emails
    signed = registration.register(somebody("ann", "example.org"), AT_HOME)
    assert signed is not None
    configure(clock, {"allowed_email_domains": ["example.com"]})
    clock.advance(seconds=MINUTE)

    with pytest.raises(BadRequest) as refusal:
        registration.register(somebody("ben", "example.org"), AT_HOME)
    assert (refusal.value.field, refusal.value.reason) == ("email", "EMAIL_DOMAIN")
    with pytest.raises(BadRequest) as refusal:
        emails.ask_for_change(signed_in(signed.user), AT_HOME, "ann@example.net", PASSWORD)
    assert (refusal.value.field, refusal.value.reason) == ("newEmail", "EMAIL_DOMAIN")
    assert registration.register(somebody("ben"), AT_HOME) is not None


def test_a_sign_in_asks_for_nothing_that_is_configured(house: Gatehouse, clock: StoppedClock) -> None:
    house.people.registration.register(somebody("ann"), AT_HOME)
    fresh = a_function(clock).people.accounts
    reads = cost_of(lambda: fresh.login("ann@example.com", PASSWORD, AT_HOME)).calls
    clock.advance(seconds=MINUTE)

    assert cost_of(lambda: fresh.login("ann@example.com", PASSWORD, AT_HOME)).calls == reads


def test_the_cleanup_goes_by_its_days_at_once_because_what_it_does_is_not_undone(
    store: Store, clock: StoppedClock
) -> None:
    cleanup = build_cleanup(SETTINGS, clock)
    rules = cleanup.sweep.rules
    assert rules().by_role == dict.fromkeys((Role.USER, Role.MODERATOR), Days(warn=76, deactivate=90))
    assert cleanup.retention_days() == 365
    configure(clock, {"cleanup_deactivate_days": 0, "cleanup_anonymise_days_moderator": 400, "cleanup_notice_days": 7})
    configure(clock, {"audit_retention_days": 1_000})

    assert rules().by_role == {Role.MODERATOR: Days(warn=76, deactivate=90, anonymise=400)}
    assert rules().notice_days == 7
    assert cleanup.retention_days() == 1_000


def test_a_cleanup_that_cannot_read_its_days_does_nothing(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime
) -> None:
    sweep = build_cleanup(SETTINGS, clock).sweep
    sweep.rules()
    with faults("GetItem", [silent] * 3), pytest.raises(ServiceUnavailable):
        sweep.run(lambda: 900.0)


def test_a_deployment_whose_days_contradict_one_another_has_no_cleanup(store: Store, clock: StoppedClock) -> None:
    with pytest.raises(InvalidSetting, match=r"^CLEANUP_\*_DAYS: cleanupDeactivateDays is 0"):
        build_cleanup(the_settings(CLEANUP_WARN_DAYS="90"), clock)


def test_a_function_goes_by_what_it_read_last_while_it_cannot_read_more(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime
) -> None:
    house = a_function(clock)
    configure(clock, {"throttle_limit_anonymous": 2})
    assert house.admission.anonymous(HOME).allowance.limit == 2
    clock.advance(seconds=MINUTE)
    with faults("GetItem", [THROTTLED] * 100):
        for _ in range(3):
            assert house.admission.anonymous(HOME).allowance.limit == 2
            clock.advance(seconds=MINUTE)


def test_a_function_that_never_read_what_is_configured_lets_nobody_in_and_opens_no_account(
    dynoxide_store: Store, clock: StoppedClock, patient_time: PatientTime
) -> None:
    house = a_function(clock)
    configure(clock, {"registration_mode": Mode.INVITE_ONLY})
    before = dynoxide_store.items()
    with faults("GetItem", [THROTTLED] * 100):
        with pytest.raises(ServiceUnavailable):
            house.admission.anonymous(HOME)
        with pytest.raises(ServiceUnavailable):
            house.people.registration.register(somebody("ann"), AT_HOME)

    assert dynoxide_store.items() == before
    with pytest.raises(Forbidden):
        house.people.registration.register(somebody("ann"), AT_HOME)
