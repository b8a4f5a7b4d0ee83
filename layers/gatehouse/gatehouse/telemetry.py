"""The only maker of the logger: JSON lines through Powertools, for every door and every room."""

import logging
from functools import cache

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """The logger `gatehouse`, whose children are the rooms' own; its level comes from LOG_LEVEL."""
    # A line's task would be Mangum's own, and say nothing. (The module's type stub does not know the switch.)
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]
    return Logger(logger_name="gatehouse", use_rfc3339=True, utc=True)
