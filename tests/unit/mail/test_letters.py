"""The wording of every mail: friendly, complete, and safe whatever it is filled with."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any, override

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehouse.accounts.one_use import OneUseToken, Purpose, issue
from gatehouse.ids import new_id
from gatehouse.mail.letters import letter, link, moment
from gatehouse.mail.model import Letter, Mail, MailKind
from gatehouse.mail.templates import TEMPLATES
from tests.unit.fakes import START
from tests.unit.post import APP_URL

PAGES = {
    MailKind.VERIFY_EMAIL: (Purpose.VERIFY_EMAIL, "/verify-email"),
    MailKind.CONFIRM_NEW_EMAIL: (Purpose.CHANGE_EMAIL, "/change-email"),
    MailKind.PASSWORD_RESET: (Purpose.RESET, "/reset-password"),
    MailKind.REGISTRATION: (Purpose.INVITATION, "/accept-invitation"),
    MailKind.INVITATION: (Purpose.INVITATION, "/accept-invitation"),
    MailKind.FIRST_ADMIN: (Purpose.BEGIN, "/set-password"),
}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</p></body><a href='https://evil.example'>click</a>",
    "a\r\nBcc: everybody@example.com\r\n\r\nSend money",
    "{until} {token} {0.__class__} {at!r:>9}",
    "%(at)s ${at} &amp; &#60;b&#62;",
    "\u2028\u2029\u202e\x00\x1b[31m\ud800",
    "x" * 10_000,
]
MARKUP = {"html", "head", "meta", "title", "body", "p", "a", "ul", "li"}


class Page(HTMLParser):
    """What a reader of the HTML gets: elements, where links go, and the words of each paragraph."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    @override
    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data)


def the_mail(kind: MailKind, word: str = "something", listed: tuple[str, ...] = (), **changes: Any) -> Mail:
    """A mail of the kind, each of its words that one."""
    words = dict.fromkeys(TEMPLATES[kind].words, word)
    if kind in PAGES:
        words["until"] = moment(START + timedelta(hours=1))
    if kind is MailKind.ACCOUNT_DORMANT:
        words["day"] = moment(START)
    return Mail(
        id=new_id(START), kind=kind, to="jo@example.com", words=words, listed=listed, created_at=START, **changes
    )


def written(kind: MailKind, *filling: Any) -> tuple[Letter, OneUseToken | None]:
    """The letter, and the token of its link."""
    token = issue(PAGES[kind][0], "owner", START)[0] if kind in PAGES else None
    return letter(the_mail(kind, *filling), APP_URL, token), token


