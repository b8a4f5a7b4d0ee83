"""The part of the journey in `recorded_calls` in which nobody comes any more, and the cleanup sees to it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from local.gateway.clock import MovableClock

type Send = Callable[..., Any]
type Run = Callable[[], Any]

DAYS = "{cleanupWarnDays: 10, cleanupDeactivateDays: 20, cleanupAnonymiseDays: 30}"


def clean_up(send: Send, sign_in: Callable[[], tuple[str, str]], run: Run, clock: MovableClock) -> None:
    """A consumer with a plan and a credential that is about to end is warned, switched off and made nobody."""
    admin = sign_in()
    send(f"mutation {{ updateSystemConfiguration(systemConfigurationInput: {DAYS}) {{ overridden }} }}", admin)
    made = 'createUser(createUserInput: {username: "idle", email: "idle@example.com", kind: SERVICE})'
    user_id = send(f"mutation {{ {made} {{ id }} }}", admin)["createUser"]["id"]
    ends_at = (clock.now() + timedelta(days=12)).isoformat().replace("+00:00", "Z")
    new = (
        f'createCredential(createCredentialInput: {{type: KEY_AUTH, consumerId: "{user_id}", expiresAt: "{ends_at}"}})'
    )
    send(f"mutation {{ {new} {{ id }} }}", admin)
    plan = send('mutation { createUsagePlan(createUsagePlanInput: {name: "idle", rateLimit: 9}) { id } }', admin)
    assigned = f'assignUsagePlan(userId: "{user_id}", planId: "{plan["createUsagePlan"]["id"]}")'
    send(f"mutation {{ {assigned} {{ id }} }}", admin)
    reports = []
    for _ in range(3):
        clock.advance(timedelta(days=10))
        reports.append(run())
    steps = ("warned", "expiring", "deactivated", "anonymised")
    done = [[step for step in steps if report[step]] for report in reports]
    assert done == [["warned", "expiring"], ["deactivated"], ["anonymised"]]
