"""Signing up, in and out, and what people do with their own accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import MutationType, ObjectType, QueryType

from gatehouse.consumers.model import Role, User
from graphql_api.context import Info

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from gatehouse.accounts.model import Session, SignIn
    from gatehouse.accounts.registration import Acceptance, Invitation
    from gatehouse.consumers.creation import NewUser

_query = QueryType()
_mutation = MutationType()
_session = ObjectType("Session")

BINDABLES = (_query, _mutation, _session)


@_query.field("me")
def _me(_parent: None, info: Info) -> User:
    caller = info.context.caller
    return info.context.gatehouse.consumers.get(caller, caller.consumer_id or "")


@_query.field("sessions")
def _sessions(_parent: None, info: Info) -> list[Session]:
    return info.context.gatehouse.people.sessions.list(info.context.caller)


@_query.field("exportMyData")
def _export_my_data(_parent: None, info: Info) -> dict[str, Any]:
    return info.context.gatehouse.export.of(info.context.caller)


@_session.field("address")
def _address(session: Session, _info: Info) -> str:
    return session.origin.address


@_session.field("device")
def _device(session: Session, _info: Info) -> str:
    return session.origin.device


@_session.field("lastUsedAt")
def _last_used_at(session: Session, _info: Info) -> Any:
    return session.used_at


@_session.field("current")
def _current(session: Session, info: Info) -> bool:
    return session.id == info.context.caller.session_id


@_mutation.field("register")
def _register(_parent: None, info: Info, register_input: NewUser) -> SignIn | None:
    return info.context.gatehouse.people.registration.register(register_input, info.context.origin)


@_mutation.field("login")
def _login(_parent: None, info: Info, login_input: dict[str, str]) -> SignIn:
    return info.context.gatehouse.people.accounts.login(**login_input, origin=info.context.origin)


@_mutation.field("refreshToken")
def _refresh_token(_parent: None, info: Info, refresh_token: str) -> SignIn:
    return info.context.gatehouse.people.accounts.refresh(refresh_token, info.context.origin)


@_mutation.field("logout")
def _logout(_parent: None, info: Info) -> bool:
    info.context.gatehouse.people.accounts.logout(info.context.caller)
    return True


@_mutation.field("changePassword")
def _change_password(_parent: None, info: Info, change_password_input: dict[str, str]) -> SignIn:
    given = change_password_input
    return info.context.gatehouse.people.passwords.change(
        info.context.caller, info.context.origin, given["current_password"], given["new_password"]
    )


@_mutation.field("requestPasswordReset")
def _request_password_reset(_parent: None, info: Info, email: str) -> bool:
    info.context.gatehouse.people.passwords.ask_for_reset(email, info.context.origin)
    return True


@_mutation.field("resetPassword")
def _reset_password(_parent: None, info: Info, token: str, new_password: str) -> bool:
    info.context.gatehouse.people.passwords.reset(token, new_password, info.context.origin)
    return True


@_mutation.field("changeEmail")
def _change_email(_parent: None, info: Info, change_email_input: dict[str, str]) -> bool:
    given = change_email_input
    info.context.gatehouse.people.emails.ask_for_change(
        info.context.caller, info.context.origin, given["new_email"], given["current_password"]
    )
    return True


@_mutation.field("requestEmailVerification")
def _request_email_verification(_parent: None, info: Info) -> bool:
    info.context.gatehouse.people.emails.ask_for_verification(info.context.caller)
    return True


@_mutation.field("verifyEmail")
def _verify_email(_parent: None, info: Info, token: str) -> User:
    return info.context.gatehouse.people.emails.verify(info.context.caller, token)


@_mutation.field("revokeSession")
def _revoke_session(_parent: None, info: Info, id: str) -> Session:
    return info.context.gatehouse.people.sessions.revoke(info.context.caller, id)


@_mutation.field("revokeAllSessions")
def _revoke_all_sessions(_parent: None, info: Info, include_credentials: bool) -> bool:
    sessions = info.context.gatehouse.people.sessions
    sessions.revoke_all(info.context.caller, include_credentials=include_credentials)
    return True


@_mutation.field("inviteUser")
def _invite_user(_parent: None, info: Info, invite_user_input: dict[str, Any]) -> Invitation:
    registration, given = info.context.gatehouse.people.registration, invite_user_input
    return registration.invite(info.context.caller, given["email"], given.get("role") or Role.USER)


@_mutation.field("acceptInvitation")
def _accept_invitation(_parent: None, info: Info, accept_invitation_input: Acceptance) -> SignIn:
    return info.context.gatehouse.people.registration.accept(accept_invitation_input, info.context.origin)
