"""docs/security.md: it answers every requirement, and names tests, files and settings that there are."""

import ast
import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from gatehouse.settings import Settings
from tests.forgeries import FORGERIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text()
REQUIREMENTS = ROOT / "tests/data/asvs/requirements.csv"
ROOTS = (ROOT, ROOT / "layers/gatehouse/gatehouse")
"""What the page's paths begin at."""

VERDICTS = {"met", "not applicable", "deviation", "left"}
_REFERENCE = re.compile(r"`([\w./-]+\.(?:py|graphql|yaml|toml|md|txt|csv))(?:::(\w+))?`")
_SETTING = re.compile(r"^\| `([A-Z_]+)` \| ([^|]+) \|", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(#([\w-]+)\)")


@dataclass(frozen=True)
class Row:
    """What the page says of one requirement."""

    id: str
    level: str
    verdict: str
    shown_by: str


def _rows() -> list[Row]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines()]
    return [
        Row(cells[0], cells[1], cells[3], " ".join(cells[4:]))
        for cells in lines
        if re.fullmatch(r"\d+\.\d+\.\d+", cells[0])
    ]


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@cache
def _tests_of(file: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef))


def test_every_requirement_is_answered_once_at_its_level() -> None:
    with REQUIREMENTS.open() as file:
        asked = [(row["id"], row["level"]) for row in csv.DictReader(file)]

    assert len(asked) == 77
    assert [(row.id, row.level) for row in _rows()] == asked


def test_every_answer_has_a_verdict_and_what_is_met_is_shown() -> None:
    anchors = {_anchor(heading) for heading in _HEADING.findall(PAGE)}

    for row in _rows():
        links = _LINK.findall(row.shown_by)
        assert row.verdict in VERDICTS, row.id
        assert set(links) <= anchors, row.id
        assert links or "::" in row.shown_by or row.verdict != "met", row.id
        assert row.shown_by.strip(), row.id


def test_the_summary_counts_right() -> None:
    counted = Counter(row.verdict for row in _rows())
    told = re.search(r"^(\d+) met, (\d+) not applicable, (\d+) deviations?, (\d+) left\.$", PAGE, re.MULTILINE)

    assert told is not None
    assert [int(number) for number in told.groups()] == [
        counted[verdict] for verdict in ("met", "not applicable", "deviation", "left")
    ]


def test_every_file_and_every_test_that_is_named_exists() -> None:
    named = _REFERENCE.findall(PAGE)
    missing = []
    for path, test in named:
        file = next((root / path for root in ROOTS if (root / path).is_file()), None)
        if file is None or (test and test not in _tests_of(file)):
            missing.append(f"{path}::{test}" if test else path)

    assert missing == []
    assert sum(1 for _, test in named if test) > 60


def test_every_section_of_rfc_8725_is_there_and_is_forged_against() -> None:
    sections = re.findall(r"^\| (3\.\d+) \|", PAGE, re.MULTILINE)
    forged = {name.split()[2] for name in FORGERIES if name.startswith("RFC 8725 ")}

    assert sections == [f"3.{number}" for number in range(1, 13)]
    assert set(sections) - forged == {"3.4"}  # elliptic curves


@pytest.mark.parametrize(("name", "told"), _SETTING.findall(PAGE), ids=lambda value: value.partition(" ")[0])
def test_a_setting_has_the_default_that_is_told(name: str, told: str) -> None:
    settings = Settings.from_environment({"TABLE_NAME": "gatehouse"})

    assert told.partition(" ")[0] == str(getattr(settings, name.lower()))
