"""The use cases of the configuration, on a store in memory."""

from dataclasses import replace
from typing import Any

import pytest

from gatehouse.accounts.admittance import Mode
from gatehouse.audit.model import AuditAction, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.configuration.model import Overrides, effective
from gatehouse.configuration.service import Configuration
from gatehouse.consumers.model import Role
from gatehouse.errors import BadRequest, Forbidden, ServiceUnavailable, Unauthenticated
from gatehouse.ids import new_id
from gatehouse.permissions import ANONYMOUS, Caller
from tests.unit.configurations import DEFAULTS, MemoryConfiguration
from tests.unit.events import an_expected, by
from tests.unit.fakes import HOME, START, StoppedClock, a_user, no_code_needed, signed_in


@pytest.fixture
def kept() -> MemoryConfiguration:
    return MemoryConfiguration()


@pytest.fixture
def configuration(kept: MemoryConfiguration, clock: StoppedClock) -> Configuration:
    return Configuration(kept, clock, Recorder(clock), DEFAULTS, no_code_needed)


@pytest.fixture
def admin() -> Caller:
    return signed_in(a_user("root", role=Role.ADMIN))


def test_only_what_is_given_is_set_and_the_answer_is_what_will_be_in_force(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller
) -> None:
    configuration.update(admin, {"throttle_limit": 5, "registration_mode": Mode.INVITE_ONLY})
    told = configuration.update(admin, {"allowed_email_domains": ["Example.com", "example.com"]})

    assert kept.kept == Overrides(
        throttle_limit=5,
        registration_mode=Mode.INVITE_ONLY,
        allowed_email_domains=frozenset({"example.com"}),
        updated_at=START,
        revision=2,
    )
    assert told == configuration.get(admin) == effective(DEFAULTS, kept.kept)


def test_a_change_is_kept_with_its_event_which_tells_what_was_in_force_and_what_will_be(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller
) -> None:
    admin = replace(admin, address=HOME, correlation_id="r-1")
    configuration.update(admin, {"throttle_limit": 5, "allowed_email_domains": ["b.org", "a.com"]})
    configuration.update(admin, {"throttle_limit": None, "registration_mode": Mode.INVITE_ONLY})
    known = {
        "at": START,
        "actor": by(admin),
        "target": Target(TargetType.CONFIGURATION, "system"),
        "correlation_id": "r-1",
    }
    both = ("throttleLimit", "allowedEmailDomains")

    assert kept.events.told() == [
        an_expected(
            AuditAction.CONFIGURATION_CHANGED,
            **known,
            before={"throttleLimit": 10, "allowedEmailDomains": (), "overridden": ()},
            after={"throttleLimit": 5, "allowedEmailDomains": ("a.com", "b.org"), "overridden": both},
        ),
        an_expected(
            AuditAction.CONFIGURATION_CHANGED,
            **known,
            before={"throttleLimit": 5, "registrationMode": "OPEN", "overridden": both},
            after={
                "throttleLimit": 10,
                "registrationMode": "INVITE_ONLY",
                "overridden": ("registrationMode", "allowedEmailDomains"),
            },
        ),
    ]


def test_to_set_what_the_deployment_says_is_a_change_of_its_own(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller
) -> None:
    configuration.update(admin, {"throttle_limit": 10})

    [event] = kept.events
    assert (event.before, event.after) == ({"overridden": ()}, {"overridden": ("throttleLimit",)})


def test_null_is_the_deployments_value_again(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller, clock: StoppedClock
) -> None:
    configuration.update(admin, {"throttle_limit": 5, "cleanup_notice_days": 30})
    clock.advance(hours=1)
    told = configuration.update(admin, {"throttle_limit": None, "cleanup_notice_days": 7})

    assert kept.kept == Overrides(cleanup_notice_days=7, updated_at=clock.now(), revision=2)
    assert (told.throttle_limit, told.overridden) == (10, ("cleanup_notice_days",))


