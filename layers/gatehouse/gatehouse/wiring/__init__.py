"""The object graph, put together once per cold start; only this room may import every other.

Each door asks here for what it needs, and gets what was installed for its process, else what the environment says.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gatehouse.clock import Clock, SystemClock
from gatehouse.settings import Settings
from gatehouse.signing.keys import SigningKeys
from gatehouse.storage.table import connect
from gatehouse.wiring.behind import (
    Following,
    build_bootstrap,
    build_cleanup,
    build_following,
    build_inspection,
    build_keys_by_command,
    build_late_sealing,
    build_post,
    build_reconciliation,
    build_rotation,
)
from gatehouse.wiring.graph import Gatehouse

if TYPE_CHECKING:
    from gatehouse.admission.service import Admission
    from gatehouse.cleanup.scheduled import Cleanup
    from gatehouse.credentials.clients import Clients
    from gatehouse.mail.service import Post
    from gatehouse.signing.rotation import Rotation

__all__ = [
    "Following",
    "Gatehouse",
    "build_bootstrap",
    "build_cleanup",
    "build_following",
    "build_inspection",
    "build_keys_by_command",
    "build_late_sealing",
    "build_post",
    "build_reconciliation",
]

_installed: Gatehouse | None = None
_installed_following: Following | None = None
_installed_post: "Post | None" = None
_installed_cleanup: "Cleanup | None" = None


def install(gatehouse: Gatehouse) -> None:
    """Makes this the object graph that the doors of this process get."""
    global _installed
    _installed = gatehouse


def install_following(following: Following) -> None:
    """Makes this what the stream's door of this process gets."""
    global _installed_following
    _installed_following = following


def install_post(post: "Post") -> None:
    """Makes this what the mail function of this process gets."""
    global _installed_post
    _installed_post = post


def install_cleanup(cleanup: "Cleanup") -> None:
    """Makes this what the cleanup function of this process gets."""
    global _installed_cleanup
    _installed_cleanup = cleanup


def house() -> Gatehouse:
    """The installed object graph, else one from the environment."""
    return _installed or build(Settings.from_environment(), SystemClock())


def gate() -> "Admission":
    """The gate of it alone."""
    return house().admission


def gate_and_clients() -> tuple[Settings, "Admission", "Clients"]:
    """The same with the use cases of OAuth2 clients beside it, and the settings of both."""
    gatehouse = house()
    return gatehouse.settings, gatehouse.admission, gatehouse.clients


def following() -> Following:
    """What the stream's door needs."""
    if _installed_following is not None:
        return _installed_following
    settings = Settings.from_environment()
    connect(settings)
    return build_following(settings, SystemClock())


def post() -> "Post":
    """What the mail function needs."""
    if _installed_post is not None:
        return _installed_post
    settings = Settings.from_environment()
    connect(settings)
    return build_post(settings, SystemClock())


def cleanup() -> "Cleanup":
    """What the cleanup function needs."""
    if _installed_cleanup is not None:
        return _installed_cleanup
    settings = Settings.from_environment()
    connect(settings)
    return build_cleanup(settings, SystemClock())


def rotation() -> "Rotation":
    """What the rotation function needs; it has no table."""
    return build_rotation(Settings.from_environment(), SystemClock())


def build(settings: Settings, clock: Clock, read_keys: Callable[[], SigningKeys] | None = None) -> Gatehouse:
    """The object graph for these settings; connects to the table. `read_keys` stands in for Secrets Manager."""
    connect(settings)
    return Gatehouse(settings, clock, read_keys)
