"""`gatehouse audit …`: the chain of the audit, verified from outside the API, and mended where the stream gave up."""

from datetime import UTC, datetime
from itertools import batched
from pathlib import Path
from typing import Annotated

import typer

from gatehouse import wiring
from gatehouse.audit.chain import AT_ONCE
from gatehouse.audit.findings import Finding
from gatehouse.audit.late import Late
from gatehouse.audit.noted import line_of, positions
from gatehouse.clock import SystemClock
from gatehouse.settings import InvalidSetting
from local.deployment import Endpoint, Region, Table, TableOfStack, settings_of, told_failures

audit = typer.Typer(no_args_is_help=True, help="The audit, whose events are sealed in a chain.")


@audit.command("verify")
def verify(
    *,
    since: Annotated[str | None, typer.Option("--from", help="Sealed at this moment or later, in ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Sealed at this moment or earlier.")] = None,
    known: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file of positions that were noted before.")
    ] = None,
    table: Table = None,
    stack: TableOfStack = None,
    endpoint: Endpoint = None,
    region: Region = None,
) -> None:
    """Tells whether anything that was sealed was changed, dropped, swapped or inserted since, and where.

    Ends with 1 where something was. Else its last line is a position, to be noted outside the table for --known.
    """
    with told_failures():
        inspection = wiring.build_inspection(settings_of(table, stack, endpoint, region), SystemClock())
        noted = list(positions(known.read_text(errors="replace"))) if known else []
        found = waiting = 0
        for verdict in inspection.all(_moment(since, "--from"), _moment(until, "--to"), noted):
            found += len(verdict.findings)
            waiting += verdict.waiting
            for finding in verdict.findings:
                typer.echo(_what_was_done(finding))
        last = inspection.position(verdict)
    if waiting:
        typer.echo(f"Waiting for a seal: {waiting}.")
    if found:
        typer.echo(f"Findings: {found}.", err=True)
        raise typer.Exit(1)
    typer.echo("Everything is as it was sealed.")
    if last is not None:
        typer.echo(line_of(last))


@audit.command("seal")
def seal(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Seal them; else they are only listed.")] = False,
    table: Table = None,
    stack: TableOfStack = None,
    endpoint: Endpoint = None,
    region: Region = None,
) -> None:
    """Lists the events of more than five minutes ago that have no seal, and with --yes seals them.

    Each is a line: id, time, action, subject and correlation id. Find out first that nobody inserted them.
    """
    to_seal = sealed = 0
    with told_failures():
        sealing = wiring.build_late_sealing(settings_of(table, stack, endpoint, region), SystemClock())
        for some in batched(sealing.waiting(), AT_ONCE, strict=False):
            for late in some:
                typer.echo(_what_waits(late))
            to_seal += sum(late.may_be_sealed for late in some)
            sealed += sealing.seal(some) if yes else 0
    if yes:
        typer.echo(f"Sealed: {sealed}.")
    else:
        typer.echo(f"Without a seal: {to_seal}." + (" --yes seals what is listed." if to_seal else ""))


def _what_waits(late: Late) -> str:
    """A line for what has no mark of a seal; what is left as it is begins with that word."""
    if late.event is None:
        return f"Left, for it cannot be read: {_plain(late.event_id)}"
    if late.number is not None:
        return f"Left, for seal {late.number} names it: {_plain(late.event_id)}"
    event = late.event
    at = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = [event.id, at, event.action.value, event.subject_id, event.correlation_id]
    return " ".join("-" if text is None else _plain(text) for text in told)


def _plain(text: str) -> str:
    """The text as it may reach a terminal, whoever wrote it."""
    return ascii(text).strip("'")


def _what_was_done(finding: Finding) -> str:
    """A line such as `EVENT DROPPED: 0192…, seal 7`; what a forger wrote does not reach the terminal as it is."""
    places = [] if finding.event_id is None else [_plain(finding.event_id)]
    places += [] if finding.number is None else [f"seal {finding.number}"]
    places += [] if finding.other is None else [f"seal {finding.other}"]
    return f"{finding.part} {finding.tampering}: {', '.join(places) or 'all of it'}"


def _moment(text: str | None, option: str) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidSetting(f"{option} is no moment such as 2026-01-31T12:00:00Z.") from error
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)
