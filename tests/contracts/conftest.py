"""What the contracts share: time that passes without waiting."""

import pytest

from tests.contracts.faults import PatientTime


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
