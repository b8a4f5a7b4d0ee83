"""The queue of mails on SQS: what it is asked, and what its faults mean."""

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from moto import mock_aws

from gatehouse.errors import ServiceUnavailable
from gatehouse.outside.mail_queue import SqsMailQueue


@mock_aws
def test_a_mail_is_queued_by_its_id() -> None:
    client: Any = botocore.session.get_session().create_client("sqs", region_name="us-east-1")
    url = client.create_queue(QueueName="mails")["QueueUrl"]
    SqsMailQueue("us-east-1", url).put("01a1f9c2-6f3e-7c1b-8a52-3d0e9b7f4c21")

    assert [message["Body"] for message in client.receive_message(QueueUrl=url)["Messages"]] == [
        "01a1f9c2-6f3e-7c1b-8a52-3d0e9b7f4c21"
    ]


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "SendMessage"),
        ReadTimeoutError(endpoint_url="https://sqs"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_a_queue_that_does_not_answer_is_a_passing_fault(fault: Exception) -> None:
    class Client:
        def send_message(self, **_: Any) -> None:
            raise fault

    with pytest.raises(ServiceUnavailable) as refusal:
        SqsMailQueue("us-east-1", "https://sqs/mails", Client()).put("id")
    assert refusal.value.__cause__ is fault


def test_a_client_is_made_at_the_first_call_and_gives_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Session:
        def create_client(self, service: str, *, region_name: str, config: Any) -> "Session":
            made.append((service, region_name, config.connect_timeout, config.read_timeout))
            return self

        def send_message(self, **_: Any) -> None:
            return

    monkeypatch.setattr(botocore.session, "get_session", Session)
    queue = SqsMailQueue("eu-west-1", "https://sqs/mails")
    assert made == []
    queue.put("one")
    queue.put("two")
    assert made == [("sqs", "eu-west-1", 1, 5)]
