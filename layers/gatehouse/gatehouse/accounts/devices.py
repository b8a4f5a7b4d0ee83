"""What a device is called, in our own words: a User-Agent is a text that the caller chose."""

UNKNOWN = "an unknown device"

# The first word that is found counts: browsers name the ones they imitate as well.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("PostmanRuntime", "Postman"),
    ("insomnia", "Insomnia"),
    ("okhttp", "an Android app"),
    ("CFNetwork", "an Apple app"),
    ("python", "a Python program"),
    ("Python", "a Python program"),
    ("node", "a Node.js program"),
    ("Go-http-client", "a Go program"),
    ("Java", "a Java program"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """A few words such as "Firefox on Windows"."""
    program, system = _first(_PROGRAMS, user_agent), _first(_SYSTEMS, user_agent)
    if program is None:
        return UNKNOWN if system is None else f"an unknown program on {system}"
    return program if system is None else f"{program} on {system}"


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((called for word, called in names if word in user_agent), None)
