"""Every mutation of the schema leaves its event: who did it, from where, to whom, and what was before and after."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.journeys.client import (
    ASSIGN_USAGE_PLAN,
    CREATE_CREDENTIAL,
    CREATE_USAGE_PLAN,
    CREATE_USER,
    DELETE_CREDENTIAL,
    DELETE_USER,
    REFRESH,
    REGISTER,
    ROTATE_CREDENTIAL,
    UPDATE_CREDENTIAL,
    Person,
    person,
)
from tests.journeys.conftest import open_mailing
from tests.journeys.mailbox import ACCEPT, Mailing
from tests.journeys.phone import COMPLETE, DISABLE, Phone, challenge_of, login

FIELDS = "{ __schema { mutationType { fields { name } } } }"
EVENTS = """query ($id: ID) { auditEvents(where: {consumerId: $id}, first: 5) { nodes {
  id createdAt action outcome actor { kind role id address sessionId credentialId }
  subjectId target { type id } before after correlationId
} } }"""
EVENTS_BY_ACTION = EVENTS.replace("($id: ID)", "").replace("consumerId: $id", "action: %s")

SIGNED_IN = {"device": "a Python program", "email": ...}
UNAUDITED = {"refreshToken": "a refresh changes nothing but the token"}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the newest event must tell; `by` None is a stranger, `about` None is nobody."""

    action: str
    by: Person | None
    about: str | None
    target: tuple[str, str | None] | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    role: str = "USER"


type Step = Callable[[Mailing], Expected]
STEPS: dict[str, Step] = {}


def step(mutation: str) -> Callable[[Step], Step]:
    """Registers what calls the mutation."""

    def register(call: Step) -> Step:
        STEPS[mutation] = call
        return call

    return register


@pytest.fixture(scope="module")
def watched() -> Iterator[Mailing]:
    """A system whose audit is read."""
    with open_mailing({"INTROSPECTION": "true"}) as opened:
        yield opened


def test_every_mutation_is_called_here(watched: Mailing) -> None:
    fields = watched.graphql(FIELDS, by=watched.admin).data["__schema"]["mutationType"]["fields"]
    assert {told["name"] for told in fields} == STEPS.keys() | UNAUDITED.keys()


@pytest.mark.parametrize("mutation", ["refreshToken"])
def test_a_mutation_without_event_leaves_none(watched: Mailing, mutation: str) -> None:
    owner = watched.person()
    before = newest(watched, owner.id)
    assert watched.graphql(REFRESH, {"token": owner.refresh_token}).outcome == "ok"
    assert newest(watched, owner.id) == before
    assert mutation in UNAUDITED


@step("register")
def register(house: Mailing) -> Expected:
    new = house.names()
    owner = person(house.graphql(REGISTER, {"input": new | {"firstName": "Ann"}}).data["register"], new["password"])
    told = {"username": owner.username, "email": owner.email, "firstName": "Ann", "kind": "USER", "role": "USER"}
    return Expected(action="USER_REGISTERED", by=owner, about=owner.id, after=told | {"isActive": True})


@step("login")
def signs_in(house: Mailing) -> Expected:
    owner = house.person()
    again = house.sign_in(owner.email, owner.password)
    return Expected(
        action="SIGNED_IN",
        by=again,
        about=owner.id,
        target=("SESSION", None),
        after={"device": "a Python program", "email": ...},
    )


@step("logout")
def signs_out(house: Mailing) -> Expected:
    owner = house.person()
    assert house.graphql("mutation { logout }", by=owner).data == {"logout": True}
    return Expected(action="SIGNED_OUT", by=owner, about=owner.id, target=("SESSION", None))


@step("completeTwoFactorLogin")
def completes(house: Mailing) -> Expected:
    owner = house.person()
    phone = Phone(house, owner)
    phone.confirm()
    challenge = challenge_of(login(house, owner))
    done = house.graphql(COMPLETE, {"challenge": challenge, "code": phone.code()})
    signed = person(done.data["completeTwoFactorLogin"], owner.password)
    return Expected(
        action="SIGNED_IN",
        by=signed,
        about=owner.id,
        target=("SESSION", None),
        after={"device": "a Python program", "email": ...},
    )


