"""What may happen to the configuration: it is read, and changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypedDict

from gatehouse.accounts.admittance import Mode
from gatehouse.audit import acting, told
from gatehouse.audit.model import AuditAction, AuditEvent, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.configuration import fields
from gatehouse.configuration.model import Effective, Overrides, Values, effective, without_updates
from gatehouse.errors import ServiceUnavailable
from gatehouse.permissions import Action, Caller, require
from gatehouse.persistence import Stale

_ATTEMPTS = 5
_TARGET = Target(TargetType.CONFIGURATION, "system")


class ConfigurationStore(Protocol):
    """Where it is kept what is set."""

    def find_overrides(self) -> Overrides:
        """What is set; nothing, with revision 0, where never anything was."""

    def keep_overrides(self, before: Overrides, after: Overrides, event: AuditEvent) -> None:
        """Turns one into the other, with its event; raises Stale where `before` is not what is kept."""


class ConfigurationFields(TypedDict, total=False):
    """What `update` takes: only what is given is changed, and None is the deployment's value again."""

    throttle_limit: int | None
    throttle_limit_moderator: int | None
    throttle_limit_admin: int | None
    throttle_limit_anonymous: int | None
    registration_mode: Mode | None
    allowed_email_domains: Sequence[str] | None
    audit_retention_days: int | None
    cleanup_notice_days: int | None
    cleanup_warn_days: int | None
    cleanup_deactivate_days: int | None
    cleanup_anonymise_days: int | None
    cleanup_warn_days_moderator: int | None
    cleanup_deactivate_days_moderator: int | None
    cleanup_anonymise_days_moderator: int | None


@dataclass(frozen=True)
class Configuration:
    """The use cases. Each takes the caller first and raises what `permissions` raises.

    `require_fresh` raises TwoFactorRequired where a caller has to give a code first; a program can give none.
    """

    store: ConfigurationStore
    clock: Clock
    recorder: Recorder
    defaults: Values
    require_fresh: Callable[[Caller], None]

    def get(self, caller: Caller) -> Effective:
        """What is in force, or will be within a minute."""
        require(caller, Action.READ_CONFIGURATION)
        return effective(self.defaults, self.store.find_overrides())

    def update(self, caller: Caller, changes: ConfigurationFields) -> Effective:
        """What will be in force within a minute; raises BadRequest."""
        require(caller, Action.UPDATE_CONFIGURATION)
        if caller.session_id is not None:
            self.require_fresh(caller)
        given = _checked(changes)
        for _ in range(_ATTEMPTS):
            before = self.store.find_overrides()
            after = replace(before, **given)
            in_force = effective(self.defaults, after)
            fields.check_days(in_force, given)
            if without_updates(after) == without_updates(before):
                return in_force
            after = replace(after, updated_at=self.clock.now(), revision=before.revision + 1)
            changed = effective(self.defaults, after)
            try:
                self.store.keep_overrides(before, after, self._event(caller, before, changed))
            except Stale:
                continue
            return changed
        raise ServiceUnavailable("The configuration is being changed by others. Try again.")

    def _event(self, caller: Caller, before: Overrides, after: Effective) -> AuditEvent:
        return self.recorder.event(
            AuditAction.CONFIGURATION_CHANGED,
            acting.caller(caller),
            target=_TARGET,
            before=told.configuration(effective(self.defaults, before)),
            after=told.configuration(after),
        )


def _checked(changes: ConfigurationFields) -> dict[str, Any]:
    """The changes as they are kept."""
    kept: dict[str, Any] = dict(changes)
    for name, value in kept.items():
        if value is not None and name in fields.RANGES:
            fields.number(name, value)
        elif value is not None and name == "allowed_email_domains":
            kept[name] = fields.domains(name, value)
    return kept
