"""`gatehouse …`: the operator's command line, on a deployment or on this machine."""

from typing import Annotated

import typer

from gatehouse import wiring
from gatehouse.accounts.one_use import OneUse, OneUseToken
from gatehouse.bootstrap import Bootstrap
from gatehouse.clock import SystemClock
from gatehouse.mail.letters import link
from gatehouse.mail.model import MailKind
from gatehouse.settings import InvalidSetting
from gatehouse.signing.command import KeysByCommand
from gatehouse.signing.keys import KEPT_FOR, SETTLES_FOR, SigningKeys
from gatehouse.wall.reconciliation import Orphan, Repair
from gatehouse.wall.service import Outcome
from local.audit_command import audit
from local.deployment import (
    Endpoint,
    Region,
    Table,
    TableOfStack,
    region_of,
    settings_of,
    settings_of_stack,
    told_failures,
)
from local.gateway.environment import key_file
from local.key_file import KeyFile

main = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
_admin = typer.Typer(no_args_is_help=True, help="ADMINs, from outside the API.")
main.add_typer(_admin, name="admin")
_keys = typer.Typer(no_args_is_help=True, help="API Gateway's keys, which stand before the exact limits.")
main.add_typer(_keys, name="keys")

_signing_keys = typer.Typer(no_args_is_help=True, help="The keys that sign tokens, of a stack or of this machine.")
main.add_typer(_signing_keys, name="signing-keys")
main.add_typer(audit, name="audit")

_PrintLink = Annotated[bool, typer.Option("--print-link", help="Print the link, and do not mail it.")]
_Stack = Annotated[str | None, typer.Option(help="The CloudFormation stack; without it, `make run` on this machine.")]
_OF_KEYS = {"TABLE_NAME": "TableName", "GATEWAY_TIERS": "GatewayTiers", "GATEWAY_KEY_SEED": "GatewayKeySeed"}
_MINUTE = "%Y-%m-%d %H:%M UTC"
_REPAIRED = {
    Outcome.GIVEN: "the key is right again.",
    Outcome.TAKEN_BACK: "the key is taken back.",
    Outcome.NO_ROOM: "no key, for the account has as many as API Gateway allows; the shared one serves.",
}


@main.callback()
def _gatehouse() -> None:
    """Looks after a Gatehouse deployment."""


@_admin.command("create")
def create(
    *,
    email: Annotated[str, typer.Option(help="The ADMIN's email address.")],
    username: Annotated[str, typer.Option(help="The ADMIN's username.")] = "admin",
    table: Table = None,
    stack: TableOfStack = None,
    endpoint: Endpoint = None,
    region: Region = None,
    ask_password: Annotated[
        bool, typer.Option("--ask-password", help="Ask for a password; else a link sets one, once.")
    ] = False,
    print_link: _PrintLink = False,
) -> None:
    """Makes the first ADMIN of a deployment, and mails a link that sets the password, or without mail prints it.

    May be repeated until a password is set.
    """
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    with told_failures():
        bootstrap, begun = wiring.build_bootstrap(settings_of(table, stack, endpoint, region), SystemClock()), None
        if password is None:
            begun = bootstrap.invite_first_admin(email, username)
        else:
            bootstrap.create_first_admin(email, username, password)
    typer.echo(f"{email} is the first ADMIN.")
    if begun is not None:
        _hand_over(bootstrap, MailKind.FIRST_ADMIN, email, begun, print_link=print_link)


@_admin.command("reset")
def reset(
    *,
    email: Annotated[str, typer.Option(help="The ADMIN's email address.")],
    table: Table = None,
    stack: TableOfStack = None,
    endpoint: Endpoint = None,
    region: Region = None,
    print_link: _PrintLink = False,
) -> None:
    """Mails an ADMIN a link that sets a new password, or without mail prints it: also to one who is locked out."""
    with told_failures():
        bootstrap = wiring.build_bootstrap(settings_of(table, stack, endpoint, region), SystemClock())
        begun = bootstrap.invite_back(email)
    _hand_over(bootstrap, MailKind.PASSWORD_RESET, email, begun, print_link=print_link)


