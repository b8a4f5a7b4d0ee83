"""Consumers: read, listed, made, changed, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import MutationType, QueryType

from gatehouse.consumers.listing import Order, UserQuery
from gatehouse.consumers.model import User
from graphql_api.context import Info
from graphql_api.lists import Connection, connection, plain_list

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from gatehouse.consumers.creation import NewUser
    from gatehouse.consumers.service import UserChanges

_query = QueryType()
_mutation = MutationType()

BINDABLES = (_query, _mutation)


@_query.field("users")
def _users(_parent: None, info: Info, **arguments: Any) -> list[User]:
    return plain_list(info, info.context.gatehouse.consumers.page, _user_query(arguments), arguments)


@_query.field("usersConnection")
def _users_connection(_parent: None, info: Info, **arguments: Any) -> Connection[User]:
    return connection(info, info.context.gatehouse.consumers.page, _user_query(arguments), arguments)


@_query.field("user")
def _user(_parent: None, info: Info, id: str) -> User:
    return info.context.gatehouse.consumers.get(info.context.caller, id)


@_mutation.field("createUser")
def _create_user(_parent: None, info: Info, create_user_input: NewUser) -> User:
    return info.context.gatehouse.consumers.create(info.context.caller, create_user_input)


@_mutation.field("updateUser")
def _update_user(_parent: None, info: Info, id: str, update_user_input: UserChanges) -> User:
    return info.context.gatehouse.consumers.update(info.context.caller, id, update_user_input)


@_mutation.field("deleteUser")
def _delete_user(_parent: None, info: Info, id: str) -> User:
    return info.context.gatehouse.consumers.delete(info.context.caller, id)


def _user_query(arguments: dict[str, Any]) -> UserQuery:
    where = arguments.get("where") or {}
    order_by = arguments.get("order_by")
    if order_by is None:
        if where.get("search") is not None:
            return UserQuery(**where)
        order_by = {"created_at": "DESC"}  # told or not, it is the same list, and its cursors go on in it
    [(field, direction)] = order_by.items()
    order = Order.USERNAME if field == "username" else Order.CREATED_AT
    return UserQuery(**where, order=order, descending=direction == "DESC")
