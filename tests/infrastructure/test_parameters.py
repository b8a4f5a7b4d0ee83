"""Parameters and settings are the same thing: what may be deployed is what the functions take."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from gatehouse.settings import Settings
from local.gateway.template import Template
from tests.infrastructure.conftest import ROOT, Document

NOT_OF_A_DEPLOYMENT = {"DYNAMODB_ENDPOINT", "JWT_SECRET"}
READ_ELSEWHERE = {"LOG_LEVEL", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_SERVICE_NAME"}
OF_THE_STREAM_ALONE = {"EVENT_BUS", "GATEWAY_TIERS", "MAIL_QUEUE_URL"}
ENVIRONMENTS = tomllib.loads((ROOT / "samconfig.toml").read_text())


def _variables(parameters: dict[str, str]) -> dict[str, str]:
    """What the functions find in their environment with these parameters."""
    template = Template.load(ROOT / "template.yaml", parameters)
    return dict(template.functions["GraphqlApiFunction"].environment)


def _overrides(environment: str) -> dict[str, str]:
    pairs = ENVIRONMENTS[environment]["deploy"]["parameters"]["parameter_overrides"]
    given = dict(pair.split("=", 1) for pair in pairs)
    return {name: value.strip("'") for name, value in given.items()}  # quotes hold a value with commas together


def _numbers(source: Document) -> list[tuple[str, int, int]]:
    return [
        (name, given["MinValue"], given["MaxValue"])
        for name, given in source["Parameters"].items()
        if given["Type"] == "Number" and "MinValue" in given
    ]


def test_every_setting_is_given_to_every_function(source: Document) -> None:
    declared = set(source["Globals"]["Function"]["Environment"]["Variables"])
    settings = {name.upper() for name in Settings.__dataclass_fields__}

    assert declared - READ_ELSEWHERE == settings - {"REGION"} - OF_THE_STREAM_ALONE


def test_a_setting_comes_from_the_parameter_of_its_name(source: Document) -> None:
    for name, value in source["Globals"]["Function"]["Environment"]["Variables"].items():
        parameter = "".join(map(str.capitalize, name.split("_")))
        if parameter in source["Parameters"]:
            assert value == {"Ref": parameter}

    resources = {"TABLE_NAME", "JWT_SECRET_ARN", "SCHEMA_DIRECTORY", "GATEWAY_KEY_SEED"}
    named = {re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper() for parameter in source["Parameters"]}
    variables = set(source["Globals"]["Function"]["Environment"]["Variables"])
    assert variables - named == resources | NOT_OF_A_DEPLOYMENT | READ_ELSEWHERE - {"LOG_LEVEL"}


def test_template_and_functions_agree_on_every_default() -> None:
    by_template = Settings.from_environment(_variables({}))
    by_functions = Settings.from_environment({"TABLE_NAME": by_template.table_name})

    assert replace(by_template, jwt_secret_arn=None) == by_functions


def test_whatever_number_may_be_deployed_the_functions_take(source: Document) -> None:
    for name, lowest, highest in _numbers(source):
        for value in (lowest, highest):
            variable = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
            Settings.from_environment(_variables({}) | {variable: str(value)})


@pytest.mark.parametrize("environment", ["default", "staging", "prod"])
def test_every_environment_is_deployed_with_what_template_and_functions_take(
    environment: str, source: Document
) -> None:
    given = _overrides(environment)

    assert given.keys() <= source["Parameters"].keys()
    for name, value in given.items():
        assert value in map(str, source["Parameters"][name].get("AllowedValues", [value])), name
    Settings.from_environment(_variables(given))


def test_production_is_stricter_than_the_defaults() -> None:
    given = _overrides("prod")

    assert given["Stage"] == "prod"
    assert given["DeletionProtection"] == "true"
    assert given["Introspection"] == "false"
    assert given["AllowChosenSecrets"] == "false"
    assert given["AccessTokenTtl"] == "3600"


@pytest.mark.parametrize("environment", ["default", "staging", "prod"])
def test_plain_build_and_deploy_ask_nothing(environment: str) -> None:
    given = ENVIRONMENTS[environment]
    deploy = given["deploy"]["parameters"]

    assert given["global"]["parameters"].keys() == {"stack_name", "region"}
    assert deploy["resolve_s3"] is True
    assert deploy["confirm_changeset"] is False
    assert deploy["capabilities"] == "CAPABILITY_IAM"


def _pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", path.read_text(), re.MULTILINE))


def test_what_ships_is_what_is_tested() -> None:
    shipped = _pins(ROOT / "layers/dependencies/requirements.txt")
    local, dev = (_pins(ROOT / "requirements" / name) for name in ("local.txt", "dev.txt"))

    assert shipped.items() <= local.items() <= dev.items()


def test_no_lock_file_says_where_packages_come_from() -> None:
    locks = [
        ROOT / "layers/dependencies/requirements.txt",
        *(ROOT / "requirements").glob("*.txt"),
        ROOT / "requirements/node/package-lock.json",
    ]

    assert [path.name for path in locks if "://" in path.read_text()] == []
