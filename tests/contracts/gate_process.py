"""A function in a process of its own, for what several processes do at one store.

It is told a table, a moment and keys on its first line of input, answers when it is ready, and on the next line calls
with each key as often as it was told, in threads; it prints what each call was told.
"""

import json
import sys
from datetime import datetime
from functools import partial
from typing import Any

from gatehouse.credentials.kinds import key_auth
from gatehouse.credentials.model import CredentialType
from gatehouse.storage.table import connect
from tests.contracts.made_up import admission_on_the_table, at_once
from tests.unit.fakes import HOME, StoppedClock, the_settings


def main() -> None:
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    settings = the_settings(**told["settings"])
    connect(settings)
    function = admission_on_the_table(StoppedClock(datetime.fromisoformat(told["now"])), settings)
    keys = [key_auth.parse(text) for text in told["keys"]]
    calls = [partial(function.by_secret, CredentialType.KEY_AUTH, key, HOME) for key in keys] * told["times"]
    print("ready", flush=True)
    sys.stdin.readline()
    allowances = [admitted.allowance for admitted in at_once(calls)]
    print(json.dumps([[allowance.remaining, allowance.is_spent] for allowance in allowances]))


if __name__ == "__main__":
    main()
