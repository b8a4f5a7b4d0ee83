"""The cleanup by hand: the schedule's function gets the schedule's event, and its report or its failure is told."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.gateway.cleaning import CleanupFailed, cleaning
from local.gateway.intrinsics import TemplateError
from local.gateway.template import Template

HANDLER = """
def handler(event, context):
    if event["dryRun"]:
        return {"event": event, "seconds": round(context.get_remaining_time_in_millis() / 1000)}
    raise RuntimeError("something broke")
"""


@pytest.fixture
def template(template_path: Path) -> Iterator[Template]:
    """A template of which one function has a schedule, and a handler in its folder."""
    text = template_path.read_text(encoding="utf-8")
    nightly = "Nightly: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day)}}"
    scheduled = nightly.replace("day)", 'day), Input: \'{"dryRun": false, "more": 1}\'')
    template_path.write_text(text.replace(nightly, scheduled), encoding="utf-8")
    folder = template_path.parent / "source/cleaned"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "handler.py").write_text(HANDLER)
    template_path.write_text(template_path.read_text().replace("echo.handler.handler", "cleaned.handler.handler"))
    yield Template.load(template_path, {})
    for name in ("cleaned", "cleaned.handler"):
        sys.modules.pop(name, None)


def test_the_function_gets_the_schedules_event_and_what_is_asked_for(template: Template) -> None:
    with cleaning(template) as clean_up:
        told: Any = clean_up(True)

    assert told == {"event": {"dryRun": True, "more": 1}, "seconds": 2}


def test_a_run_that_breaks_is_told_and_logged(template: Template, caplog: pytest.LogCaptureFixture) -> None:
    with cleaning(template) as clean_up, pytest.raises(CleanupFailed):
        clean_up(False)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "something broke" in caplog.text


def test_a_template_without_a_schedule_is_refused(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8").replace("Type: ScheduleV2", "Type: Another")
    template_path.write_text(text, encoding="utf-8")

    with pytest.raises(TemplateError, match="needs one schedule"), cleaning(Template.load(template_path, {})):
        pass
