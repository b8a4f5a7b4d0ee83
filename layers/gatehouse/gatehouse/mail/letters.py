"""From a mail to a letter: its template filled in, once as plain text and once as HTML."""

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gatehouse.accounts.one_use import OneUseToken, Purpose
from gatehouse.mail.model import Letter, Mail
from gatehouse.mail.templates import TEMPLATES

_LONGEST_WORD = 100

_PAGES = {
    Purpose.VERIFY_EMAIL: "/verify-email",
    Purpose.CHANGE_EMAIL: "/change-email",
    Purpose.RESET: "/reset-password",
    Purpose.INVITATION: "/accept-invitation",
    Purpose.BEGIN: "/set-password",
}


@dataclass(frozen=True)
class _Anchor:
    words: str
    url: str


type _Part = str | _Anchor | list[str]
"""A paragraph, a link, or a list."""


def link(app_url: str, token: OneUseToken) -> str:
    """The link that brings the token to its page, in the fragment: no server is sent that, so that no log has it."""
    return f"{app_url}{_PAGES[token.purpose]}#token={token.text()}"


def moment(at: datetime) -> str:
    """A time as people write it, to the minute."""
    return f"{at.day} {at:%B %Y} at {at:%H:%M} UTC"


def letter(mail: Mail, app_url: str, token: OneUseToken | None = None) -> Letter:
    """The mail in words; `token` where its template has a link."""
    subject, parts = TEMPLATES[mail.kind].subject, list(_parts(mail, app_url, token))
    return Letter(subject, _text(parts), _html(subject, parts))


def _parts(mail: Mail, app_url: str, token: OneUseToken | None) -> Iterator[_Part]:
    template = TEMPLATES[mail.kind]
    words = {name: _plain(word) for name, word in mail.words.items()} | {"at": moment(mail.created_at)}
    yield "Hello,"
    yield from (part.format_map(words) for part in template.before)
    if template.link is not None and token is not None:
        yield _Anchor(template.link, link(app_url, token))
    if template.listing is not None:
        if mail.listed:
            yield from (template.listing, [_plain(line) for line in mail.listed])
        else:
            yield template.nothing_listed
    yield from (part.format_map(words) for part in template.after)
    yield _Anchor("Gatehouse", app_url)


def _text(parts: Iterable[_Part]) -> str:
    return "\n\n".join(map(_part_as_text, parts)) + "\n"


def _part_as_text(part: _Part) -> str:
    match part:
        case str():
            return part
        case _Anchor(words, url):
            return f"{words}:\n{url}"
        case _:
            return "\n".join(f"- {line}" for line in part)


def _html(title: str, parts: Iterable[_Part]) -> str:
    head = f'<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>'
    body = "\n".join(_part_as_html(part) for part in parts)
    return f'<!doctype html>\n<html lang="en">\n{head}\n<body>\n{body}\n</body>\n</html>\n'


def _part_as_html(part: _Part) -> str:
    match part:
        case str():
            return f"<p>{html.escape(part)}</p>"
        case _Anchor(words, url):
            return f'<p><a href="{html.escape(url)}">{html.escape(words)}</a></p>'
        case _:
            return f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in part)}</ul>"


def _plain(word: str) -> str:
    """The word on one line and not too long, whatever it was."""
    one_line = "".join(character if character.isprintable() else " " for character in word)
    return " ".join(one_line.split())[:_LONGEST_WORD]
