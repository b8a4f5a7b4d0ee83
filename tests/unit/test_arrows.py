"""Who may import what, and where keys and the environment may stand: architecture's arrows, walked."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "gatehouse"
FUNCTIONS = ROOT / "functions"
DOORS = sorted(folder.name for folder in FUNCTIONS.iterdir() if (folder / "__init__.py").is_file())

# Rooms of the domain: no module of theirs knows where it runs or what keeps its data.
DOMAIN_ROOMS = {
    *("accounts", "admission", "announcements", "audit", "cleanup", "configuration", "consumers", "credentials"),
    *("mail", "plans", "signing", "usage", "wall"),
}
DOMAIN_MODULES = {
    *(
        "access",
        "bootstrap",
        "changes",
        "clock",
        "counts",
        "cursors",
        "errors",
        "ids",
        "lately",
        "permissions",
        "persistence",
        "text",
        "tokens",
    ),
}
OTHER_MODULES = {"settings", "telemetry"}
WIRING = "wiring"
OUTER_ROOMS = {"storage", "outside"}

# Everything that is not the standard library or ours, and the only places where it may be imported.
THIRD_PARTY = {
    "bcrypt": ["gatehouse.accounts.passwords"],
    "jwt": ["gatehouse.tokens"],
    "segno": ["gatehouse.accounts.qr"],
    "pynamodb": ["gatehouse.storage"],
    "botocore": ["gatehouse.storage", "gatehouse.outside"],
    "aws_lambda_powertools": ["gatehouse.telemetry"],
    "ariadne": ["graphql_api"],
    "graphql": ["graphql_api"],
    "starlette": ["graphql_api"],
    "mangum": ["graphql_api"],
}


# A word of DynamoDB's expression language that stands for an attribute's name; no key looks like it.
_PLACEHOLDER = re.compile(r"(?<![\w}])#[a-z]+")


@dataclass(frozen=True)
class Module:
    """A module of what is deployed, with its syntax tree."""

    name: str
    path: Path

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.path)

    @property
    def imports(self) -> set[str]:
        """The full names of all modules (or names in modules) that it imports, wherever the statement stands."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} imports by a relative name"
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return found


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _modules() -> Iterator[Module]:
    for root, folders in ((LAYER, ["gatehouse"]), (FUNCTIONS, DOORS)):
        for folder in folders:
            for path in sorted((root / folder).rglob("*.py")):
                parts = path.relative_to(root).with_suffix("").parts
                yield Module(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path)


MODULES = list(_modules())
IDS = [module.name for module in MODULES]


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _room(name: str) -> str:
    """The room or the module directly under `gatehouse`; "" for what is no part of it."""
    parts = name.split(".")
    return parts[1] if parts[0] == "gatehouse" and len(parts) > 1 else ""


def _rooms_imported(module: Module) -> set[str]:
    return {room for name in module.imports if (room := _room(name))}


def test_every_module_is_in_a_room_that_is_known_here() -> None:
    rooms = {_room(module.name) for module in MODULES if _within(module.name, "gatehouse")} - {""}

    assert rooms == DOMAIN_ROOMS | DOMAIN_MODULES | OTHER_MODULES | OUTER_ROOMS | {WIRING}
    assert DOORS == ["authorizer", "cleanup", "graphql_api", "key_rotation", "mail", "oauth", "stream"]
    assert len(MODULES) > 40


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_third_party_packages_stay_in_their_rooms(module: Module) -> None:
    for name in module.imports:
        package = name.split(".")[0]
        if package in sys.stdlib_module_names or package in ("gatehouse", *DOORS):
            continue
        assert any(_within(module.name, place) for place in THIRD_PARTY.get(package, [])), f"{module.name}: {name}"


