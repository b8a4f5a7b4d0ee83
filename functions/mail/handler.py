"""The Lambda function behind the queue of mails."""

import gc

gc.disable()  # a cold start makes many objects and no garbage; looking for some takes a tenth of its time

from typing import Any

from gatehouse import telemetry, wiring

_post = wiring.post()
_log = telemetry.logger()
gc.freeze()
gc.enable()

_MILLISECONDS_FOR_A_MAIL = 20_000


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """The ids of the messages whose mails could not be sent; the queue hands those over again, later.

    A message may come twice: a mail that is gone was sent.
    """
    failed = []
    for message in event["Records"]:
        message_id, mail_id = message["messageId"], message["body"]
        if context.get_remaining_time_in_millis() < _MILLISECONDS_FOR_A_MAIL:
            failed.append(message_id)
            continue
        try:
            _post.send(mail_id)
        except Exception as error:  # noqa: BLE001 - the boundary: logged with its traceback, and told to Lambda
            _log.error("a mail was not sent", exc_info=error, extra={"mail_id": mail_id})
            failed.append(message_id)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