@step("revokeSession")
def revokes_a_session(house: Mailing) -> Expected:
    owner = house.person()
    house.sign_in(owner.email, owner.password)
    sessions = house.graphql("{ sessions { id current } }", by=owner).data["sessions"]
    [ended] = [told["id"] for told in sessions if not told["current"]]
    by_id = "mutation ($id: ID!) { revokeSession(id: $id) { id } }"
    assert house.graphql(by_id, {"id": ended}, by=owner).outcome == "ok"
    return Expected(action="SESSION_REVOKED", by=owner, about=owner.id, target=("SESSION", ended))


@step("revokeAllSessions")
def revokes_all(house: Mailing) -> Expected:
    owner = house.person()
    assert house.graphql("mutation { revokeAllSessions }", by=owner).outcome == "ok"
    return Expected(action="SESSIONS_REVOKED", by=owner, about=owner.id, after={"includeCredentials": False})


@step("changePassword")
def changes_password(house: Mailing) -> Expected:
    owner = house.person()
    assert house.change_password(owner, owner.password, house.password()).outcome == "ok"
    return Expected(action="PASSWORD_CHANGED", by=owner, about=owner.id)


@step("requestPasswordReset")
def asks_for_a_reset(house: Mailing) -> Expected:
    owner = house.person()
    house.reset_link(owner.email)
    return Expected(action="PASSWORD_RESET_ASKED", by=None, about=owner.id)


@step("resetPassword")
def resets(house: Mailing) -> Expected:
    owner = house.inactive_person()
    assert house.reset(house.reset_link(owner.email), house.password()).outcome == "ok"
    return Expected(
        action="PASSWORD_RESET",
        by=None,
        about=owner.id,
        before={"isActive": False, "deactivatedBy": "OWNER", "emailVerifiedAt": ...},
        after={"isActive": True, "deactivatedBy": None, "emailVerifiedAt": ...},
    )


@step("changeEmail")
def asks_for_another_email(house: Mailing) -> Expected:
    owner, new = house.person(), house.names()["email"]
    change_email(house, owner, new)
    return Expected(action="EMAIL_CHANGE_ASKED", by=owner, about=owner.id, after={"newEmail": new})


@step("requestEmailVerification")
def asks_for_verification(house: Mailing) -> Expected:
    owner = house.registered()
    assert house.graphql("mutation { requestEmailVerification }", by=owner).outcome == "ok"
    return Expected(action="EMAIL_VERIFICATION_ASKED", by=owner, about=owner.id)


@step("verifyEmail")
def changes_email(house: Mailing) -> Expected:
    owner, new = house.person(), house.names()["email"]
    change_email(house, owner, new)
    assert house.verify(house.letter(new, "please confirm your new email address").token, owner).outcome == "ok"
    return Expected(
        action="EMAIL_CHANGED",
        by=owner,
        about=owner.id,
        before={"email": owner.email, "emailVerifiedAt": ...},
        after={"email": new, "emailVerifiedAt": ...},
    )


@step("inviteUser")
def invites(house: Mailing) -> Expected:
    invite(house, "MODERATOR")
    return Expected(
        action="INVITED",
        by=house.admin,
        role="ADMIN",
        about=None,
        after={"maskedEmail": "a***@example.com", "role": "MODERATOR"},
    )


@step("acceptInvitation")
def accepts(house: Mailing) -> Expected:
    email, new = invite(house, "MODERATOR"), house.names()
    token = house.letter(email, "you are invited").token
    given = {"token": token, "username": new["username"], "password": new["password"]}
    owner = person(house.graphql(ACCEPT, {"input": given}).data["acceptInvitation"], new["password"])
    told = {"username": owner.username, "email": email, "kind": "USER", "role": "MODERATOR", "isActive": True}
    return Expected(
        action="INVITATION_ACCEPTED",
        by=owner,
        role="MODERATOR",
        about=owner.id,
        after=told | {"emailVerifiedAt": ...},
    )