@pytest.mark.parametrize("changes", [{}, {"throttle_limit": None}, {"audit_retention_days": 30}])
def test_what_is_set_already_is_no_change(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller, changes: Any
) -> None:
    kept.kept = Overrides(audit_retention_days=30, updated_at=START, revision=1)

    assert configuration.update(admin, changes) == effective(DEFAULTS, kept.kept)
    assert kept.events == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"throttle_limit": 0}, "throttleLimit"),
        ({"throttle_limit_anonymous": 1_000_001}, "throttleLimitAnonymous"),
        ({"audit_retention_days": -1}, "auditRetentionDays"),
        ({"allowed_email_domains": ["com"]}, "allowedEmailDomains"),
        ({"cleanup_warn_days": 90}, "cleanupWarnDays"),
        ({"cleanup_anonymise_days_moderator": 90}, "cleanupAnonymiseDaysModerator"),
        ({"throttle_limit": 5, "cleanup_deactivate_days": 76}, "cleanupDeactivateDays"),
    ],
)
def test_what_breaks_a_rule_names_its_field_and_nothing_is_set(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller, changes: Any, field: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        configuration.update(admin, changes)

    assert (refusal.value.field, kept.kept) == (field, Overrides())


def test_days_are_held_against_what_was_set_before(configuration: Configuration, admin: Caller) -> None:
    configuration.update(admin, {"cleanup_deactivate_days": 120})
    configuration.update(admin, {"cleanup_warn_days": 100})
    with pytest.raises(BadRequest) as refusal:
        configuration.update(admin, {"cleanup_deactivate_days": None})

    assert refusal.value.field == "cleanupDeactivateDays"


def test_what_others_set_at_the_same_time_is_kept(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller
) -> None:
    kept.others = [{"throttle_limit_admin": 7}, {"cleanup_warn_days": 50}]
    configuration.update(admin, {"throttle_limit": 5})

    assert replace(kept.kept, updated_at=None) == Overrides(
        throttle_limit=5, throttle_limit_admin=7, cleanup_warn_days=50, revision=3
    )


def test_a_rule_is_asked_again_of_what_others_set(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller
) -> None:
    kept.others = [{"cleanup_warn_days": 85}]
    with pytest.raises(BadRequest) as refusal:
        configuration.update(admin, {"cleanup_deactivate_days": 80})

    assert refusal.value.field == "cleanupDeactivateDays"


def test_it_gives_up_where_others_are_always_first(
    configuration: Configuration, kept: MemoryConfiguration, admin: Caller
) -> None:
    kept.others = [{"throttle_limit_admin": number} for number in range(1, 10)]
    with pytest.raises(ServiceUnavailable):
        configuration.update(admin, {"throttle_limit": 5})

    assert kept.events == []


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_only_an_admin_may_read_or_change_it(
    configuration: Configuration, kept: MemoryConfiguration, role: Role
) -> None:
    for caller, refusal in ((signed_in(a_user("jo", role=role)), Forbidden), (ANONYMOUS, Unauthenticated)):
        with pytest.raises(refusal):
            configuration.get(caller)
        with pytest.raises(refusal):
            configuration.update(caller, {"throttle_limit": 0})
    assert (kept.reads, kept.events) == (0, [])


def test_a_program_of_an_admins_needs_the_scope(configuration: Configuration, kept: MemoryConfiguration) -> None:
    root = a_user("root", role=Role.ADMIN)
    for scopes, may in ((None, False), (frozenset[str](), False), (frozenset({"system:write"}), True)):
        program = Caller(consumer_id=root.id, role=Role.ADMIN, credential_id="c", scopes=scopes)
        if may:
            assert configuration.update(program, {"throttle_limit": 5}) == configuration.get(program)
            continue
        with pytest.raises(Forbidden):
            configuration.get(program)
        with pytest.raises(Forbidden):
            configuration.update(program, {"throttle_limit": 5})
    assert len(kept.events) == 1


def test_a_person_gives_a_fresh_code_first_and_a_program_can_give_none(
    kept: MemoryConfiguration, clock: StoppedClock
) -> None:
    asked: list[Caller] = []
    configuration = Configuration(kept, clock, Recorder(clock), DEFAULTS, asked.append)
    admin = signed_in(a_user("admin", role=Role.ADMIN))
    program = replace(admin, session_id=None, credential_id=new_id(START), scopes=frozenset({"system:write"}))

    configuration.update(admin, {"throttle_limit": 7})
    configuration.update(program, {"throttle_limit": 8})

    assert asked == [admin]
    assert kept.kept.throttle_limit == 8
