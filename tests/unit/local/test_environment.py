"""What the functions find in their environment on this machine."""

from pathlib import Path

import pytest

from local.gateway.environment import (
    ROOT,
    Choices,
    StartError,
    choices,
    cut_off,
    function_variables,
    kept_secret,
    key_file,
    lend_credentials,
    load_example,
    load_template,
)
from local.gateway.intrinsics import TemplateError
from local.gateway.template import Template

SECRET = "a secret of thirty-two bytes or more"


def test_without_a_word_the_gateway_is_on_3000_with_a_store_of_its_own() -> None:
    assert choices({}) == Choices(3000, None, "admin@example.com", None)


def test_what_a_person_chooses_counts() -> None:
    given = {"PORT": "0", "DYNAMODB_ENDPOINT": "http://x", "ADMIN_EMAIL": "me@example.com", "ADMIN_PASSWORD": "p"}
    assert choices(given) == Choices(0, "http://x", "me@example.com", "p")
    assert choices(dict.fromkeys(given, "")) == choices({})


@pytest.mark.parametrize("port", ["-1", "65536", "http", "3e3", "\N{SUPERSCRIPT TWO}"])
def test_a_port_that_is_none_is_refused_by_name(port: str) -> None:
    with pytest.raises(StartError, match="PORT must be a number from 0 to 65535"):
        choices({"PORT": port})


def test_parameters_are_set_by_their_name_in_the_environment(template_path: Path) -> None:
    given = {"ALLOWED_ORIGINS": "https://a.example", "STAGE": "", "AWS_REGION": "eu-west-1", "PATH": "/bin"}
    template = load_template(given, template_path)
    assert "Access-Control-Allow-Origin" in dict(template.api.gateway_responses["UNAUTHORIZED"].headers)
    assert (template.api.stage, template.region) == ("dev", "eu-west-1")


def test_functions_get_the_templates_variables_and_what_differs_here(template: Template) -> None:
    assert function_variables(template, {"JWT_SECRET": SECRET, "OTHER": "x"}) == {
        "STAGE": "dev",
        "OWN": "1",
        "TABLE_NAME": "gatehouse",
        "AWS_REGION": "us-east-1",
        "SCHEMA_DIRECTORY": str(ROOT / "schema"),
        "JWT_SECRET": SECRET,
        "JWT_SECRET_ARN": "",
        "EVENT_BUS": "",
    }


def test_the_environment_goes_before_the_template_but_for_the_secret_and_the_event_bus_of_aws(
    template: Template,
) -> None:
    of_aws = {"JWT_SECRET_ARN": "arn:aws:secretsmanager:x", "EVENT_BUS": "gatehouse-events"}
    variables = function_variables(template, {"OWN": "2", "TABLE_NAME": "mine", "JWT_SECRET": SECRET, **of_aws})
    assert [variables[name] for name in ("OWN", "TABLE_NAME", *of_aws)] == ["2", "mine", "", ""]


def test_functions_that_contradict_cannot_share_a_process(template_path: Path) -> None:
    text = template_path.read_text(encoding="utf-8")
    template_path.write_text(text.replace("Variables: {OWN", "Variables: {STAGE: other, OWN"), encoding="utf-8")
    with pytest.raises(TemplateError, match="STAGE differs between functions"):
        function_variables(Template.load(template_path, {}), {})


def test_a_signing_key_for_containers_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first, second = (kept_secret({}, kept) for _ in range(2))
    assert first == second == (kept / "jwt-secret").read_text(encoding="ascii")
    assert len(first) >= 32
    assert [path.stat().st_mode & 0o777 for path in (kept, kept / "jwt-secret")] == [0o700, 0o600]
    assert kept_secret({"JWT_SECRET": SECRET}, kept) == SECRET


def test_signing_keys_are_kept_in_a_file_unless_there_is_but_one() -> None:
    assert key_file({}) == key_file({"JWT_SECRET": "", "JWT_SECRET_FILE": ""}) == ROOT / ".local/signing-keys.json"
    assert key_file({"JWT_SECRET_FILE": "/else/where.json"}) == Path("/else/where.json")
    assert key_file({"JWT_SECRET": SECRET, "JWT_SECRET_FILE": "/else/where.json"}) is None


def test_a_process_that_is_cut_off_has_no_way_to_an_account() -> None:
    process = {"AWS_PROFILE": "prod", "AWS_SESSION_TOKEN": "t", "AWS_ACCESS_KEY_ID": "real", "PATH": "/bin"}
    cut_off(process)
    assert process == {
        "PATH": "/bin",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    }


@pytest.mark.parametrize("own", [{"AWS_ACCESS_KEY_ID": "mine"}, {"AWS_PROFILE": "mine"}])
def test_credentials_are_lent_to_who_has_none(own: dict[str, str]) -> None:
    process: dict[str, str] = {}
    lend_credentials(process)
    assert process == {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    kept = dict(own)
    lend_credentials(kept)
    assert kept == own


def test_the_example_asks_gatehouses_authorizer() -> None:
    routes = load_example(load_template({})).api.routes
    assert {(method, path): route.authorizer for (method, path), route in routes.items()} == {
        ("GET", "/orders"): "AuthorizerFunction",
        ("POST", "/orders"): "AuthorizerFunction",
    }