@step("enableTwoFactor")
def begins_two_factors(house: Mailing) -> Expected:
    owner = house.person()
    Phone(house, owner)
    return Expected(action="TWO_FACTOR_BEGUN", by=owner, about=owner.id)


@step("confirmTwoFactor")
def turns_two_factors_on(house: Mailing) -> Expected:
    owner = house.person()
    Phone(house, owner).confirm()
    on = {"twoFactorEnabled": True}
    return Expected(action="TWO_FACTOR_ON", by=owner, about=owner.id, before={"twoFactorEnabled": False}, after=on)


@step("disableTwoFactor")
def turns_two_factors_off(house: Mailing) -> Expected:
    owner = house.person()
    phone = Phone(house, owner)
    phone.confirm()
    assert phone.send(DISABLE).outcome == "ok"
    off = {"twoFactorEnabled": False}
    return Expected(action="TWO_FACTOR_OFF", by=owner, about=owner.id, before={"twoFactorEnabled": True}, after=off)


@step("resetTwoFactor")
def resets_two_factors(house: Mailing) -> Expected:
    owner = house.person()
    Phone(house, owner).confirm()
    by_id = "mutation ($id: ID!) { resetTwoFactor(id: $id) { id } }"
    assert house.graphql(by_id, {"id": owner.id}, by=house.admin).outcome == "ok"
    return Expected(
        action="TWO_FACTOR_RESET",
        by=house.admin,
        role="ADMIN",
        about=owner.id,
        before={"twoFactorEnabled": True},
        after={"twoFactorEnabled": False},
    )


@step("unlockUser")
def unlocks(house: Mailing) -> Expected:
    owner = house.person()
    by_id = "mutation ($id: ID!) { unlockUser(id: $id) { id } }"
    assert house.graphql(by_id, {"id": owner.id}, by=house.admin).outcome == "ok"
    return Expected(action="ACCOUNT_UNLOCKED", by=house.admin, role="ADMIN", about=owner.id)


@step("createUser")
def creates_a_user(house: Mailing) -> Expected:
    new = {"username": house.names()["username"], "email": house.names()["email"], "kind": "SERVICE"}
    made = house.graphql(CREATE_USER, {"input": new}, by=house.admin).data["createUser"]
    told = new | {"role": "USER", "isActive": True, "emailVerifiedAt": ...}
    return Expected(action="USER_CREATED", by=house.admin, role="ADMIN", about=made["id"], after=told)


@step("updateUser")
def promotes(house: Mailing) -> Expected:
    owner = house.person()
    house.change(owner.id, {"role": "MODERATOR", "firstName": "Zoë"}, by=house.admin)
    return Expected(
        action="USER_UPDATED",
        by=house.admin,
        role="ADMIN",
        about=owner.id,
        before={"role": "USER", "firstName": None},
        after={"role": "MODERATOR", "firstName": "Zoë"},
    )


@step("deleteUser")
def deletes_a_user(house: Mailing) -> Expected:
    owner = house.person()
    assert house.graphql(DELETE_USER, {"id": owner.id}, by=house.admin).outcome == "ok"
    told = {"kind": "USER", "role": "USER", "isActive": True, "emailVerifiedAt": ..., "username": ..., "email": ...}
    return Expected(action="USER_DELETED", by=house.admin, role="ADMIN", about=owner.id, before=told)


@step("createCredential")
def creates_a_credential(house: Mailing) -> Expected:
    owner = house.person()
    wanted = {"type": "KEY_AUTH", "label": "billing", "scopes": ["users:read"]}
    made = house.graphql(CREATE_CREDENTIAL, {"input": wanted}, by=owner).data["createCredential"]
    told = wanted | {"keyId": made["keyId"], "role": "USER", "isActive": True}
    return Expected(
        action="CREDENTIAL_CREATED", by=owner, about=owner.id, target=("CREDENTIAL", made["id"]), after=told
    )