@pytest.mark.parametrize("package", THIRD_PARTY)
def test_what_may_be_imported_somewhere_is_imported_there(package: str) -> None:
    importers = {module.name for module in MODULES for name in module.imports if name.split(".")[0] == package}

    assert all(any(_within(name, place) for name in importers) for place in THIRD_PARTY[package])


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if _room(m.name) in DOMAIN_ROOMS | DOMAIN_MODULES],
    ids=lambda module: module.name,
)
def test_the_domain_imports_only_the_domain(module: Module) -> None:
    assert _rooms_imported(module) <= DOMAIN_ROOMS | DOMAIN_MODULES
    assert not any(_within(name, door) for name in module.imports for door in DOORS)


@pytest.mark.parametrize("module", [m for m in MODULES if m.name.endswith(".service")], ids=lambda module: module.name)
def test_no_use_case_reaches_for_another_rooms(module: Module) -> None:
    others = [name for name in module.imports if ".service" in name and not _within(name, module.name)]

    assert others == []


@pytest.mark.parametrize("module", [m for m in MODULES if _room(m.name) in OUTER_ROOMS], ids=lambda module: module.name)
def test_storage_and_outside_import_the_domain_and_the_settings_and_not_each_other(module: Module) -> None:
    own = _room(module.name)

    assert _rooms_imported(module) <= DOMAIN_ROOMS | DOMAIN_MODULES | {"settings", own}


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_only_wiring_reaches_for_storage_and_outside(module: Module) -> None:
    allowed = OUTER_ROOMS if _room(module.name) == WIRING else {_room(module.name)}

    assert _rooms_imported(module) & OUTER_ROOMS <= allowed


def test_settings_imports_no_room_and_telemetry_only_what_is_counted() -> None:
    rooms = {m.name: _rooms_imported(m) for m in MODULES if m.name in ("gatehouse.settings", "gatehouse.telemetry")}

    assert rooms == {"gatehouse.settings": set(), "gatehouse.telemetry": {"counts"}}


@pytest.mark.parametrize(
    "module", [m for m in MODULES if _room(m.name) not in ("", WIRING)], ids=lambda module: module.name
)
def test_only_doors_import_wiring_and_telemetry(module: Module) -> None:
    assert not _rooms_imported(module) & {WIRING, "telemetry"}


@pytest.mark.parametrize(
    "module", [m for m in MODULES if not _within(m.name, "gatehouse")], ids=lambda module: module.name
)
def test_a_door_imports_no_other_door(module: Module) -> None:
    others = [door for door in DOORS if not _within(module.name, door)]

    assert not [name for name in module.imports for door in others if _within(name, door)]


def test_nobody_of_what_is_deployed_imports_what_is_not() -> None:
    assert not [
        (module.name, name)
        for module in MODULES
        for name in module.imports
        if name.split(".")[0] in ("local", "tests", "benchmarks")
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "local").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_runs_on_ones_own_machine_goes_through_wiring_too(path: Path) -> None:
    local = Module(".".join(path.relative_to(ROOT).with_suffix("").parts), path)

    assert not _rooms_imported(local) & OUTER_ROOMS


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_only_settings_reads_the_environment(module: Module) -> None:
    reads = {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "getenvb")
    } | {name for name in module.imports if name.startswith("os.") and "env" in name}

    assert not reads or module.name == "gatehouse.settings"


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_keys_of_the_table_stand_in_one_file(module: Module) -> None:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    with_a_hash = [
        node.value
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and "#" in _PLACEHOLDER.sub("", node.value)
        and id(node) not in docstrings
        and not _is_a_pattern(module, node)
    ]

    assert not with_a_hash or module.name == "gatehouse.storage.keys"


def _is_a_pattern(module: Module, constant: ast.Constant) -> bool:
    """Whether the text is part of a regular expression, where a hash is a character like any other."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "compile"
        and constant in list(ast.walk(node))
        for node in ast.walk(module.tree)
    )


@pytest.mark.parametrize("module", MODULES, ids=IDS)
def test_nothing_happens_at_import_but_definitions(module: Module) -> None:
    if module.name.endswith(".handler"):
        return  # what a cold start must pay once is called there, by name
    calls = [
        ast.unparse(statement)
        for statement in module.tree.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    ]

    assert calls == []
