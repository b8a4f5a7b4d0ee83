"""Makes the dependency layer: `python3.13 build.py FOLDER` leaves the libraries in FOLDER/python.

One layer serves both of Lambda's processors, because Python finds a native module by the tag in its file name: the
libraries are installed once for each, and their native modules named after it. All else is the same for both, which is
checked. What no function needs, and whatever differs from one build to the next, is left out.
"""

import compileall
import filecmp
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PROCESSORS = ("aarch64", "x86_64")
SERVICES = frozenset(
    {"apigateway", "dynamodb", "secretsmanager", "sesv2", "sqs"}
)  # botocore describes all of AWS, and these are what the functions call
MODELS = ("service-2.*", "endpoint-rule-set-1.*")
UNUSED = (
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/utilities/auth_alpha",
    "aws_lambda_powertools/utilities/kafka",
    "aws_lambda_powertools/utilities/parser",
    "bin",
)
ABOUT = (
    "METADATA",
    "LICEN?E*",
    "NOTICE*",
    "licenses",
)  # of pip's records: a library's name, its version and its licence


def main() -> None:
    if sys.version_info[:2] != (3, 13):
        sys.exit(f"The layer is for Python 3.13, and this is {sys.version.split()[0]}.")
    target = Path(sys.argv[1]).resolve() / "python"
    with tempfile.TemporaryDirectory() as temporary:
        first, *others = (install(processor, Path(temporary, processor)) for processor in PROCESSORS)
        shutil.copytree(first, target, dirs_exist_ok=True)
        for other in others:
            add(other, target)
    compile_in_place(target)


def install(processor: str, target: Path) -> Path:
    """The libraries for one processor, without what no function needs."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    what = ["--require-hashes", "--requirement", str(REQUIREMENTS), "--target", str(target)]
    machine = ["--platform", f"manylinux2014_{processor}", "--implementation", "cp", "--python-version", "3.13"]
    subprocess.run([*pip, *what, *machine, "--only-binary=:all:"], check=True)
    for path in unneeded(target):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    slim(target / "botocore" / "data")
    for module in list(target.rglob("*.so")):
        module.rename(module.with_name(f"{module.name.partition('.')[0]}.cpython-313-{processor}-linux-gnu.so"))
    return target


def unneeded(target: Path) -> Iterator[Path]:
    """What the functions do without: parts of libraries, records of the installation, services they do not call."""
    yield from map(target.joinpath, UNUSED)
    yield from (path for path in target.glob("*.dist-info/*") if not any(map(path.match, ABOUT)))
    for service in (path for path in target.glob("botocore/data/*") if path.is_dir()):
        if service.name not in SERVICES:
            yield service
        else:
            yield from (path for path in service.glob("*/*") if not any(map(path.match, MODELS)))


def slim(data: Path) -> None:
    """Leaves of botocore's descriptions what a client reads: a cold start parses all of it, most of which is prose."""
    for model in data.glob("*/*/service-2.json.gz"):
        described = json.loads(gzip.decompress(model.read_bytes()))
        model.write_bytes(gzip.compress(json.dumps(without_prose(described)).encode(), mtime=0))
    endpoints = data / "endpoints.json"
    known = json.loads(endpoints.read_bytes())
    for partition in known["partitions"]:
        partition["services"] = {name: at for name, at in partition["services"].items() if name in SERVICES}
    endpoints.write_text(json.dumps(known))


def without_prose(described: Any) -> Any:
    """A description without its texts for people."""
    if isinstance(described, list):
        return [without_prose(part) for part in described]
    if not isinstance(described, dict):
        return described
    return {name: without_prose(part) for name, part in described.items() if not is_prose(name, part)}


def is_prose(name: str, part: Any) -> bool:
    """Whether it is a text for people; a shape may have a member of that name, which is no text."""
    return name == "documentation" and isinstance(part, str)


def add(source: Path, target: Path) -> None:
    """Puts one processor's native modules beside the other's; raises ValueError where anything else differs."""
    for path in (path for path in source.rglob("*") if path.is_file()):
        beside = target / path.relative_to(source)
        if path.suffix == ".so":
            shutil.copy2(path, beside)
        elif not (beside.is_file() and filecmp.cmp(path, beside, shallow=False)):
            raise ValueError(f"{path.relative_to(source)} is not the same for both processors.")


def compile_in_place(target: Path) -> None:
    """Leaves each module as bytecode only, which is half the size; tracebacks still name the file and the line."""
    done = compileall.compile_dir(
        target,
        quiet=1,
        legacy=True,
        stripdir=str(target.parent),
        prependdir="/opt",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not done:
        sys.exit("A library did not compile.")
    for source in list(target.rglob("*.py")):
        source.unlink()


if __name__ == "__main__":
    main()