@step("updateCredential")
def updates_a_credential(house: Mailing) -> Expected:
    owner = house.person()
    key = house.key(owner, scopes=["users:read", "audit:read"])
    changes = {"isActive": False, "scopes": ["users:read"], "label": "old"}
    assert house.graphql(UPDATE_CREDENTIAL, {"id": key.id, "input": changes}, by=owner).outcome == "ok"
    return Expected(
        action="CREDENTIAL_UPDATED",
        by=owner,
        about=owner.id,
        target=("CREDENTIAL", key.id),
        before={"isActive": True, "scopes": ["users:read", "audit:read"], "label": None},
        after=changes,
    )


@step("rotateCredential")
def rotates_a_credential(house: Mailing) -> Expected:
    owner = house.person()
    key = house.key(owner)
    assert house.graphql(ROTATE_CREDENTIAL, {"id": key.id, "overlap": 60}, by=owner).outcome == "ok"
    return Expected(
        action="CREDENTIAL_ROTATED",
        by=owner,
        about=owner.id,
        target=("CREDENTIAL", key.id),
        before={"version": 1, "overlapEndsAt": None},
        after={"version": 2, "overlapEndsAt": ...},
    )


@step("deleteCredential")
def deletes_a_credential(house: Mailing) -> Expected:
    owner = house.person()
    key = house.key(owner)
    assert house.graphql(DELETE_CREDENTIAL, {"id": key.id}, by=owner).outcome == "ok"
    told = {"type": "KEY_AUTH", "keyId": key.key_id, "role": "USER", "isActive": True}
    return Expected(action="CREDENTIAL_DELETED", by=owner, about=owner.id, target=("CREDENTIAL", key.id), before=told)


@step("createUsagePlan")
def creates_a_plan(house: Mailing) -> Expected:
    name = plan_name()
    plan = make_plan(house, name)
    told = {"name": name, "rateLimit": 7, "windowSeconds": 60, "metersCost": False}
    return Expected(action="PLAN_CREATED", by=house.admin, role="ADMIN", about=None, target=("PLAN", plan), after=told)


@step("updateUsagePlan")
def updates_a_plan(house: Mailing) -> Expected:
    plan = make_plan(house, plan_name())
    changed = """mutation ($id: ID!) {
      updateUsagePlan(id: $id, updateUsagePlanInput: {rateLimit: 9, quotaLimit: 50, quotaPeriod: DAY}) { id }
    }"""
    assert house.graphql(changed, {"id": plan}, by=house.admin).outcome == "ok"
    return Expected(
        action="PLAN_UPDATED",
        by=house.admin,
        role="ADMIN",
        about=None,
        target=("PLAN", plan),
        before={"rateLimit": 7, "quotaLimit": None, "quotaPeriod": None},
        after={"rateLimit": 9, "quotaLimit": 50, "quotaPeriod": "DAY"},
    )


@step("deleteUsagePlan")
def deletes_a_plan(house: Mailing) -> Expected:
    name = plan_name()
    plan = make_plan(house, name)
    by_id = "mutation ($id: ID!) { deleteUsagePlan(id: $id) { id } }"
    assert house.graphql(by_id, {"id": plan}, by=house.admin).outcome == "ok"
    told = {"name": name, "rateLimit": 7, "windowSeconds": 60, "metersCost": False}
    return Expected(action="PLAN_DELETED", by=house.admin, role="ADMIN", about=None, target=("PLAN", plan), before=told)


@step("assignUsagePlan")
def assigns_a_plan(house: Mailing) -> Expected:
    owner, plan = house.person(), make_plan(house, plan_name())
    assert house.graphql(ASSIGN_USAGE_PLAN, {"user": owner.id, "plan": plan}, by=house.admin).outcome == "ok"
    return Expected(
        action="PLAN_ASSIGNED",
        by=house.admin,
        role="ADMIN",
        about=owner.id,
        before={"planId": None},
        after={"planId": plan},
    )


