"""The gate's use cases: from what a request carries to who is calling and what they may still ask for, or a refusal.

On the steady path each is one conditional write. What a function remembers of a session or a credential was read at an
epoch of its owner's gate; the write holds only at that epoch, and everything that ends something moves it on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehouse.admission.gate import SESSIONS, Counter, Outdated, Request, address_limit
from gatehouse.admission.lookup import Lookup, Seen
from gatehouse.admission.memory import KnownCredential, Memory
from gatehouse.admission.meters import (
    Allowance,
    Limit,
    Meter,
    Throttle,
    credential_limits,
    plan_limits,
    session_limits,
    spent,
)
from gatehouse.admission.model import Admitted, Gate
from gatehouse.clock import Clock
from gatehouse.consumers.model import Role
from gatehouse.credentials.keys import ApiKey
from gatehouse.credentials.model import CredentialType
from gatehouse.errors import ServiceUnavailable, TooManyTries, Unauthenticated
from gatehouse.permissions import ANONYMOUS, Caller, program
from gatehouse.plans.model import UsagePlan
from gatehouse.tokens import SESSION, Claims, TokenExpired, TokenKind, Tokens
from gatehouse.wall.model import anonymous_key, own_key, shared_key, tier_for

USED_AT_MOST_EVERY = timedelta(hours=1)
"""How coarse the `lastUsedAt` of a credential or a session is."""

_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Each method answers for one kind of caller; raises Unauthenticated or ServiceUnavailable.

    A person in one of the `factor_roles` has its rights only in a session that has seen a second factor.
    """

    clock: Clock
    tokens: Tokens
    lookup: Lookup
    counter: Counter
    memory: Memory
    throttle: Callable[[], Throttle]
    find_plan: Callable[[str], UsagePlan | None]
    key_seed: str
    trusted_proxies: int
    factor_roles: frozenset[Role]

    def anonymous(self, address: str, reason: str | None = None) -> Admitted:
        """Nobody, from an address; `reason` tells why somebody is taken for nobody."""
        throttle = self.throttle()
        limit = address_limit(throttle.anonymous, throttle.window_seconds)
        allowance = self.counter.enter_address(address, limit, self.clock.now())
        return self._nobody(allowance, reason)

    def by_session(self, token: str, address: str) -> Admitted:
        """The person whose access token it is; nobody, with a reason, where its only fault is its age."""
        now = self.clock.now()
        try:
            claims = self.tokens.verify(SESSION, token, now)
        except TokenExpired:
            return self.anonymous(address, "TOKEN_EXPIRED")
        known = self.lookup.recall_session(claims)
        for _ in range(_ATTEMPTS):
            if known is None or now >= known.ends_at:
                known = self.lookup.look_up_session(claims, now)
            throttle = self.throttle()
            limits = session_limits(throttle.by_role[known.standing.role], throttle.window_seconds)
            name_of_use = f"{claims.own['sid']} {SESSIONS}"
            is_due = self._is_due(name_of_use, known.used_at, now)
            request = Request(
                consumer_id=claims.subject,
                user=SESSIONS,
                limits=limits,
                now=now,
                note=name_of_use if is_due else None,
                role=known.standing.role,
            )
            try:
                gate, allowance = self.counter.enter(request, known.standing.epoch)
            except Outdated:
                known = None
                continue
            if is_due and not allowance.is_spent:
                self.memory.used.keep(name_of_use, now)
            role = gate.standing.role
            lacks_factor = role in self.factor_roles and not (gate.standing.two_factor and known.is_proved)
            caller = Caller(
                consumer_id=claims.subject,
                role=Role.USER if lacks_factor else role,
                session_id=claims.own["sid"],
                generation=gate.standing.generation,
                lacks_factor=lacks_factor,
            )
            return Admitted(caller=caller, allowance=allowance, gateway_key=shared_key(self.key_seed))
        raise _changing()

    def by_secret(self, kind: CredentialType, key: ApiKey, address: str) -> Admitted:
        """The program whose key id and secret these are; nobody, and over the limit, after too many wrong ones."""
        now = self.clock.now()
        try:
            return self._admit(
                self.lookup.recall_key(kind, key, now),
                lambda: self.lookup.look_up_key(kind, key, address, now),
                None,
                now,
            )
        except TooManyTries as error:
            spent_on = Allowance(limit=error.limit, remaining=0, resets_at=error.until, is_spent=True)
            return self._nobody(spent_on, None)

    def by_token(self, kind: TokenKind, token: str) -> Admitted:
        """The program whose long-lived token, or whose access token from `/oauth/token`, it is."""
        now = self.clock.now()
        try:
            claims = self.tokens.verify(kind, token, now)
        except TokenExpired as error:
            raise Unauthenticated("The token has expired.") from error
        return self._admit(
            self.lookup.recall_token(kind, claims, now),
            lambda: self.lookup.look_up_token(kind, claims, now),
            claims,
            now,
        )

    def charge(self, caller: Caller, plan: UsagePlan, cost: int) -> Allowance:
        """What remains when an admitted request has cost as much more; nothing is charged where that is too much."""
        now = self.clock.now()
        limits = [limit for limit in plan_limits(plan) if limit.meter is not Meter.BURST]
        if (over := spent({}, limits, now, cost)) is not None:
            return over
        request = Request(
            consumer_id=caller.consumer_id or "",
            user=str(caller.credential_number),
            limits=limits,
            now=now,
            cost=cost,
            plan_id=plan.id,
        )
        try:
            return self.counter.enter(request, None)[1]
        except Outdated as error:
            # What another plan has begun to count must not be turned by this one's windows.
            raise ServiceUnavailable("The usage plan, or the account, has just changed. Try again.") from error

    def _admit(self, seen: Seen | None, look_up: Callable[[], Seen], claims: Claims | None, now: datetime) -> Admitted:
        for _ in range(_ATTEMPTS):
            known, version = seen or look_up()
            try:
                return self._enter(known, version, claims, now)
            except Outdated:
                seen = None
        raise _changing()

    def _enter(self, known: KnownCredential, version: int, claims: Claims | None, now: datetime) -> Admitted:
        standing, credential = known.standing, known.stored.credential
        plan = None if standing.plan_id is None else self.find_plan(standing.plan_id)
        throttle = self.throttle()
        limits = credential_limits(throttle.by_role[standing.role], throttle.window_seconds, plan)
        name_of_use = f"{credential.id} {version}"
        is_due = self._is_due(name_of_use, credential.last_use_of(version), now)
        request = Request(
            consumer_id=standing.consumer_id,
            user=str(credential.number),
            limits=limits,
            now=now,
            note=name_of_use if is_due else None,
            role=standing.role,
        )
        gate, allowance = self.counter.enter(request, standing.epoch)
        if is_due and not allowance.is_spent:
            self.memory.used.keep(name_of_use, now)
        return Admitted(
            caller=program(
                credential,
                standing.role,
                version=version,
                narrowed=_scopes_of(claims),
                token_ends_at=None if claims is None else claims.expires_at,
            ),
            allowance=allowance,
            gateway_key=self._key_of(gate, limits, now),
            plan_id=None if plan is None else plan.id,
            credential=credential,
            version=version,
        )

    def _is_due(self, name_of_use: str, last_use: datetime | None, now: datetime) -> bool:
        """Whether it is time to write down that a session, or a version of a secret, was used."""
        known = (self.memory.used.find(name_of_use), last_use)
        used = max((moment for moment in known if moment is not None), default=None)
        return used is None or now - used >= USED_AT_MOST_EVERY

    def _key_of(self, gate: Gate, limits: tuple[Limit, ...], now: datetime) -> str:
        """The consumer's own key of API Gateway, where it is known there and in the tier of these limits."""
        own, window = gate.own_key, limits[0]
        if own is None or now < own.usable_at or not isinstance(window.span, timedelta):
            return shared_key(self.key_seed)
        if own.tier != tier_for(window.most, int(window.span.total_seconds())):
            return shared_key(self.key_seed)
        return own_key(self.key_seed, gate.standing.consumer_id)

    def _nobody(self, allowance: Allowance, reason: str | None) -> Admitted:
        caller = ANONYMOUS if reason is None else Caller(refused_because=reason)
        return Admitted(caller=caller, allowance=allowance, gateway_key=anonymous_key(self.key_seed))


def _scopes_of(claims: Claims | None) -> frozenset[str] | None:
    """What a token was made for; None where that is all its credential may do, or there is no token."""
    scope = None if claims is None else claims.own.get("scope")
    return None if scope is None else frozenset(str(scope).split())


def _changing() -> ServiceUnavailable:
    return ServiceUnavailable("This account is being changed by others. Try again.")
