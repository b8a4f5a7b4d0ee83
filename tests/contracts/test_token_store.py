"""The port of OAuth2 clients, `credentials.clients.ClientStore`, on every implementation."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from gatehouse.admission.model import KeyClaim
from gatehouse.consumers.model import User
from gatehouse.credentials.clients import Circumstances
from gatehouse.ids import new_id
from gatehouse.persistence import Stale
from gatehouse.storage.admission import DynamoAdmission
from gatehouse.storage.consumers import DynamoConsumers
from gatehouse.storage.credentials import DynamoCredentials
from gatehouse.storage.tokens import DynamoTokens
from tests.contracts.made_up import a_credential, at_once, changed, standing_of
from tests.stores import Store, cost_of
from tests.unit.fakes import START, a_user

CONSUMERS = DynamoConsumers()
CREDENTIALS = DynamoCredentials()
TOKENS = DynamoTokens()
ENDS = START + timedelta(hours=1)


@pytest.fixture
def owner(store: Store) -> User:
    user = a_user("owner")
    CONSUMERS.create_user(user, None)
    return user


def epoch_of(owner: User) -> int:
    standing = standing_of(owner.id)
    assert standing is not None
    return standing.epoch


def test_the_circumstances_of_a_token_are_read_at_once(store: Store, owner: User) -> None:
    credential = CREDENTIALS.create_credential(a_credential(owner), "hash")
    token_id = new_id(START)
    read = partial(TOKENS.circumstances, owner.id, credential.id, token_id)

    assert cost_of(read).calls == {"BatchGetItem": 1}
    assert read() == Circumstances(owner=owner, credential=credential, is_revoked=False)
    TOKENS.revoke_token(owner.id, token_id, ENDS)
    assert read() == Circumstances(owner=owner, credential=credential, is_revoked=True)
    off = changed(owner, is_active=False)
    CONSUMERS.update_user(owner, off, None)
    CREDENTIALS.delete_credential(credential)
    assert read() == Circumstances(owner=off, credential=None, is_revoked=True)
    CONSUMERS.delete_user(off)
    assert read() == Circumstances(owner=None, credential=None, is_revoked=True)


def test_a_credential_is_not_found_under_another_owner(store: Store, owner: User) -> None:
    other = a_user("other")
    CONSUMERS.create_user(other, None)
    credential = CREDENTIALS.create_credential(a_credential(owner), "hash")

    assert TOKENS.circumstances(other.id, credential.id, new_id(START)).credential is None


def test_a_revoked_token_is_kept_until_it_would_have_ended_and_moves_the_epoch(store: Store, owner: User) -> None:
    token_id = new_id(START)
    before = store.stored_keys()
    TOKENS.revoke_token(owner.id, token_id, ENDS)

    assert set(store.stored_keys()) - set(before) == {(f"TOK#{token_id}", "X")}
    item = store.item(f"TOK#{token_id}", "X")
    assert item is not None
    assert item["expires"] == {"N": str(int(ENDS.timestamp()))}
    assert epoch_of(owner) == 1


def test_what_admission_reads_of_a_token_tells_that_it_was_revoked(store: Store, owner: User) -> None:
    credential = CREDENTIALS.create_credential(a_credential(owner), "hash")
    claim = KeyClaim(consumer_id=owner.id, credential_id=credential.id)
    token_id, other_id = new_id(START), new_id(START)
    TOKENS.revoke_token(owner.id, token_id, ENDS)
    read = DynamoAdmission().find_gate_and_token

    assert [read(claim, each)[2] for each in (token_id, other_id)] == [True, False]


def test_a_token_is_revoked_once_and_never_without_its_owner(store: Store, owner: User) -> None:
    token_id = new_id(START)
    answers = at_once([partial(TOKENS.revoke_token, owner.id, token_id, ENDS)] * 8)
    assert sorted(str(type(answer)) for answer in answers if answer is not None) == [str(Stale)] * 7
    assert epoch_of(owner) == 1

    CONSUMERS.delete_user(replace(owner))
    before = store.items()
    with pytest.raises(Stale):
        TOKENS.revoke_token(owner.id, new_id(START), ENDS)
    assert store.items() == before