@step("resetUsage")
def resets_usage(house: Mailing) -> Expected:
    owner = house.person()
    by_id = "mutation ($id: ID!) { resetUsage(userId: $id) { userId } }"
    assert house.graphql(by_id, {"id": owner.id}, by=house.admin).outcome == "ok"
    return Expected(action="USAGE_RESET", by=house.admin, role="ADMIN", about=owner.id)


@step("updateSystemConfiguration")
def configures(house: Mailing) -> Expected:
    change = """mutation {
      updateSystemConfiguration(systemConfigurationInput: {auditRetentionDays: %d}) { auditRetentionDays }
    }"""
    assert house.graphql(change % 400, by=house.admin).outcome == "ok"
    assert house.graphql(change % 500, by=house.admin).outcome == "ok"
    return Expected(
        action="CONFIGURATION_CHANGED",
        by=house.admin,
        role="ADMIN",
        about=None,
        target=("CONFIGURATION", None),
        before={"auditRetentionDays": 400},
        after={"auditRetentionDays": 500},
    )


@pytest.mark.parametrize("mutation", sorted(STEPS))
def test_a_mutation_leaves_its_event(watched: Mailing, mutation: str) -> None:
    expected = STEPS[mutation](watched)

    told = newest(watched, expected.about, expected.action)

    assert UUID(told.pop("id")).version == 7
    assert told.pop("createdAt")
    assert told.pop("correlationId")
    actor = told.pop("actor")
    if expected.by is None:
        assert (actor.pop("kind"), actor.pop("address")) == ("ANONYMOUS", "127.0.0.1")
        assert set(actor.values()) == {None}
    else:
        assert actor.pop("sessionId")
        assert actor == {
            "kind": "PERSON",
            "role": expected.role,
            "id": expected.by.id,
            "address": "127.0.0.1",
            "credentialId": None,
        }
    target = told.pop("target")
    assert (target is None) == (expected.target is None)
    if target is not None and expected.target is not None:
        assert target["type"] == expected.target[0]
        assert expected.target[1] in (None, target["id"])
    for side, wanted in (("before", expected.before), ("after", expected.after)):
        found = told.pop(side)
        assert found.keys() == wanted.keys(), (side, found)
        assert {name: found[name] if value is ... else value for name, value in wanted.items()} == found
    assert told == {"action": expected.action, "outcome": "SUCCESS", "subjectId": expected.about}


def newest(house: Mailing, about: str | None, action: str | None = None) -> dict[str, Any]:
    """The newest event about somebody, or else of that action."""
    if about is None:
        answer = house.graphql(EVENTS_BY_ACTION % action, by=house.admin)
    else:
        answer = house.graphql(EVENTS, {"id": about}, by=house.admin)
    told: dict[str, Any] = answer.data["auditEvents"]["nodes"][0]
    return told


def change_email(house: Mailing, owner: Person, new: str) -> None:
    given = {"newEmail": new, "currentPassword": owner.password}
    change = "mutation ($input: ChangeEmailInput!) { changeEmail(changeEmailInput: $input) }"
    assert house.graphql(change, {"input": given}, by=owner).outcome == "ok"


def invite(house: Mailing, role: str) -> str:
    email = house.names()["email"]
    invitation = "mutation ($input: InviteUserInput!) { inviteUser(inviteUserInput: $input) { email } }"
    assert house.graphql(invitation, {"input": {"email": email, "role": role}}, by=house.admin).outcome == "ok"
    return email


def plan_name() -> str:
    return f"plan {uuid4().hex[:12]}"


def make_plan(house: Mailing, name: str) -> str:
    made = house.graphql(CREATE_USAGE_PLAN, {"input": {"name": name, "rateLimit": 7}}, by=house.admin)
    plan: str = made.data["createUsagePlan"]["id"]
    return plan
