"""What mails and sign-ins bring stands in no line of the log, and in no answer but the one that it is for."""

from tests.journeys import traces
from tests.journeys.client import REFRESH, Person, person
from tests.journeys.mailbox import Mailing
from tests.journeys.phone import DISABLE, Phone, challenge_of, complete, login

MADE_UP = "gatehouse_reset_" + "A" * 43


def live_a_whole_life(mailing: Mailing) -> Person:
    """Somebody who did all that an account has mails, passwords and codes for, and erred wherever one can."""
    owner = mailing.registered()
    verified = mailing.letter(owner.email, "please confirm your email address").token
    for token in (verified[:-2], MADE_UP, owner.token, verified, verified):
        mailing.verify(token, owner)
    mailing.graphql(REFRESH, {"token": owner.refresh_token})
    mailing.change_password(owner, owner.password + "!", owner.password)
    changed = mailing.password()
    told = mailing.change_password(owner, owner.password, changed).data["changePassword"]
    owner = person(told, changed)
    link = mailing.reset_link(owner.email)
    for token, new in ((MADE_UP, owner.password), (link, owner.email), (link, "weak")):
        mailing.reset(token, new)
    mailing.graphql(f'mutation {{ resetPassword(token: "{link}", newPassword: 7) }}')
    mailing.graphql(f'mutation {{ resetPassword(token: "{link}", newPasword: "{owner.password}") }}')
    new = mailing.password()
    assert mailing.reset(link, new).outcome == "ok"
    owner = mailing.sign_in(owner.email, new)
    phone = Phone(mailing, owner)
    codes = phone.confirm()
    challenge = challenge_of(login(mailing, owner))
    for code in ("123456", codes[0] + "X", codes[0], codes[0]):
        complete(mailing, challenge, code)
    mailing.graphql(f'mutation {{ completeTwoFactorLogin(challenge: "{challenge}", code: {codes[1]!r}) {{ id }} }}')
    assert phone.send(DISABLE, codes[2]).outcome == "ok"
    return owner


def test_no_secret_is_in_the_log_in_an_answer_that_is_not_its_own_or_in_a_mail(mailing: Mailing) -> None:
    owner = live_a_whole_life(mailing)
    # What is looked through is there.
    assert any(owner.id in line for line in mailing.log())
    assert len(mailing.secrets) > 30
    assert any(letter.to == owner.email and letter.token in mailing.secrets for letter in mailing.letters())

    assert traces.in_log(mailing) == []
    assert traces.in_answers(mailing) == []
    assert traces.in_mails(mailing) == []


def test_a_secret_that_stands_elsewhere_is_found(mailing: Mailing) -> None:
    owner = mailing.registered()
    link = mailing.reset_link(owner.email)
    for secret in (owner.password, owner.token, owner.refresh_token, link):
        assert traces.found(f"who: {secret}!", mailing.secrets)
    for text in (owner.token, link, owner.email, '"code":"123456"', "$2b$04$"):
        assert traces.found(f"what: {text},", set(), traces.TOKEN, traces.EMAIL, traces.CODE, traces.HASH)
