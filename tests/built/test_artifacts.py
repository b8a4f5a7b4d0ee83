"""What `make build` has left in .aws-sam: small, complete, and the same whoever builds it and whenever."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.gateway.environment import ROOT

BUILT = ROOT / ".aws-sam/build"
SOURCES = {
    "DependenciesLayer": ROOT / "layers/dependencies",
    "GatehouseLayer": ROOT / "layers/gatehouse",
    "GraphqlApiFunction": ROOT / "functions",
    "AuthorizerFunction": ROOT / "functions",
    "OAuthFunction": ROOT / "functions",
    "StreamFunction": ROOT / "functions",
    "MailFunction": ROOT / "functions",
    "CleanupFunction": ROOT / "functions",
    "KeyRotationFunction": ROOT / "functions",
}
MEGABYTE = 1_000_000
COLD_START = """
import sys, sysconfig
sys.path = [*sys.argv[1:], *(path for path in sys.path if "site-packages" not in path)]
import ariadne.asgi, bcrypt, botocore.session, jwt, mangum, pynamodb.models
from aws_lambda_powertools import Logger, Metrics
session = botocore.session.get_session()
for service in ("apigateway", "dynamodb", "secretsmanager"):
    client = session.create_client(service, "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    print(client.meta.endpoint_url)
assert bcrypt.checkpw(b"word", bcrypt.hashpw(b"word", bcrypt.gensalt(4)))
assert "cryptography" not in sys.modules
"""


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _zipped(folder: Path, archive: Path) -> int:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in folder.rglob("*"):
            zipped.write(path, path.relative_to(folder))
    return archive.stat().st_size


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("DependenciesLayer", 5 * MEGABYTE),
        ("GatehouseLayer", 1.25 * MEGABYTE),
        ("GraphqlApiFunction", MEGABYTE),
        ("AuthorizerFunction", MEGABYTE),
        ("OAuthFunction", MEGABYTE),
        ("StreamFunction", MEGABYTE),
        ("MailFunction", MEGABYTE),
        ("CleanupFunction", MEGABYTE),
        ("KeyRotationFunction", MEGABYTE),
    ],
)
def test_an_artifact_is_small(name: str, most: int, tmp_path: Path) -> None:
    assert _zipped(BUILT / name, tmp_path / "artifact.zip") <= most


@pytest.mark.parametrize("name", SOURCES)
def test_building_again_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    subprocess.run(
        ["make", "--silent", "--makefile", SOURCES[name] / "Makefile", f"build-{name}"],
        cwd=tmp_path,
        env={**os.environ, "ARTIFACTS_DIR": str(tmp_path), "PYTHON": sys.executable},
        check=True,
    )

    assert _files(tmp_path) == _files(BUILT / name)


@pytest.mark.parametrize("name", SOURCES)
def test_no_module_is_left_to_be_compiled_in_a_cold_start(name: str) -> None:
    folder = BUILT / name
    sources = list(folder.rglob("*.py"))

    assert [path for path in sources if not Path(importlib.util.cache_from_source(path)).is_file()] == []
    assert sources or list(folder.rglob("*.pyc"))


def test_a_native_module_is_there_for_both_processors() -> None:
    modules = {path.name for path in BUILT.rglob("*.so")}

    assert modules == {f"_bcrypt.cpython-313-{processor}-linux-gnu.so" for processor in ("aarch64", "x86_64")}


def test_the_layer_holds_no_library_that_is_left_out_on_purpose() -> None:
    libraries = {path.name for path in (BUILT / "DependenciesLayer/python").iterdir()}

    assert libraries & {"boto3", "cryptography", "cffi", "pydantic", "bin"} == set()


def test_a_function_is_alone_in_its_artifact() -> None:
    assert [path.name for path in (BUILT / "GraphqlApiFunction").iterdir()] == ["graphql_api"]
    assert [path.name for path in (BUILT / "AuthorizerFunction").iterdir()] == ["authorizer"]
    assert [path.name for path in (BUILT / "OAuthFunction").iterdir()] == ["oauth"]
    assert [path.name for path in (BUILT / "StreamFunction").iterdir()] == ["stream"]
    assert [path.name for path in (BUILT / "MailFunction").iterdir()] == ["mail"]
    assert [path.name for path in (BUILT / "KeyRotationFunction").iterdir()] == ["key_rotation"]


@pytest.mark.skipif(sys.platform != "linux", reason="the layer is for Linux")
def test_the_layer_is_enough_to_import_and_to_reach_aws() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", COLD_START, BUILT / "DependenciesLayer/python"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.split() == [
        "https://apigateway.eu-central-1.amazonaws.com",
        "https://dynamodb.eu-central-1.amazonaws.com",
        "https://secretsmanager.eu-central-1.amazonaws.com",
    ]
