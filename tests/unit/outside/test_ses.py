"""Mails by SES: what it is asked, and what its refusals mean."""

import traceback
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, NoCredentialsError, ReadTimeoutError
from moto import mock_aws

from gatehouse.errors import ServiceUnavailable
from gatehouse.mail.service import MailRefused
from gatehouse.outside.ses import SesSender

FROM = "gatehouse@example.com"
LETTER = ("jo@example.com", "Subject", "text", "<p>html</p>")
PASSING = [
    *("TooManyRequestsException", "LimitExceededException", "SendingPausedException", "AccountSuspendedException"),
    *("MessageRejected", "MailFromDomainNotVerifiedException", "NotFoundException", "AccessDeniedException"),
    "InternalFailure",
]


class Client:
    """Answers each call with what it is told, and remembers what it was asked."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def send_email(self, **arguments: Any) -> dict[str, str]:
        self.asked.append(arguments)
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        return {"MessageId": "1"}


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no mail for jo@example.com"}}, "SendEmail")


def test_a_mail_is_sent_as_text_and_html_from_the_one_address() -> None:
    client = Client()
    SesSender("us-east-1", FROM, "set", client).send(*LETTER)

    assert client.asked == [
        {
            "FromEmailAddress": FROM,
            "Destination": {"ToAddresses": ["jo@example.com"]},
            "Content": {
                "Simple": {
                    "Subject": {"Data": "Subject", "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": "text", "Charset": "UTF-8"},
                        "Html": {"Data": "<p>html</p>", "Charset": "UTF-8"},
                    },
                }
            },
            "ConfigurationSetName": "set",
        }
    ]


def test_without_a_configuration_set_none_is_named() -> None:
    client = Client()
    SesSender("us-east-1", FROM, client=client).send(*LETTER)

    assert "ConfigurationSetName" not in client.asked[0]


@mock_aws
def test_ses_takes_what_it_is_sent() -> None:
    client: Any = botocore.session.get_session().create_client("sesv2", region_name="us-east-1")
    client.create_email_identity(EmailIdentity=FROM)

    SesSender("us-east-1", FROM).send(*LETTER)


@pytest.mark.parametrize("code", PASSING)
def test_what_may_pass_is_a_passing_fault_tried_once_and_quotes_nobodys_address(code: str) -> None:
    client = Client(error(code))
    with pytest.raises(ServiceUnavailable) as refusal:
        SesSender("us-east-1", FROM, client=client).send(*LETTER)

    assert refusal.value.message == f"SES did not take the mail: {code}."
    assert len(client.asked) == 1
    assert "jo@example.com" not in "".join(traceback.format_exception(refusal.value))


def test_what_ses_never_takes_is_told_apart_and_quotes_nobodys_address() -> None:
    with pytest.raises(MailRefused, match=r"^BadRequestException$") as refusal:
        SesSender("us-east-1", FROM, client=Client(error("BadRequestException"))).send(*LETTER)

    assert "jo@example.com" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize(
    "fault",
    [
        ConnectTimeoutError(endpoint_url="https://email"),
        ReadTimeoutError(endpoint_url="https://email"),
        NoCredentialsError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_ses_that_does_not_answer_is_a_passing_fault(fault: Exception) -> None:
    with pytest.raises(ServiceUnavailable) as refusal:
        SesSender("us-east-1", FROM, client=Client(fault)).send(*LETTER)

    assert refusal.value.__cause__ is fault


def test_a_client_is_made_at_the_first_call_gives_up_soon_and_tries_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    class Session:
        def create_client(self, service: str, *, region_name: str, config: Any) -> Client:
            made.append((service, region_name, config.connect_timeout, config.read_timeout, config.retries))
            return Client()

    monkeypatch.setattr(botocore.session, "get_session", Session)
    sender = SesSender("eu-west-1", FROM)
    assert made == []
    sender.send(*LETTER)
    sender.send(*LETTER)
    assert made == [("sesv2", "eu-west-1", 2, 10, {"total_max_attempts": 1, "mode": "standard"})]
