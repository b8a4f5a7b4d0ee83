"""What a person keeps who signed in: tokens of their session, and word of a password that is due to be changed."""

from datetime import datetime, timedelta

import pytest

from gatehouse.accounts.sign_ins import SignIns
from gatehouse.tokens import SESSION
from tests.unit.fakes import (
    AT_HOME,
    PASSWORD,
    SESSION_TOKENS,
    START,
    TOKENS,
    MemoryStore,
    StoppedClock,
    a_user,
    the_settings,
)
from tests.unit.people import NEW_PASSWORD, Town

DAY = timedelta(days=1)
A_MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("reminder", "changed_at", "due"),
    [
        (None, START - 10_000 * DAY, False),
        (90 * DAY, None, False),
        (90 * DAY, START, False),
        (90 * DAY, START - 90 * DAY + A_MOMENT, False),
        (90 * DAY, START - 90 * DAY, True),
        (90 * DAY, START - 90 * DAY - A_MOMENT, True),
    ],
)
def test_a_password_is_due_once_the_time_of_the_reminder_has_passed(
    clock: StoppedClock, reminder: timedelta | None, changed_at: datetime | None, due: bool
) -> None:
    sign_ins = SignIns(SESSION_TOKENS, clock, DAY, reminder)
    user = a_user(password_changed_at=changed_at)

    assert sign_ins.answer(user, *sign_ins.begin(user.id, 0, AT_HOME)).password_change_due is due


def test_what_is_answered_is_of_the_session_that_began(clock: StoppedClock) -> None:
    sign_ins, user = SignIns(SESSION_TOKENS, clock, 3 * DAY, None), a_user()

    session, token = sign_ins.begin(user.id, 7, AT_HOME, proved_at=START)
    answer = sign_ins.answer(user, session, token)

    assert (session.user_id, session.generation, session.origin, session.proved_at) == (user.id, 7, AT_HOME, START)
    assert (session.created_at, session.used_at, session.expires_at) == (START, START, START + 3 * DAY)
    assert (answer.user, answer.expires_in, answer.refresh_token) == (user, SESSION_TOKENS.lifetime, token.text())
    claims = TOKENS.verify(SESSION, answer.access_token, START)
    assert (claims.subject, claims.own["sid"]) == (user.id, session.id)


def test_by_the_setting_whoever_signs_in_or_refreshes_is_reminded_until_they_change_it(
    store: MemoryStore, clock: StoppedClock
) -> None:
    town = Town(store, clock, PASSWORD_REMINDER_DAYS="10", SESSION_IDLE_TTL="31536000")
    signed = town.people.registration.register(
        {"username": "john", "email": "john@example.com", "password": PASSWORD}, AT_HOME
    )
    assert signed is not None
    clock.advance(days=10, milliseconds=-1)
    assert not town.login(signed.user).password_change_due
    clock.advance(milliseconds=1)

    assert not signed.password_change_due
    assert town.login(signed.user).password_change_due
    refreshed = town.people.accounts.refresh(signed.refresh_token, AT_HOME)
    assert refreshed.password_change_due

    again = town.login(signed.user)
    changed = town.people.passwords.change(town.caller(again), AT_HOME, PASSWORD, NEW_PASSWORD)
    assert not changed.password_change_due
    assert not town.login(signed.user, NEW_PASSWORD).password_change_due


def test_nobody_is_reminded_where_no_setting_says_so(store: MemoryStore, clock: StoppedClock) -> None:
    assert the_settings().password_reminder_days == 0
    user = store.add(a_user(password_changed_at=START - 10_000 * DAY))

    assert not Town(store, clock).login(user).password_change_due
