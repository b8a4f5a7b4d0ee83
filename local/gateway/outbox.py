"""The outbox: what SES would have sent, kept in memory for whoever tries things out."""

import re
from threading import Lock

_TOKEN = re.compile(r"#token=([0-9A-Za-z_-]+)")


class Outbox:
    """Keeps mails instead of sending them; safe for threads."""

    def __init__(self) -> None:
        self._mails: list[dict[str, str | None]] = []
        self._lock = Lock()

    def send(self, to: str, subject: str, text: str, html: str) -> None:  # noqa: ARG002 - the port's
        found = _TOKEN.search(text)
        mail = {"to": to, "subject": subject, "text": text, "token": found[1] if found else None}
        with self._lock:
            self._mails.append(mail)

    def mails(self) -> list[dict[str, str | None]]:
        """All mails, the oldest first; `token` is the one of the link, None where there is no link."""
        with self._lock:
            return list(self._mails)
