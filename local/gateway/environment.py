"""What the functions find in their environment on this machine: the template's variables, what differs here, and what
the person who started the gateway set. Whatever `local` reads from the process's environment is read here.
"""

import os
import secrets
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from local.gateway.intrinsics import TemplateError
from local.gateway.template import Template

ROOT = Path(__file__).parents[2]
DEFAULT_PORT = 3000
DEFAULT_ADMIN = "admin@example.com"
EXAMPLE_BASE_PATH = "orders-api"

TABLE_NAME = "gatehouse"
_KEPT = ROOT / ".local"
_REGION = "us-east-1"
_OF_AWS = ("JWT_SECRET_ARN", "EVENT_BUS")
_MADE_UP = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
# With these no client of the process can find a real account, a real endpoint, or the credentials for either.
_CUT_OFF = {
    **_MADE_UP,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",  # moto knows the endpoints of a region, and not all of an account
}
_WAYS_TO_AN_ACCOUNT = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


class StartError(Exception):
    """The gateway cannot start; the text tells the person who started it why, and what to do."""


@dataclass(frozen=True)
class Choices:
    """What the person who starts the gateway chose; `endpoint` is None for a store in this process."""

    port: int
    endpoint: str | None
    admin_email: str
    admin_password: str | None


def choices(process: Mapping[str, str]) -> Choices:
    """The choices in an environment; raises StartError for a port that is none. Port 0 is any that is free."""
    port = process.get("PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise StartError(f"PORT must be a number from 0 to 65535, not {port!r}.")
    return Choices(
        port=int(port),
        endpoint=process.get("DYNAMODB_ENDPOINT") or None,
        admin_email=process.get("ADMIN_EMAIL") or DEFAULT_ADMIN,
        admin_password=process.get("ADMIN_PASSWORD") or None,
    )


def load_template(process: Mapping[str, str], path: Path = ROOT / "template.yaml") -> Template:
    """The template, with the parameters that the environment names: ALLOWED_ORIGINS sets AllowedOrigins."""
    parameters = {"".join(map(str.capitalize, name.split("_"))): value for name, value in process.items() if value}
    return Template.load(path, parameters, process.get("AWS_REGION") or _REGION)


def load_example(template: Template, path: Path = ROOT / "examples/orders/template.yaml") -> Template:
    """The example of an operator's own API, behind the authorizer of the template."""
    authorizer = template.functions["AuthorizerFunction"].arn
    return Template.load(path, {"AuthorizerFunctionArn": authorizer}, template.region)


def function_variables(template: Template, process: Mapping[str, str]) -> dict[str, str]:
    """The variables of all functions, which share one process here; raises TemplateError where they contradict."""
    variables = {
        "AWS_REGION": template.region,
        "TABLE_NAME": TABLE_NAME,
        "SCHEMA_DIRECTORY": str(ROOT / "schema"),
        "JWT_SECRET_ARN": "",
        "EVENT_BUS": "",
    }
    here = dict(variables)
    for function in template.functions.values():
        for name, value in function.environment.items():
            if name not in here and variables.setdefault(name, value) != value:
                raise TemplateError(f"{name} differs between functions, which share one process here.")
    variables |= {name: process[name] for name in variables if process.get(name) and name not in _OF_AWS}
    return variables | {"JWT_SECRET": process.get("JWT_SECRET", "")}


def key_file(process: Mapping[str, str] = os.environ) -> Path | None:
    """Where the signing keys of this machine are kept; None where JWT_SECRET is the only one."""
    return None if process.get("JWT_SECRET") else Path(process.get("JWT_SECRET_FILE") or _KEPT / "signing-keys.json")


def kept_secret(process: Mapping[str, str], kept: Path = _KEPT) -> str:
    """JWT_SECRET; where it is not given, it is made once and kept in a file that only its owner can read."""
    return process.get("JWT_SECRET") or _kept_secret(kept / "jwt-secret")


def cut_off(process: MutableMapping[str, str]) -> None:
    """Takes from an environment every way to a real AWS account."""
    for name in _WAYS_TO_AN_ACCOUNT:
        process.pop(name, None)
    process.update(_CUT_OFF)


def lend_credentials(process: MutableMapping[str, str] = os.environ) -> None:
    """Gives an environment without credentials made-up ones, which emulators ask for and do not check."""
    if not any(process.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE")):
        process.update(_MADE_UP)


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        with NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:  # only its owner may read it
            file.write(secrets.token_urlsafe(48))
            file.flush()
            with suppress(FileExistsError):  # a gateway that starts at the same time may be first, and its key counts
                path.hardlink_to(file.name)
    return path.read_text(encoding="ascii").strip()
