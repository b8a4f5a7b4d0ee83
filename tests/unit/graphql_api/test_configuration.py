"""The configuration through the door: read, changed, refused."""

from typing import Any

import pytest

from gatehouse.accounts.admittance import Mode
from gatehouse.configuration.model import Overrides
from gatehouse.consumers.model import Role
from gatehouse.permissions import Caller
from tests.unit.fakes import START, MemoryStore, a_user, signed_in
from tests.unit.graphql_api.conftest import Api

FIELDS = """throttleLimit throttleLimitModerator throttleLimitAdmin throttleLimitAnonymous registrationMode
    allowedEmailDomains auditRetentionDays cleanupNoticeDays cleanupWarnDays cleanupDeactivateDays cleanupAnonymiseDays
    cleanupWarnDaysModerator cleanupDeactivateDaysModerator cleanupAnonymiseDaysModerator overridden updatedAt"""
READ = f"{{ systemConfiguration {{ {FIELDS} }} }}"
UPDATE = f"""mutation($c: SystemConfigurationInput!) {{
    updateSystemConfiguration(systemConfigurationInput: $c) {{ {FIELDS} }} }}"""
DEPLOYED = {
    "throttleLimit": 10,
    "throttleLimitModerator": 100,
    "throttleLimitAdmin": 1_000,
    "throttleLimitAnonymous": 30,
    "registrationMode": "OPEN",
    "allowedEmailDomains": [],
    "auditRetentionDays": 365,
    "cleanupNoticeDays": 0,
    "cleanupWarnDays": 76,
    "cleanupDeactivateDays": 90,
    "cleanupAnonymiseDays": 0,
    "cleanupWarnDaysModerator": 76,
    "cleanupDeactivateDaysModerator": 90,
    "cleanupAnonymiseDaysModerator": 0,
    "overridden": [],
    "updatedAt": None,
}


@pytest.fixture
def admin(store: MemoryStore) -> Caller:
    return signed_in(store.add(a_user("root", role=Role.ADMIN)))


def test_an_admin_reads_what_the_deployment_says(api: Api, admin: Caller) -> None:
    assert api.ask(READ, None, admin).data == {"systemConfiguration": DEPLOYED}


def test_an_admin_sets_something_and_takes_it_back(api: Api, admin: Caller, store: MemoryStore) -> None:
    changes: dict[str, Any] = {
        "throttleLimit": 5,
        "registrationMode": "INVITE_ONLY",
        "allowedEmailDomains": ["b.org", "A.com"],
    }
    expected = {
        **DEPLOYED,
        **changes,
        "allowedEmailDomains": ["a.com", "b.org"],
        "overridden": ["throttleLimit", "registrationMode", "allowedEmailDomains"],
        "updatedAt": "2026-03-01T12:00:00.000Z",
    }

    assert api.ask(UPDATE, {"c": changes}, admin).data == {"updateSystemConfiguration": expected}
    assert api.ask(READ, None, admin).data == {"systemConfiguration": expected}
    api.ask(UPDATE, {"c": {"throttleLimit": None, "allowedEmailDomains": None}}, admin)
    assert store.configuration.kept == Overrides(registration_mode=Mode.INVITE_ONLY, updated_at=START, revision=2)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"throttleLimit": 0}, "throttleLimit"),
        ({"registrationMode": "CLOSED"}, "registrationMode"),
        ({"allowedEmailDomains": ["com"]}, "allowedEmailDomains"),
        ({"cleanupWarnDaysModerator": 90}, "cleanupWarnDaysModerator"),
        ({"auditRetentionDays": 1.5}, "auditRetentionDays"),
    ],
)
def test_a_value_that_breaks_a_rule_is_told_by_its_field(
    api: Api, admin: Caller, store: MemoryStore, changes: dict[str, Any], field: str
) -> None:
    [error] = api.ask(UPDATE, {"c": changes}, admin).errors

    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_REQUEST", field)
    assert store.configuration.kept == Overrides()


@pytest.mark.parametrize("role", [Role.USER, Role.MODERATOR])
def test_nobody_else_may(api: Api, store: MemoryStore, role: Role) -> None:
    caller = signed_in(store.add(a_user("jo", role=role)))
    for query, variables in ((READ, None), (UPDATE, {"c": {"throttleLimit": 5}})):
        [error] = api.ask(query, variables, caller).errors
        assert error["extensions"]["code"] == "FORBIDDEN"
    assert store.configuration.kept == Overrides()
