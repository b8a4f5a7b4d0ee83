"""Where a system leaves secrets that it should not: in lines of its log, in answers, in mails."""

import re
from collections.abc import Iterator
from typing import Any

from tests.journeys.client import ADMIN_EMAIL, Answer
from tests.journeys.mailbox import Mailing

SIGN_INS = ("register", "login", "refreshToken", "changePassword", "acceptInvitation", "completeTwoFactorLogin")
BELONGS = {
    *(f"data.{name}.{token}" for name in SIGN_INS for token in ("accessToken", "refreshToken")),
    *("data.enableTwoFactor.secret", "data.enableTwoFactor.uri", "data.confirmTwoFactor.recoveryCodes"),
    *("data.createCredential.secret", "errors.extensions.challenge"),
}
"""Where a secret may stand in an answer; nothing that was mailed or sent stands in any."""

TOKEN = re.compile(r"eyJ[\w-]{10,}\.|gatehouse_[a-z]+_[\w-]{20,}")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
CODE = re.compile(r"(?<![\w.:-])\d{6}(?![\w.:-])")
HASH = re.compile(r"\$2[aby]\$\d\d\$|sha256\$|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
POSITION = re.compile(r'"position": ?"\d+ [0-9a-f]{64}"')
"""Where the chain of the audit is, which is told so that it stands somewhere outside the table."""


def in_log(mailing: Mailing) -> list[str]:
    """Secrets that were printed, and whatever looks like one or like an email."""
    mailing.letters()  # so that their tokens are known
    # The welcome, which is no line of JSON, tells whoever started it how to sign in.
    printed = "".join(line for line in mailing.log() if ADMIN_EMAIL not in line or line.startswith("{"))
    return found(POSITION.sub("", printed), mailing.secrets, TOKEN, EMAIL, CODE, HASH)


def in_answers(mailing: Mailing) -> list[str]:
    """Secrets that were told where they do not belong."""
    mailed = {letter.token for letter in mailing.letters() if letter.token}
    told = set(where_told(mailing.answers))
    elsewhere = "\n".join({text for path, text in told if path not in BELONGS})
    anywhere = "\n".join(text for _, text in told)
    return found(elsewhere, mailing.secrets, TOKEN, HASH) + found(anywhere, mailed)


def in_mails(mailing: Mailing) -> list[str]:
    """Secrets that were mailed beside the token of the mail's own link."""
    letters = mailing.letters()
    texts = "\n".join(letter.text.replace(f"#token={letter.token}", "") + letter.subject for letter in letters)
    return found(texts, mailing.secrets, TOKEN, EMAIL, CODE, HASH)


def found(text: str, secrets: set[str], *forms: re.Pattern[str]) -> list[str]:
    return [secret for secret in secrets if secret in text] + [one for form in forms for one in form.findall(text)]


def leaves(told: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in an answer, names of fields too, with where it stands; places in lists are left out."""
    if isinstance(told, dict):
        for name, value in told.items():
            yield path, name
            yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(told, list):
        for value in told:
            yield from leaves(value, path)
    elif isinstance(told, str):
        yield path, told


def where_told(answers: list[Answer]) -> Iterator[tuple[str, str]]:
    for answer in answers:
        if answer.text.startswith("{"):
            yield from leaves(answer.body)
        for name, value in answer.headers.items():
            yield f"header {name}", value
