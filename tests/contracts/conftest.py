"""What the contracts share: time that passes without waiting, and accounts on each implementation."""

import pytest

from tests.contracts.faults import PatientTime
from tests.contracts.worlds import InMemory, OnTheTable, World


@pytest.fixture
def patient_time(monkeypatch: pytest.MonkeyPatch) -> PatientTime:
    """The time that passes while the SDK and the transactions wait before they try again.

    The SDK's budget of retries, which all tests share with the client, does not run out meanwhile.
    """
    time = PatientTime()
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda _quota, _amount: True)
    for module in (
        "botocore.endpoint",
        "pynamodb.models",
        "gatehouse.storage.backoff",
        "gatehouse.storage.counting",
        "gatehouse.storage.transactions",
    ):
        monkeypatch.setattr(f"{module}.time", time, raising=False)
    return time


@pytest.fixture(params=["memory", "moto", "dynoxide"])
def world(request: pytest.FixtureRequest) -> World:
    """Accounts, on each implementation in turn."""
    if request.param == "memory":
        return InMemory()
    return OnTheTable(request.getfixturevalue(f"{request.param}_store"))
