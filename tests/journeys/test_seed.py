"""The seed's operations, sent word for word in the seed's order: each succeeds and means what the seed says."""

from typing import Any

from tests import seed
from tests.journeys.client import ADMIN_EMAIL, House, Key, Person

PASSWORD = "SecurePass123!"


class Story:
    """The seed's operations, told one after the other."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._left = seed.operations()

    def tell(
        self, *fields: str, by: Person | None = None, user_id: str = "", refresh_token: str = ""
    ) -> dict[str, Any]:
        """The data of the next operation, which has these root fields."""
        operation = self._left.pop(0)
        assert operation.fields == fields
        text = operation.text.replace(seed.PLACEHOLDER_ID, f'"{user_id}"')
        text = text.replace(seed.PLACEHOLDER_REFRESH_TOKEN, f'refreshToken(refreshToken: "{refresh_token}")')
        assert (text != operation.text) == bool(user_id or refresh_token)
        return self._house.graphql(text, by=by).data

    @property
    def is_told(self) -> bool:
        return not self._left


def test_every_operation_that_the_seed_prints_is_found() -> None:
    found = seed.operations()
    assert len(found) == 18
    assert len(seed.blocks()) == 14
    # Nothing but comments is left of the blocks once the operations are taken out.
    rest = "\n".join(seed.blocks())
    for operation in found:
        rest = rest.replace(operation.text, "", 1)
    assert [line for line in rest.splitlines() if line.strip() and not line.startswith("# ")] == []


def test_the_seeds_operations_succeed_and_mean_what_it_says(house: House) -> None:
    story = Story(house)
    admin = house.admin

    registered = story.tell("register")["register"]
    john = registered["user"]
    assert john == {"id": john["id"], "username": "johndoe", "email": "john@example.com", "role": "USER"}
    johns_token = registered["accessToken"]
    assert ask_me(house, johns_token) == john["id"]

    jane = story.tell("createUser", by=admin)["createUser"]
    assert jane == {
        "id": jane["id"], "username": "janedoe", "email": "jane@example.com", "role": "USER", "isActive": True,
    }  # fmt: skip

    listed = story.tell("users", by=admin)["users"]
    assert [user["id"] for user in listed[:2]] == [jane["id"], john["id"]]
    assert set(listed[0]) == {"id", "username", "email", "role", "isActive", "createdAt", "updatedAt"}

    inactive_admin = house.inactive_person("ADMIN", by=admin)
    admins = story.tell("users", by=admin)["users"]
    assert {"id": admin.id, "username": "admin", "email": ADMIN_EMAIL} in admins
    assert {john["id"], jane["id"], inactive_admin.id}.isdisjoint(user["id"] for user in admins)

    read = story.tell("user", by=admin, user_id=john["id"])["user"]
    assert read == {
        **john, "firstName": None, "lastName": None, "isActive": True,
        "createdAt": read["createdAt"], "updatedAt": read["updatedAt"],
    }  # fmt: skip

    named = {"id": john["id"], "firstName": "John", "lastName": "Smith", "isActive": True}
    assert story.tell("updateUser", by=admin, user_id=john["id"])["updateUser"] == named
    assert look_up(house, john["id"], "id firstName lastName isActive") == named

    assert story.tell("updateUser", by=admin, user_id=john["id"])["updateUser"] == {
        "id": john["id"],
        "role": "MODERATOR",
    }
    assert look_up(house, john["id"], "role") == {"role": "MODERATOR"}

    switched_off = {"id": john["id"], "isActive": False}
    assert story.tell("updateUser", by=admin, user_id=john["id"])["updateUser"] == switched_off
    assert house.graphql("{ me { id } }", headers=bearer(johns_token)).status == 401

    assert story.tell("deleteUser", by=admin, user_id=john["id"])["deleteUser"] == {"id": john["id"]}
    gone = house.graphql("query ($id: ID!) { user(id: $id) { id } }", {"id": john["id"]}, by=admin)
    assert gone.outcome == "NOT_FOUND"

    # The seed goes on as if nobody had deleted John: his names are free, so he signs up again.
    new_john = house.graphql(seed.operations()[0].text).data["register"]["user"]
    signed_in = story.tell("login")["login"]
    assert signed_in["user"] == new_john
    assert ask_me(house, signed_in["accessToken"]) == new_john["id"]

    session = house.sign_in("john@example.com", PASSWORD)
    refreshed = story.tell("refreshToken", refresh_token=session.refresh_token)["refreshToken"]
    assert ask_me(house, refreshed["accessToken"]) == new_john["id"]

    moderator = house.person("MODERATOR")
    by_role = story.tell("users", "users", by=admin)
    assert {user["id"] for user in by_role["admins"]} >= {admin.id, inactive_admin.id}
    assert moderator.id in {user["id"] for user in by_role["moderators"]}
    assert {moderator.id, new_john["id"]}.isdisjoint(user["id"] for user in by_role["admins"])
    assert {admin.id, inactive_admin.id, new_john["id"]}.isdisjoint(user["id"] for user in by_role["moderators"])

    by_status = story.tell("users", "users", by=admin)
    assert {user["id"] for user in by_status["activeUsers"]} >= {moderator.id, new_john["id"], jane["id"]}
    assert inactive_admin.id in {user["id"] for user in by_status["inactiveUsers"]}
    assert {user["id"] for user in by_status["activeUsers"]}.isdisjoint(u["id"] for u in by_status["inactiveUsers"])

    tell_the_lifecycle(story, house)
    assert story.is_told


def tell_the_lifecycle(story: Story, house: House) -> None:
    """The seed's last example: a fresh USER does all of it by themselves."""
    user_id = story.tell("register")["register"]["user"]["id"]
    assert story.tell("login")["login"]["user"] == {"id": user_id}
    newcomer = house.sign_in("new@example.com", PASSWORD)

    named = {"id": user_id, "firstName": "New", "lastName": "User"}
    assert story.tell("updateUser", by=newcomer, user_id=user_id)["updateUser"] == named

    made = story.tell("createCredential", by=newcomer, user_id=user_id)["createCredential"]
    assert made == {"id": made["id"], "keyId": "api-key-123"}
    key = Key(made["id"], "api-key-123", "api-key-123.secret")
    assert house.graphql("{ me { id } }", by=key).data == {"me": {"id": user_id}}

    switched_off = {"id": user_id, "isActive": False}
    assert story.tell("updateUser", by=newcomer, user_id=user_id)["updateUser"] == switched_off
    assert house.graphql("{ me { id } }", by=newcomer).status == 401
    assert house.graphql("{ me { id } }", by=key).status == 401


def test_the_seeds_curl_command_lists_users_for_who_may_list_them(house: House) -> None:
    headers = {"Content-Type": "application/json"}
    moderator, user = house.person("MODERATOR"), house.person()
    answer = house.send("POST", content=seed.curl_body(), headers={**headers, **moderator.headers})
    assert answer.data["users"][:2] == [{"id": p.id, "username": p.username} for p in (user, moderator)]
    answer = house.send("POST", content=seed.curl_body(), headers={**headers, **user.headers})
    assert (answer.status, answer.outcome) == (200, "FORBIDDEN")


def ask_me(house: House, token: str) -> str:
    return str(house.graphql("{ me { id } }", headers=bearer(token)).data["me"]["id"])


def look_up(house: House, user_id: str, fields: str) -> dict[str, Any]:
    told = house.graphql(f"query ($id: ID!) {{ user(id: $id) {{ {fields} }} }}", {"id": user_id}, by=house.admin).data
    user: dict[str, Any] = told["user"]
    return user


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
