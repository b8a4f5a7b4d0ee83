"""A system whose audit is looked at from both sides, the API's and the table's, and what a few people did in it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import botocore.session

from tests.journeys.client import LOGIN, REGISTER, UPDATE_USER, Answer, House, Key, Person, person
from tests.journeys.conftest import open_house

LIST = """query ($where: AuditEventWhere, $first: Int, $after: String) {
  auditEvents(where: $where, first: $first, after: $after) {
    nodes {
      id createdAt action outcome actor { kind role id address sessionId credentialId }
      subjectId target { type id } before after correlationId
    }
    pageInfo { hasNextPage endCursor }
  }
}"""
VERIFY = """query ($from: DateTime, $to: DateTime) { verifyAuditChain(from: $from, to: $to) {
  ok firstSeal lastSeal complete continueFrom waiting findings { tampering part seal eventId otherSeal }
} }"""
SECONDS_TO_SEAL = 30

type Item = dict[str, dict[str, Any]]
type Told = dict[str, Any]


@dataclass
class Log:
    """A system on a table that is at hand, and what a few people did in it."""

    house: House
    endpoint: str
    table: str
    client: Any = field(repr=False)
    ann: Person
    moderator: Person
    key: Key
    """Ann's, which may read the audit."""

    def events(self, by: Person | Key, first: int = 100, **where: Any) -> list[Told]:
        """All events that somebody is told, page by page."""
        found: list[Told] = []
        after: str | None = None
        while True:
            asked = {"where": where, "first": first, "after": after}
            told = self.house.graphql(LIST, asked, by=by).data["auditEvents"]
            found += told["nodes"]
            assert len(told["nodes"]) <= first
            after = told["pageInfo"]["endCursor"]
            if not told["pageInfo"]["hasNextPage"]:
                return found

    def ask(self, by: Person | Key, **where: Any) -> Answer:
        return self.house.graphql(LIST, {"where": where}, by=by)

    def verified(self, **between: str) -> Told:
        told: Told = self.house.graphql(VERIFY, between, by=self.house.admin).data["verifyAuditChain"]
        return told

    def settled(self) -> Told:
        """The verdict once every event has its seal."""
        deadline = time.monotonic() + SECONDS_TO_SEAL
        while (told := self.verified())["waiting"] or not told["lastSeal"]:
            assert time.monotonic() < deadline, told
            time.sleep(0.1)
        return told

    def item(self, partition: str, sort: str) -> Item:
        key = {"PK": {"S": partition}, "SK": {"S": sort}}
        item: Item = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)["Item"]
        return item

    def number_of(self, event: Told) -> int:
        """The number of the event's seal."""
        return int(self.item(f"EV#{event['id']}", "S")["number"]["N"])

    @contextmanager
    def tampered_with(self, item: Item, instead: Item | None) -> Iterator[None]:
        """For the block there is another item instead of one, or none."""
        if instead is None:
            self.client.delete_item(TableName=self.table, Key={name: item[name] for name in ("PK", "SK")})
        else:
            self.client.put_item(TableName=self.table, Item=instead)
        try:
            yield
        finally:
            self.client.put_item(TableName=self.table, Item=item)


@contextmanager
def open_log(endpoint: str) -> Iterator[Log]:
    """Ann signs up and works, a MODERATOR and an ADMIN change her, and somebody tries what they may not."""
    table = f"audit-{uuid4()}"
    client = botocore.session.get_session().create_client("dynamodb", "us-east-1", endpoint_url=endpoint)
    with open_house({"DYNAMODB_ENDPOINT": endpoint, "TABLE_NAME": table}) as house:
        log = Log(house, endpoint, table, client, *_live(house))
        log.settled()
        yield log


def _live(house: House) -> tuple[Person, Person, Key]:
    new = house.names()
    ann = person(house.graphql(REGISTER, {"input": new}).data["register"], new["password"])
    ann = house.sign_in(ann.email, ann.password)
    wrong = house.graphql(LOGIN, {"input": {"email": ann.email, "password": "Wrong-Secret-1"}})
    assert wrong.outcome == "UNAUTHENTICATED"
    house.change(ann.id, {"firstName": "Ann"}, by=ann)
    key = house.key(ann, scopes=["audit:read"])
    moderator = house.person("MODERATOR")
    house.change(ann.id, {"firstName": "Anna"}, by=moderator)
    tried = house.graphql(UPDATE_USER, {"id": house.admin.id, "input": {"firstName": "x"}}, by=moderator)
    assert tried.outcome == "FORBIDDEN"
    house.change(ann.id, {"username": f"{ann.username}-2"}, by=house.admin)
    return ann, moderator, key
