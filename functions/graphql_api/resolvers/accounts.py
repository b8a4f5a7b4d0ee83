"""Signing up, in and out, and who is calling."""

from ariadne import MutationType, QueryType

from gatehouse.accounts.model import SignIn
from gatehouse.consumers.creation import NewUser
from gatehouse.consumers.model import User
from graphql_api.context import Info

_query = QueryType()
_mutation = MutationType()

BINDABLES = (_query, _mutation)


@_query.field("me")
def _me(_parent: None, info: Info) -> User:
    caller = info.context.caller
    return info.context.gatehouse.consumers.get(caller, caller.consumer_id or "")


@_mutation.field("register")
def _register(_parent: None, info: Info, register_input: NewUser) -> SignIn:
    return info.context.gatehouse.accounts.register(register_input)


@_mutation.field("login")
def _login(_parent: None, info: Info, login_input: dict[str, str]) -> SignIn:
    return info.context.gatehouse.accounts.login(**login_input, address=info.context.address)


@_mutation.field("refreshToken")
def _refresh_token(_parent: None, info: Info, refresh_token: str) -> SignIn:
    return info.context.gatehouse.accounts.refresh(refresh_token)


@_mutation.field("logout")
def _logout(_parent: None, info: Info) -> bool:
    info.context.gatehouse.accounts.logout(info.context.caller)
    return True
