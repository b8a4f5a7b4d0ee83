"""Credentials: made, read, listed, changed, rotated, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ariadne import MutationType, QueryType

from gatehouse.credentials.model import Credential, CredentialQuery, IssuedCredential
from graphql_api.context import Info
from graphql_api.lists import Connection, connection, plain_list

if TYPE_CHECKING:  # a cold start does without what is asked for later
    from gatehouse.credentials.service import CredentialChanges, NewCredential

_query = QueryType()
_mutation = MutationType()

BINDABLES = (_query, _mutation)


@_query.field("credentials")
def _credentials(_parent: None, info: Info, **arguments: Any) -> list[Credential]:
    return plain_list(info, info.context.gatehouse.credentials.page, _credential_query(arguments), arguments)


@_query.field("credentialsConnection")
def _credentials_connection(_parent: None, info: Info, **arguments: Any) -> Connection[Credential]:
    return connection(info, info.context.gatehouse.credentials.page, _credential_query(arguments), arguments)


@_query.field("credential")
def _credential(_parent: None, info: Info, id: str) -> Credential:
    return info.context.gatehouse.credentials.get(info.context.caller, id)


@_mutation.field("createCredential")
def _create_credential(_parent: None, info: Info, create_credential_input: NewCredential) -> dict[str, Any]:
    return _issued(info.context.gatehouse.credentials.create(info.context.caller, create_credential_input))


@_mutation.field("updateCredential")
def _update_credential(_parent: None, info: Info, id: str, update_credential_input: CredentialChanges) -> Credential:
    return info.context.gatehouse.credentials.update(info.context.caller, id, update_credential_input)


@_mutation.field("rotateCredential")
def _rotate_credential(_parent: None, info: Info, id: str, overlap_seconds: int | None) -> dict[str, Any]:
    return _issued(info.context.gatehouse.credentials.rotate(info.context.caller, id, overlap_seconds))


@_mutation.field("deleteCredential")
def _delete_credential(_parent: None, info: Info, id: str) -> Credential:
    return info.context.gatehouse.credentials.delete(info.context.caller, id)


def _issued(issued: IssuedCredential) -> dict[str, Any]:
    return {**vars(issued.credential), "secret": issued.secret}


def _credential_query(arguments: dict[str, Any]) -> CredentialQuery:
    return CredentialQuery(**(arguments.get("where") or {}))
