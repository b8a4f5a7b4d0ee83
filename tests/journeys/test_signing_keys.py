"""`gatehouse signing-keys` beside a running system: nobody notices a rotation, and a leaked key ends at once."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.gateway.environment import ROOT
from tests.gateway_process import running
from tests.journeys.client import CREATE_CREDENTIAL, ME, REFRESH, SETTINGS, House, Person, person
from tests.journeys.conftest import open_house

MINUTES_TO_SETTLE = 2
USERS = "{ users(first: 1, after: %s, orderBy: {createdAt: ASC}) { id } }"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "signing-keys.json"


@pytest.fixture
def own_keys(key_file: Path) -> Iterator[House]:
    """A system whose keys are in a file."""
    with open_house({"JWT_SECRET": "", "JWT_SECRET_FILE": str(key_file)}) as opened:
        yield opened
        told = "".join([*opened.log(), *(answer.text for answer in opened.answers)])
        assert not [key for key in key_texts(key_file) if key in told]


def key_texts(path: Path) -> list[str]:
    return [text for text in json.loads(path.read_text()).values() if isinstance(text, str) and len(text) > 32]


def command(key_file: Path, *arguments: str) -> list[str]:
    """What the command prints; it ends well, and tells no key."""
    done = subprocess.run(
        [sys.executable, "-c", "from local.cli import main; main()", "signing-keys", *arguments],
        cwd=ROOT,
        env={"JWT_SECRET_FILE": str(key_file), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not [key for key in key_texts(key_file) if key in done.stdout]
    return done.stdout.splitlines()


def key_id(token: str) -> str:
    """The id of the key that a token was signed with."""
    header = token.split(".", maxsplit=1)[0]
    told: str = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    return told


def refreshed(house: House, session: Person) -> Person:
    told = house.graphql(REFRESH, {"token": session.refresh_token}).data["refreshToken"]
    return person(told, session.password)


def test_a_rotation_logs_nobody_out_and_a_leaked_key_is_retired_at_once(own_keys: House, key_file: Path) -> None:
    old = own_keys.person()
    long_lived = own_keys.graphql(CREATE_CREDENTIAL, {"input": {"type": "JWT"}}, by=old).data["createCredential"]
    credential = {"Authorization": f"Bearer {long_lived['secret']}"}
    first_page = own_keys.graphql(USERS % "null", by=own_keys.admin)
    [cursor] = first_page.next.values()
    first = key_id(old.token)
    assert command(key_file, "list") == [f"{first}: signs"]

    command(key_file, "rotate")
    own_keys.pass_seconds(60 * MINUTES_TO_SETTLE)
    new = own_keys.person()
    second = key_id(new.token)
    assert second != first
    assert key_id(refreshed(own_keys, own_keys.sign_in(old.email, old.password)).token) == second
    for who in (old, new):
        assert own_keys.graphql(ME, by=who).data["me"]["id"] == who.id
    assert own_keys.graphql(ME, headers=credential).data["me"]["id"] == old.id
    assert own_keys.graphql(USERS % json.dumps(cursor), by=own_keys.admin).outcome == "ok"

    command(key_file, "retire", first)
    own_keys.pass_seconds(30)
    assert own_keys.graphql(ME, by=old).status == 401
    assert own_keys.graphql(ME, headers=credential).status == 401
    again = refreshed(own_keys, old)
    assert own_keys.graphql(ME, by=again).data["me"]["id"] == old.id
    assert own_keys.graphql(ME, by=new).data["me"]["id"] == new.id


def test_a_current_key_that_leaked_is_retired_with_a_new_one_in_its_place(own_keys: House, key_file: Path) -> None:
    user = own_keys.person()
    leaked = key_id(user.token)
    [left] = command(key_file, "retire", leaked)
    own_keys.pass_seconds(30)
    assert own_keys.graphql(ME, by=user).status == 401

    again = refreshed(own_keys, user)
    assert left == f"{key_id(again.token)}: signs"
    assert own_keys.graphql(ME, by=again).data["me"]["id"] == user.id


def test_the_keys_outlive_the_process(key_file: Path) -> None:
    settings = {"JWT_SECRET": "", "JWT_SECRET_FILE": str(key_file)}
    tokens = []
    for _ in range(2):
        with open_house(settings) as opened:
            tokens.append(opened.admin.token)
    assert key_id(tokens[0]) == key_id(tokens[1])


def test_a_file_that_is_no_key_set_keeps_it_from_starting(key_file: Path) -> None:
    key_file.parent.mkdir()
    key_file.write_text("x" * 40)
    settings = {**SETTINGS, "JWT_SECRET": "", "JWT_SECRET_FILE": str(key_file)}
    with pytest.raises(RuntimeError) as failure, running(settings):
        pass
    assert "The local gateway cannot start: The signing keys must be a JSON object" in str(failure.value)
    assert "x" * 40 not in str(failure.value)
