"""Mails by Amazon SES, version 2 of its API."""

from functools import cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.service import MailRefused

_NEVER = frozenset({"BadRequestException"})
"""What SES says of a mail that it will never take, as to an address that cannot be one.

`MessageRejected` is none of them: SES says that as well while the identity that mails are sent from is not verified.
"""


class SesSender:
    """The way out of `mail.service`, from one address.

    No call is tried again here, because SES would send the mail twice where only the answer was lost. What SES says is
    kept out of errors and so out of logs: it quotes addresses.
    """

    def __init__(self, region: str, address: str, configuration_set: str | None = None, client: Any = None) -> None:
        self._region = region
        self._address = address
        self._options = {} if configuration_set is None else {"ConfigurationSetName": configuration_set}
        self._given = client

    def send(self, to: str, subject: str, text: str, html: str) -> None:
        body = {"Text": _content(text), "Html": _content(html)}
        try:
            self._client.send_email(
                FromEmailAddress=self._address,
                Destination={"ToAddresses": [to]},
                Content={"Simple": {"Subject": _content(subject), "Body": body}},
                **self._options,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _NEVER:
                raise MailRefused(code) from None
            raise ServiceUnavailable(f"SES did not take the mail: {code}.") from None
        except BotoCoreError as error:
            raise ServiceUnavailable("SES did not answer.") from error

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1, "mode": "standard"})
        return botocore.session.get_session().create_client("sesv2", region_name=self._region, config=config)


def _content(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
