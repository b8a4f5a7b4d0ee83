"""What keeps the key set for commands: Secrets Manager in AWS, a file on this machine; both lose no change."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ReadTimeoutError

from gatehouse.errors import Conflict, NotFound, ServiceUnavailable
from gatehouse.outside.key_versions import SecretVersions
from gatehouse.persistence import Stale
from gatehouse.signing.command import KeysByCommand, KeySets
from gatehouse.signing.keys import InvalidKeySet, SigningKeys, rotated
from local.key_file import KeyFile
from tests.key_secrets import FIRST_KEY, REGION, Dying, key_secret
from tests.unit.fakes import START, StoppedClock

FIRST = SigningKeys("k1", {"k1": FIRST_KEY.encode()})


@pytest.fixture(params=["file", "secret"])
def sets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeySets]:
    """A place with a first set."""
    if request.param == "secret":
        with key_secret() as made:
            yield SecretVersions(made.arn, REGION, made.client)
    else:
        path = tmp_path / "keys.json"
        path.write_text(f'{{"current": "k1", "k1": "{FIRST_KEY}"}}', encoding="utf-8")
        yield KeyFile(path)


def test_a_set_is_replaced_only_in_the_place_of_the_one_that_was_read(sets: KeySets) -> None:
    version, keys = sets.current()
    assert keys == FIRST
    second = rotated(keys, START)
    sets.replace(version, second)
    changed, now_kept = sets.current()
    assert (changed != version, now_kept) == (True, second)

    with pytest.raises(Stale):
        sets.replace(version, FIRST)
    assert sets.current() == (changed, second)


def test_commands_rotate_and_retire(sets: KeySets, clock: StoppedClock) -> None:
    command = KeysByCommand(sets, clock)
    after = command.rotate()
    assert command.show() == after
    assert set(after.keys) == {"k1", after.current}

    left = command.retire("k1")
    assert (command.show(), set(left.keys)) == (left, {after.current})
    new = command.retire(after.current)
    assert (command.show(), set(new.keys)) == (new, {new.current})
    with pytest.raises(NotFound):
        command.retire("k1")
    assert command.show() == new


def test_changes_at_once_are_all_kept_or_refused(sets: KeySets, clock: StoppedClock) -> None:
    def change() -> str | None:
        try:
            return KeysByCommand(sets, clock).rotate().current
        except Conflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        made = {key_id for key_id in pool.map(lambda _: change(), range(8)) if key_id is not None}

    kept = KeysByCommand(sets, clock).show()
    assert made == set(kept.keys) - {"k1"}
    assert made


def test_a_change_that_somebody_overtakes_is_made_again_on_what_they_left(sets: KeySets, clock: StoppedClock) -> None:
    class Overtaken:
        left = 2

        def current(self) -> tuple[str, SigningKeys]:
            found = sets.current()
            if self.left > 0:
                self.left -= 1
                sets.replace(found[0], rotated(found[1], START))
            return found

        def replace(self, instead_of: str, keys: SigningKeys) -> None:
            sets.replace(instead_of, keys)

    KeysByCommand(Overtaken(), clock).retire("k1")
    kept = sets.current()[1]
    assert (len(kept.keys), "k1" in kept.keys) == (2, False)

    always = Overtaken()
    always.left = 100
    with pytest.raises(Conflict):
        KeysByCommand(always, clock).rotate()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(4))
def test_a_command_whose_call_fails_can_be_given_again(clock: StoppedClock, at: int, after: bool) -> None:
    with key_secret() as made:
        dying = Dying(made.client, at, ReadTimeoutError(endpoint_url="https://secretsmanager"), after=after)
        sets = SecretVersions(made.arn, REGION, made.client)
        try:
            KeysByCommand(SecretVersions(made.arn, REGION, dying), clock).retire("k1")
        except ServiceUnavailable:
            assert "k1" in sets.current()[1].keys
            KeysByCommand(sets, clock).retire("k1")
        assert "k1" not in sets.current()[1].keys
        assert made.is_at_rest


def test_a_file_of_keys_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "keys.json"
    for _ in range(2):
        KeyFile(path).make(START)
    first = KeyFile(path).read()
    KeyFile(path).make(START)

    assert KeyFile(path).read() == first
    assert [each.stat().st_mode & 0o777 for each in (path.parent, path)] == [0o700, 0o600]
    KeyFile(path).replace(KeyFile(path).current()[0], rotated(first, START))
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def test_a_file_that_is_missing_or_broken_is_told_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(ServiceUnavailable, match=r"keys\.json are out of reach"):
        KeyFile(path).read()
    path.write_text(FIRST_KEY, encoding="utf-8")
    with pytest.raises(InvalidKeySet) as refusal:
        KeyFile(path).read()
    assert FIRST_KEY not in str(refusal.value)
    with pytest.raises(ServiceUnavailable):
        KeyFile(path / "below").make(START)