def test_a_letter_with_a_link_reads_like_this() -> None:
    token = OneUseToken(Purpose.RESET, bytes(32))
    url = f"https://app.example.com/reset-password#token=gatehouse_reset_{'A' * 43}"

    assert letter(the_mail(MailKind.PASSWORD_RESET), APP_URL, token) == Letter(
        "Gatehouse: choose a new password",
        f"""Hello,

On 1 March 2026 at 12:00 UTC somebody asked for a new password for your account. If it was you, choose one now.

Choose a new password:
{url}

The link works once, until 1 March 2026 at 13:00 UTC.

If it was not you, there is nothing to do: your password stays as it is.

Gatehouse:
https://app.example.com
""",
        f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Gatehouse: choose a new password</title></head>
<body>
<p>Hello,</p>
<p>On 1 March 2026 at 12:00 UTC somebody asked for a new password for your account. If it was you, choose one now.</p>
<p><a href="{url}">Choose a new password</a></p>
<p>The link works once, until 1 March 2026 at 13:00 UTC.</p>
<p>If it was not you, there is nothing to do: your password stays as it is.</p>
<p><a href="https://app.example.com">Gatehouse</a></p>
</body>
</html>
""",
    )


def test_a_letter_with_a_list_reads_like_this() -> None:
    told, _ = written(MailKind.PASSWORD_CHANGED, "", ("KEY_AUTH, mobile-app", "JWT, gatehouse_0123456789abcdef"))

    assert "\n\n".join(told.text.split("\n\n")[2:4]) == (
        "Programs do not sign in with your password. These credentials of yours still work:\n\n"
        "- KEY_AUTH, mobile-app\n- JWT, gatehouse_0123456789abcdef"
    )
    assert "<ul><li>KEY_AUTH, mobile-app</li><li>JWT, gatehouse_0123456789abcdef</li></ul>" in told.html


def test_that_no_credential_is_left_is_told_too() -> None:
    told, _ = written(MailKind.PASSWORD_CHANGED)

    assert told.text.split("\n\n")[2] == "There are no credentials for programs that still work."
    assert "<ul>" not in told.html


def test_there_is_a_template_for_every_kind_of_mail() -> None:
    assert TEMPLATES.keys() == set(MailKind)
    assert {kind for kind, template in TEMPLATES.items() if template.link} == PAGES.keys()
    assert {kind: set(template.words) for kind, template in TEMPLATES.items() if template.words} == {
        MailKind.NEW_ADDRESS: {"address", "device"},
        MailKind.ACCOUNT_DORMANT: {"day"},
    }
    assert len({template.subject for template in TEMPLATES.values()}) == len(MailKind)


@pytest.mark.parametrize("kind", MailKind)
def test_a_letter_greets_says_when_it_was_and_where_it_comes_from(kind: MailKind) -> None:
    told, _ = written(kind)
    paragraphs = told.text.split("\n\n")

    assert paragraphs[0] == "Hello,"
    assert "1 March 2026 at 12:00 UTC" in " ".join(paragraphs)
    assert paragraphs[-1] == f"Gatehouse:\n{APP_URL}\n"
    assert all(re.search(r"[.,:]$", part) for part in paragraphs[:-1] if "\n" not in part)
    assert "{" not in told.text + told.html


@pytest.mark.parametrize("kind", MailKind)
def test_a_subject_fits_a_header(kind: MailKind) -> None:
    subject = written(kind, HOSTILE[4])[0].subject

    assert subject.isascii()
    assert subject.isprintable()
    assert len(subject) <= 78


@pytest.mark.parametrize("kind", PAGES)
def test_a_link_goes_to_its_page_works_once_and_says_until_when(kind: MailKind) -> None:
    told, token = written(kind)
    assert token is not None
    url = f"{APP_URL}{PAGES[kind][1]}#token={token.text()}"

    assert link(APP_URL, token) == url
    assert [url, APP_URL] == Page(told.html).links
    assert re.findall(r"\S+://\S+", told.text) == [url, APP_URL]
    assert "The link works once, until 1 March 2026 at 13:00 UTC." in told.text


@pytest.mark.parametrize("kind", PAGES)
def test_the_token_stands_in_the_link_and_nowhere_else(kind: MailKind) -> None:
    told, token = written(kind)
    assert token is not None

    assert told.text.count(token.text()) == told.html.count(token.text()) == 1
    assert f"{PAGES[kind][1]}#token={token.text()}\n" in told.text
    assert f'{PAGES[kind][1]}#token={token.text()}">' in told.html
    assert token.text() not in told.subject
    assert token.text() not in repr(told)


@pytest.mark.parametrize("kind", [kind for kind in MailKind if kind not in PAGES])
def test_other_mails_link_to_the_app_alone_whatever_they_are_filled_with(kind: MailKind) -> None:
    hostile = "https://evil.example/#token=x"
    told, _ = written(kind, hostile, (hostile,))

    assert Page(told.html).links == [APP_URL]


@pytest.mark.parametrize("kind", MailKind)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_stay_words(kind: MailKind, hostile: str) -> None:
    plain, _ = written(kind, "x", ("x",))
    told, token = written(kind, hostile, (hostile,))
    page = Page(told.html)

    assert page.elements <= MARKUP
    assert page.attributes == {("html", "lang"), ("meta", "charset"), ("a", "href")}
    assert page.links == ([link(APP_URL, token)] if token else []) + [APP_URL]
    assert told.subject == plain.subject
    assert len(told.text.splitlines()) == len(plain.text.splitlines())
    assert all(line.isprintable() for line in told.text.split("\n"))
    assert len(told.html) < len(plain.html) + 2_000
    told.text.encode()
    told.html.encode()


@given(st.sampled_from(MailKind), st.text(), st.text())
def test_html_and_plain_text_say_the_same_whatever_the_words(kind: MailKind, word: str, line: str) -> None:
    told, _ = written(kind, word, (line,))
    title, *words = Page(told.html).words

    assert title == told.subject
    assert [each for each in words if each.strip() not in told.text] == []


def test_an_app_url_is_escaped_like_everything_else() -> None:
    told = letter(the_mail(MailKind.TWO_FACTORS_ON), "https://app.example.com/a&b")

    assert Page(told.html).links == ["https://app.example.com/a&b"]
    assert "a&amp;b" in told.html


def test_neither_a_mail_nor_a_letter_shows_what_it_tells_and_whom() -> None:
    mail = the_mail(MailKind.PASSWORD_RESET, sealed_token="k1 reset abc")
    told, _ = written(MailKind.PASSWORD_RESET)

    assert "abc" not in repr(mail)
    assert mail.to not in repr(mail)
    assert repr(told) == "Letter(subject='Gatehouse: choose a new password')"
