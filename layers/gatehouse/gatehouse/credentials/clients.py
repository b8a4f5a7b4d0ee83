"""OAuth2 clients: access tokens for their secret (RFC 6749 §4.4), looked at (RFC 7662) and taken back (RFC 7009)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from gatehouse.admission.model import Admitted
from gatehouse.audit import acting
from gatehouse.audit.model import AuditAction, AuditEvent, Target, TargetType
from gatehouse.audit.recording import Recorder
from gatehouse.clock import Clock
from gatehouse.consumers.model import Role, User
from gatehouse.credentials import fields
from gatehouse.credentials.model import Credential, CredentialType
from gatehouse.errors import BadRequest, Unauthenticated
from gatehouse.permissions import Action, Caller, may, program, require
from gatehouse.persistence import Stale
from gatehouse.tokens import CLIENT_ACCESS, CREDENTIAL, Claims, TokenExpired, Tokens, type_of

LONGEST = timedelta(hours=1)
"""The life of an access token; it is shorter where its credential, or the secret it was got with, ends before."""

_KINDS = {kind.typ: kind for kind in (CLIENT_ACCESS, CREDENTIAL)}
_TYPES = {CLIENT_ACCESS.audience: CredentialType.OAUTH2, CREDENTIAL.audience: CredentialType.JWT}


class InvalidScope(BadRequest):
    """A scope that cannot be one, or that the client does not have."""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What decides beside a token itself whether it counts."""

    owner: User | None
    credential: Credential | None
    is_revoked: bool


class ClientStore(Protocol):
    """Where credentials are, and which tokens were taken back."""

    def circumstances(self, consumer_id: str, credential_id: str, token_id: str) -> Circumstances: ...

    def revoke_token(self, consumer_id: str, token_id: str, expires_at: datetime, event: AuditEvent) -> None:
        """Ends the token on the next request; raises Stale where it is ended already, or without an owner."""


@dataclass(frozen=True, kw_only=True)
class AccessToken:
    """A fresh token, its life in seconds, and its scopes; None where it has all that its owner has."""

    token: str = field(repr=False)
    expires_in: int
    scopes: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class LiveToken:
    """A token that would be let in now, of this credential, with these scopes (None: all that its owner has)."""

    claims: Claims
    credential: Credential
    scopes: tuple[str, ...] | None


@dataclass(frozen=True)
class Clients:
    """The use cases. The client has been admitted by its id and secret."""

    store: ClientStore
    clock: Clock
    tokens: Tokens
    recorder: Recorder

    def issue(self, client: Admitted, scope: str | None) -> AccessToken:
        """An access token with the scopes asked for, or with all of the client's; raises InvalidScope."""
        credential, version = client.credential, client.version
        if credential is None or version is None:
            raise Unauthenticated("Only a client gets an access token.")
        asked = None if scope is None else _asked(credential, scope)
        now = self.clock.now()
        expires_at = _end_of(credential, version, now)
        own = {"cid": credential.id, "ver": version, "client_id": credential.key_id}
        if asked is not None:
            own["scope"] = " ".join(asked)
        return AccessToken(
            token=self.tokens.issue(CLIENT_ACCESS, credential.consumer_id, own, now, expires_at),
            expires_in=int(expires_at.timestamp()) - int(now.timestamp()),
            scopes=credential.scopes if asked is None else asked,
        )

    def introspect(self, caller: Caller, token: str) -> LiveToken | None:
        """The token, where it counts and the caller may know; raises Forbidden without the right to ask."""
        require(caller, Action.INTROSPECT_TOKEN)
        claims = self._genuine(token)
        if claims is None:
            return None
        found = self.store.circumstances(claims.subject, claims.own["cid"], claims.token_id)
        owner, credential = found.owner, found.credential
        if owner is None or credential is None or not may(caller, Action.INTROSPECT_TOKEN, owner):
            return None
        now = self.clock.now()
        counts = credential.is_in_force(now) and credential.takes_version(claims.own["ver"], now)
        is_of_its_type = credential.type is _TYPES[claims.own["aud"]]
        if found.is_revoked or not owner.is_active or not counts or not is_of_its_type:
            return None
        left = _program(credential, owner.role, _scopes_of(claims)).scopes
        return LiveToken(claims=claims, credential=credential, scopes=None if left is None else tuple(sorted(left)))

    def revoke(self, caller: Caller, token: str) -> None:
        """Ends the token on the next request, where it counts; that of another consumer stays as it is.

        A client needs no right to end its own, and raises Forbidden for another's without one.
        """
        claims = self._genuine(token)
        if claims is None:
            return
        if claims.own["cid"] != caller.credential_id:
            require(caller, Action.REVOKE_TOKEN)
            found = self.store.circumstances(claims.subject, claims.own["cid"], claims.token_id)
            if found.owner is None or not may(caller, Action.REVOKE_TOKEN, found.owner):
                return
        event = self.recorder.event(
            AuditAction.TOKEN_REVOKED,
            acting.caller(caller),
            subject_id=claims.subject,
            target=Target(TargetType.CREDENTIAL, claims.own["cid"]),
        )
        try:
            self.store.revoke_token(claims.subject, claims.token_id, claims.expires_at, event)
        except Stale:
            return

    def _genuine(self, token: str) -> Claims | None:
        kind = _KINDS.get(type_of(token) or "")
        if kind is None:
            return None
        try:
            return self.tokens.verify(kind, token, self.clock.now())
        except (Unauthenticated, TokenExpired):
            return None


def _asked(credential: Credential, scope: str) -> tuple[str, ...]:
    try:
        words = fields.scopes(scope.split(" ")) or ()
    except BadRequest as error:
        raise InvalidScope("scope is a list of words such as users:read, with one space between.") from error
    if _program(credential, credential.role, frozenset(words)).scopes != frozenset(words):
        raise InvalidScope("The client does not have this scope.")
    return words


def _program(credential: Credential, role: Role, scopes: frozenset[str] | None) -> Caller:
    return program(credential, role, version=credential.version, narrowed=scopes)


def _scopes_of(claims: Claims) -> frozenset[str] | None:
    asked = claims.own.get("scope")
    return None if asked is None else frozenset(str(asked).split())


def _end_of(credential: Credential, version: int, now: datetime) -> datetime:
    return credential.ends_at(version, now + LONGEST) or now + LONGEST
