"""The queue of mails to send, on SQS."""

from functools import cached_property
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gatehouse.errors import ServiceUnavailable


class SqsMailQueue:
    """Hands ids of mails to the mail function, at least once each."""

    def __init__(self, region: str, url: str, client: Any = None) -> None:
        self._region = region
        self._url = url
        self._given = client

    def put(self, mail_id: str) -> None:
        """Queues the mail; raises ServiceUnavailable, and may then be asked again."""
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=mail_id)
        except (BotoCoreError, ClientError) as error:
            raise ServiceUnavailable("The queue of mails did not answer.") from error

    @cached_property
    def _client(self) -> Any:
        if self._given is not None:
            return self._given
        config = Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 3, "mode": "standard"})
        return botocore.session.get_session().create_client("sqs", region_name=self._region, config=config)
