"""What an event tells of the things of the house, before and after: their fields, and no secret."""

from datetime import datetime

from gatehouse.audit.model import Value
from gatehouse.configuration.model import NAMES, Effective
from gatehouse.consumers.model import User
from gatehouse.credentials.model import Credential
from gatehouse.plans.model import UsagePlan
from gatehouse.text import camel_case

type Fields = dict[str, Value]


def user(of: User) -> Fields:
    """A consumer, as others may know it."""
    return {**standing(of), "username": of.username, "email": of.email, **_names(of), "planId": of.plan_id}


def standing(of: User) -> Fields:
    """What of a consumer tells of no person."""
    return {
        "kind": of.kind.value,
        "role": of.role.value,
        "isActive": of.is_active,
        "deactivatedBy": None if of.deactivated_by is None else of.deactivated_by.value,
        "emailVerifiedAt": moment(of.email_verified_at),
    }


def credential(of: Credential) -> Fields:
    """A credential, but for its secret and what follows from its use."""
    return {
        "type": of.type.value,
        "keyId": of.key_id,
        "label": of.label,
        "role": of.role.value,
        "scopes": of.scopes,
        "expiresAt": moment(of.expires_at),
        "isActive": of.is_active,
    }


def version(of: Credential) -> Fields:
    """Which secret of a credential counts, and until when; the one before it may count for a while."""
    return {
        "version": of.version,
        "expiresAt": moment(of.expires_at),
        "overlapEndsAt": None if of.rotation is None else moment(of.rotation.overlap_ends_at),
    }


def plan(of: UsagePlan) -> Fields:
    """A usage plan."""
    return {
        "name": of.name,
        "rateLimit": of.rate_limit,
        "windowSeconds": of.window_seconds,
        "burstLimit": of.burst_limit,
        "quotaLimit": of.quota_limit,
        "quotaPeriod": None if of.quota_period is None else of.quota_period.value,
        "metersCost": of.meters_cost,
        "maxDepth": of.max_depth,
        "maxCost": of.max_cost,
        "allowedFields": of.allowed_fields,
    }


def configuration(of: Effective) -> Fields:
    """What is in force, and which of it does not come from the deployment."""
    return {
        **{camel_case(name): getattr(of, name) for name in NAMES},
        "registrationMode": of.registration_mode.value,
        "allowedEmailDomains": tuple(sorted(of.allowed_email_domains)),
        "overridden": tuple(camel_case(name) for name in of.overridden),
    }


def moment(of: datetime | None) -> str | None:
    """A moment as an event tells it: ISO 8601, UTC."""
    return None if of is None else of.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _names(of: User) -> Fields:
    return {"firstName": of.first_name, "lastName": of.last_name}
