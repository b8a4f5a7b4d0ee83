"""Two factors, and accounts that are locked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import MutationType

from graphql_api.context import Info

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from gatehouse.accounts.model import SignIn
    from gatehouse.accounts.two_factor import Enrolment
    from gatehouse.consumers.model import User

_mutation = MutationType()

BINDABLES = (_mutation,)


@_mutation.field("completeTwoFactorLogin")
def _complete_two_factor_login(_parent: None, info: Info, challenge: str, code: str) -> SignIn:
    return info.context.gatehouse.people.accounts.complete_login(challenge, code, info.context.origin)


@_mutation.field("enableTwoFactor")
def _enable_two_factor(_parent: None, info: Info) -> Enrolment:
    return info.context.gatehouse.people.two_factor.enable(info.context.caller)


@_mutation.field("confirmTwoFactor")
def _confirm_two_factor(_parent: None, info: Info, code: str) -> dict[str, Any]:
    two_factor = info.context.gatehouse.people.two_factor
    return {"recovery_codes": two_factor.confirm(info.context.caller, info.context.origin.address, code)}


@_mutation.field("disableTwoFactor")
def _disable_two_factor(_parent: None, info: Info, code: str) -> bool:
    info.context.gatehouse.people.two_factor.disable(info.context.caller, info.context.origin.address, code)
    return True


@_mutation.field("resetTwoFactor")
def _reset_two_factor(_parent: None, info: Info, id: str) -> User:
    return info.context.gatehouse.people.two_factor.reset(info.context.caller, id)


@_mutation.field("unlockUser")
def _unlock_user(_parent: None, info: Info, id: str) -> User:
    return info.context.gatehouse.people.unlocking.unlock(info.context.caller, id)
