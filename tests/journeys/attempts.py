"""What somebody may try to do to somebody; each gives the answer to it."""

from collections.abc import Callable
from typing import Any

from tests.journeys.client import (
    ASSIGN_USAGE_PLAN,
    CREATE_CREDENTIAL,
    CREATE_USAGE_PLAN,
    CREATE_USER,
    UPDATE_USER,
    Answer,
    House,
    Key,
    Person,
)

type Attempt = Callable[[House, Person | Key, Person], Answer]

OK, NO, HIDDEN = "ok", "FORBIDDEN", "NOT_FOUND"

CREDENTIAL = "query ($id: ID!) { credential(id: $id) { id } }"
CREDENTIALS = "query ($where: CredentialWhere) { credentials(where: $where) { id consumerId } }"
LOGOUT = "mutation { logout }"
USAGE_PLANS = "{ usagePlans(first: 1) { id } }"
USAGE = "query ($id: ID!) { usage(userId: $id) { userId } }"
RESET_USAGE = "mutation ($id: ID!) { resetUsage(userId: $id) { userId } }"
EXPLAIN_ACCESS = """query ($id: ID!) { explainAccess(userId: $id, operation: "me") { rule } }"""
INVITE = "mutation ($email: String!) { inviteUser(inviteUserInput: {email: $email}) { email role } }"
CHANGE_PASSWORD = """mutation ($input: ChangePasswordInput!) {
  changePassword(changePasswordInput: $input) { accessToken refreshToken }
}"""
CHANGE_EMAIL = "mutation ($input: ChangeEmailInput!) { changeEmail(changeEmailInput: $input) }"
REQUEST_VERIFICATION = "mutation { requestEmailVerification }"
AUDIT_EVENTS = "query ($where: AuditEventWhere) { auditEvents(where: $where) { nodes { id } } }"
USERS = "{ users(where: {role: ADMIN, isActive: true}, first: 1) { id } }"


def update(**changes: Any) -> Attempt:
    return lambda house, by, target: house.graphql(UPDATE_USER, {"id": target.id, "input": changes}, by=by)


def rename(house: House, by: Person | Key, target: Person) -> Answer:
    return update(username=house.names("renamed")["username"])(house, by, target)


def readdress(house: House, by: Person | Key, target: Person) -> Answer:
    return update(email=house.names("moved")["email"])(house, by, target)


def create_user(house: House, by: Person | Key, target: Person) -> Answer:
    return house.graphql(CREATE_USER, {"input": house.names()}, by=by)


def invite(house: House, by: Person | Key, target: Person) -> Answer:
    return house.graphql(INVITE, {"email": house.names("invited")["email"]}, by=by)


def change_password(house: House, by: Person | Key, target: Person) -> Answer:
    given = {"currentPassword": target.password, "newPassword": house.names()["password"]}
    return house.graphql(CHANGE_PASSWORD, {"input": given}, by=by)


def change_email(house: House, by: Person | Key, target: Person) -> Answer:
    given = {"newEmail": house.names("moved")["email"], "currentPassword": target.password}
    return house.graphql(CHANGE_EMAIL, {"input": given}, by=by)


def create_credential(house: House, by: Person | Key, target: Person) -> Answer:
    wanted = {"consumerId": target.id, "type": "KEY_AUTH", "scopes": []}
    return house.graphql(CREATE_CREDENTIAL, {"input": wanted}, by=by)


def create_plan(house: House, by: Person | Key, target: Person) -> Answer:
    new = {"name": house.names("plan")["username"], "rateLimit": 1_000}
    return house.graphql(CREATE_USAGE_PLAN, {"input": new}, by=by)


def read_plan(house: House, by: Person | Key, target: Person) -> Answer:
    plan = create_plan(house, house.admin, target).data["createUsagePlan"]["id"]
    house.graphql(ASSIGN_USAGE_PLAN, {"user": target.id, "plan": plan}, by=house.admin)
    return house.graphql("query ($id: ID!) { usagePlan(id: $id) { name } }", {"id": plan}, by=by)


def assign_no_plan(house: House, by: Person | Key, target: Person) -> Answer:
    return house.graphql(ASSIGN_USAGE_PLAN, {"user": target.id, "plan": None}, by=by)


def on_credential(query: str, **changes: Any) -> Attempt:
    """What is done to a credential that the target has."""

    def attempt(house: House, by: Person | Key, target: Person) -> Answer:
        variables: dict[str, Any] = {"id": house.key(target, scopes=[]).id}
        return house.graphql(query, variables | ({"input": changes} if changes else {}), by=by)

    return attempt


def asking(query: str, with_target: bool = False) -> Attempt:
    return lambda house, by, target: house.graphql(query, {"id": target.id} if with_target else {}, by=by)


def list_events(house: House, by: Person | Key, target: Person) -> Answer:
    return house.graphql(AUDIT_EVENTS, {"where": {"consumerId": target.id}}, by=by)


def list_credentials(house: House, by: Person | Key, target: Person) -> Answer:
    return house.graphql(CREDENTIALS, {"where": {"consumerId": target.id}}, by=by)