def _hand_over(
    bootstrap: Bootstrap, kind: MailKind, email: str, begun: tuple[OneUseToken, OneUse], *, print_link: bool
) -> None:
    """Mails the link, or prints it."""
    with told_failures():
        is_mailed = not print_link and bootstrap.mail(kind, email, *begun)
    if is_mailed:
        typer.echo("A link that sets the password is on its way there.")
        return
    token = begun[0]
    typer.echo(f"To set the password, once and within 24 hours, open {link(bootstrap.app_url, token)}")
    typer.echo(f'or send: mutation {{ resetPassword(token: "{token.text()}", newPassword: "…") }}')


@_keys.command("reconcile")
def reconcile(
    *,
    stack: Annotated[str, typer.Option(help="The CloudFormation stack whose keys they are.")],
    region: Annotated[str | None, typer.Option(envvar="AWS_REGION", help="The AWS Region.")] = None,
    delete_orphans: Annotated[
        bool, typer.Option("--delete-orphans", help="Delete keys that nobody is to have.")
    ] = False,
) -> None:
    """Puts keys right that have drifted from the table, and lists those that nobody is to have."""
    agrees = True
    with told_failures():
        settings = settings_of_stack(stack, region_of(region), _OF_KEYS)
        for finding in wiring.build_reconciliation(settings, SystemClock()).run(delete_orphans=delete_orphans):
            agrees = False
            typer.echo(_told(finding))
    if agrees:
        typer.echo("All keys agree with the table.")


@_signing_keys.command("list")
def list_keys(*, stack: _Stack = None, region: Region = None) -> None:
    """Lists the keys by their ids, and what each is good for."""
    with told_failures():
        if stack is None and key_file() is None:
            typer.echo("JWT_SECRET is the only key, and signs.")
            return
        _tell(_keys_by_command(stack, region).show())


@_signing_keys.command("rotate")
def rotate_keys(*, stack: _Stack = None, region: Region = None) -> None:
    """Makes a new key, which signs in two minutes; tokens of the older ones stay good."""
    with told_failures():
        _tell(_keys_by_command(stack, region).rotate())


@_signing_keys.command("retire")
def retire_key(
    key_id: Annotated[str, typer.Argument(metavar="KID", help="The id of the key.")],
    *,
    stack: _Stack = None,
    region: Region = None,
) -> None:
    """Ends a key and all its tokens within 30 seconds; if it is the current one, a new one signs from now on."""
    with told_failures():
        _tell(_keys_by_command(stack, region).retire(key_id))


def _tell(keys: SigningKeys) -> None:
    now = SystemClock().now()
    signer = keys.signer(now)
    for key_id in keys.keys:
        words = ["signs" if key_id == signer else "verifies"]
        if key_id == keys.current != signer:
            words.append(f"signs from {keys.since[key_id] + SETTLES_FOR:{_MINUTE}}")
        if key_id in keys.stopped:
            words.append(f"ends {keys.stopped[key_id] + KEPT_FOR:{_MINUTE}}")
        typer.echo(f"{key_id}: {', '.join(words)}")


def _keys_by_command(stack: str | None, region: str | None) -> KeysByCommand:
    clock = SystemClock()
    if stack is not None:
        made = {"TABLE_NAME": "TableName", "JWT_SECRET_ARN": "JwtSecretArn"}
        return wiring.build_keys_by_command(settings_of_stack(stack, region_of(region), made), clock)
    if (path := key_file()) is None:
        raise InvalidSetting("JWT_SECRET is the only key, and only who sets it can change it.")
    return KeysByCommand(KeyFile(path), clock)


def _told(finding: Repair | Orphan) -> str:
    match finding:
        case Repair(consumer_id, outcome):
            return f"{consumer_id}: {_REPAIRED.get(outcome, 'nothing was to be done.')}"
        case Orphan(name, is_deleted):
            return f"Orphan {name}: {'deleted.' if is_deleted else 'left; --delete-orphans deletes it.'}"
