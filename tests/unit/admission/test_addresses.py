"""Which address a request is counted by, however much of its headers was made up."""

import pytest

from gatehouse.admission.addresses import address_of

SOURCE = "203.0.113.7"
MADE_UP, CLIENT, INNER = "198.51.100.1", "198.51.100.2", "198.51.100.3"


@pytest.mark.parametrize(
    ("forwarded", "trusted", "address"),
    [
        (None, 0, SOURCE),
        ("", 0, SOURCE),
        (f"{MADE_UP}, {SOURCE}", 0, SOURCE),
        (None, 1, SOURCE),
        (SOURCE, 1, SOURCE),
        (f"{CLIENT}, {SOURCE}", 1, CLIENT),
        (f"{MADE_UP}, {CLIENT}, {SOURCE}", 1, CLIENT),
        (f"{MADE_UP},{CLIENT},{SOURCE}", 1, CLIENT),
        (f"{MADE_UP}, {CLIENT}", 1, CLIENT),
        (f"{MADE_UP}, {CLIENT}, {INNER}, {SOURCE}", 2, CLIENT),
        (f"{INNER}, {SOURCE}", 2, INNER),
        (f"{CLIENT}, not an address, {SOURCE}", 1, SOURCE),
        (f"{CLIENT}, , {SOURCE}", 1, CLIENT),
        (f"{CLIENT}:443, {SOURCE}", 1, CLIENT),
        (f"[2001:db8::7]:443, {SOURCE}", 1, "2001:db8::/64"),
        ("unknown, " + SOURCE, 1, SOURCE),
    ],
)
def test_only_as_many_proxies_are_believed_as_are_trusted(forwarded: str | None, trusted: int, address: str) -> None:
    assert address_of(SOURCE, forwarded, trusted) == address


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("::ffff:203.0.113.7", SOURCE),
        ("fe80::1%eth0", "fe80::/64"),
        ("203.0.113.07", "unknown"),
        ("", "unknown"),
        ("test-invoke-source-ip", "unknown"),
    ],
)
def test_an_address_has_one_spelling_and_an_ipv6_network_of_64_bits_one_address(source: str, address: str) -> None:
    assert address_of(source, None, 0) == address
