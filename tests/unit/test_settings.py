"""Each setting: its default, its range, and an error that names it and quotes no secret."""

import os
from dataclasses import fields
from pathlib import Path

import pytest

from gatehouse.settings import InvalidSetting, Settings

TABLE = {"TABLE_NAME": "gatehouse"}
DEFAULTS = Settings(
    table_name="gatehouse",
    region="us-east-1",
    dynamodb_endpoint=None,
    jwt_secret=None,
    jwt_secret_arn=None,
    jwt_issuer="gatehouse",
    access_token_ttl=86_400,
    refresh_token_ttl=2_592_000,
    session_idle_ttl=1_209_600,
    bcrypt_rounds=10,
    password_min_length=8,
    password_classes=frozenset({"lower", "upper", "digit", "symbol"}),
    password_reminder_days=0,
    registration_mode="OPEN",
    allowed_email_domains=frozenset(),
    require_verified_email=False,
    self_service_credentials=True,
    allow_chosen_secrets=True,
    throttle_ttl=60,
    throttle_limit=10,
    throttle_limit_moderator=100,
    throttle_limit_admin=1_000,
    throttle_limit_anonymous=30,
    audit_retention_days=365,
    cleanup_notice_days=0,
    cleanup_warn_days=76,
    cleanup_deactivate_days=90,
    cleanup_anonymise_days=0,
    cleanup_warn_days_moderator=76,
    cleanup_deactivate_days_moderator=90,
    cleanup_anonymise_days_moderator=0,
    trusted_proxies=0,
    guess_limit=5,
    guess_limit_account=100,
    guess_limit_address=50,
    guess_seconds=900,
    two_factor_issuer="Gatehouse",
    two_factor_roles=frozenset(),
    gateway_key_seed="0" * 32,
    gateway_tiers={},
    app_url="http://localhost:3000",
    mail_from=None,
    mail_queue_url="",
    event_bus=None,
    ses_configuration_set=None,
    allowed_origins=(),
    introspection=True,
    schema_directory=Path("/opt"),
    max_body_bytes=65_536,
    max_query_tokens=2_000,
    max_query_depth=12,
    max_query_aliases=30,
    max_query_directives=20,
    max_query_cost=1_000,
)
# setting: lowest, highest
NUMBERS = {
    "ACCESS_TOKEN_TTL": (60, 604_800),
    "REFRESH_TOKEN_TTL": (300, 31_536_000),
    "SESSION_IDLE_TTL": (7_200, 31_536_000),
    "BCRYPT_ROUNDS": (4, 15),
    "PASSWORD_MIN_LENGTH": (8, 64),
    "PASSWORD_REMINDER_DAYS": (0, 3_650),
    "THROTTLE_TTL": (1, 86_400),
    "THROTTLE_LIMIT": (1, 1_000_000),
    "THROTTLE_LIMIT_MODERATOR": (1, 1_000_000),
    "THROTTLE_LIMIT_ADMIN": (1, 1_000_000),
    "THROTTLE_LIMIT_ANONYMOUS": (1, 1_000_000),
    "AUDIT_RETENTION_DAYS": (30, 3_650),
    "CLEANUP_NOTICE_DAYS": (0, 365),
    "CLEANUP_WARN_DAYS": (2, 3_650),
    "CLEANUP_DEACTIVATE_DAYS": (0, 3_650),
    "CLEANUP_ANONYMISE_DAYS": (0, 3_650),
    "CLEANUP_WARN_DAYS_MODERATOR": (2, 3_650),
    "CLEANUP_DEACTIVATE_DAYS_MODERATOR": (0, 3_650),
    "CLEANUP_ANONYMISE_DAYS_MODERATOR": (0, 3_650),
    "TRUSTED_PROXIES": (0, 10),
    "GUESS_LIMIT": (1, 1_000),
    "GUESS_LIMIT_ACCOUNT": (1, 100_000),
    "GUESS_LIMIT_ADDRESS": (1, 100_000),
    "GUESS_SECONDS": (10, 86_400),
    "MAX_BODY_BYTES": (1_024, 1_048_576),
    "MAX_QUERY_TOKENS": (100, 20_000),
    "MAX_QUERY_DEPTH": (4, 50),
    "MAX_QUERY_ALIASES": (1, 500),
    "MAX_QUERY_DIRECTIVES": (1, 500),
    "MAX_QUERY_COST": (100, 100_000),
}
SWITCHES = ("REQUIRE_VERIFIED_EMAIL", "SELF_SERVICE_CREDENTIALS", "ALLOW_CHOSEN_SECRETS", "INTROSPECTION")
TEXTS = {
    "TABLE_NAME": ("table_name", "another", "another"),
    "AWS_REGION": ("region", "eu-central-1", "eu-central-1"),
    "DYNAMODB_ENDPOINT": ("dynamodb_endpoint", "http://localhost:8000", "http://localhost:8000"),
    "JWT_SECRET": ("jwt_secret", "x" * 32, "x" * 32),
    "JWT_SECRET_ARN": ("jwt_secret_arn", "arn:x", "arn:x"),
    "JWT_ISSUER": ("jwt_issuer", "us", "us"),
    "PASSWORD_CLASSES": ("password_classes", "digit, lower", frozenset({"digit", "lower"})),
    "REGISTRATION_MODE": ("registration_mode", "VERIFY_FIRST", "VERIFY_FIRST"),
    "ALLOWED_EMAIL_DOMAINS": (
        "allowed_email_domains",
        "Example.com, mail.example.org,",
        frozenset({"example.com", "mail.example.org"}),
    ),
    "TWO_FACTOR_ISSUER": ("two_factor_issuer", "ACME Co", "ACME Co"),
    "TWO_FACTOR_ROLES": ("two_factor_roles", "ADMIN,MODERATOR", frozenset({"ADMIN", "MODERATOR"})),
    "GATEWAY_KEY_SEED": ("gateway_key_seed", "5f6a7b8c", "5f6a7b8c"),
    "GATEWAY_TIERS": ("gateway_tiers", "1=aaa, 1024=bb=b,", {1: "aaa", 1_024: "bb=b"}),
    "APP_URL": ("app_url", "https://example.com/app/", "https://example.com/app"),
    "MAIL_FROM": ("mail_from", "gatehouse@mail.example.com", "gatehouse@mail.example.com"),
    "MAIL_QUEUE_URL": ("mail_queue_url", "https://sqs.example/1/mails", "https://sqs.example/1/mails"),
    "EVENT_BUS": ("event_bus", "gatehouse-events", "gatehouse-events"),
    "SES_CONFIGURATION_SET": ("ses_configuration_set", "counts-bounces", "counts-bounces"),
    "ALLOWED_ORIGINS": (
        "allowed_origins",
        "https://a.example, https://b.example,",
        ("https://a.example", "https://b.example"),
    ),
    "SCHEMA_DIRECTORY": ("schema_directory", "schema", Path("schema")),
}


def _told(**environment: str) -> Settings:
    return Settings.from_environment({**TABLE, **environment})


def _refused(**environment: str) -> str:
    with pytest.raises(InvalidSetting) as refusal:
        _told(**environment)
    return str(refusal.value)


def test_where_the_environment_is_silent_the_defaults_hold() -> None:
    assert _told() == DEFAULTS


def test_every_setting_is_looked_at_here() -> None:
    looked_at = {name.lower() for name in (*NUMBERS, *SWITCHES)} | {field for field, _, _ in TEXTS.values()}

    assert looked_at == {field.name for field in fields(Settings)}


def test_a_setting_that_is_empty_has_its_default() -> None:
    names = (*NUMBERS, *SWITCHES, *TEXTS)

    assert _told(**{name: "" for name in names if name != "TABLE_NAME"}) == DEFAULTS
    assert _told(**{name: "  " for name in names if name not in ("TABLE_NAME", "JWT_SECRET")}) == DEFAULTS


@pytest.mark.parametrize(("name", "field", "given", "read"), [(name, *rest) for name, rest in TEXTS.items()])
def test_a_text_is_read(name: str, field: str, given: str, read: object) -> None:
    assert getattr(_told(**{name: given}), field) == read


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_is_read_within_its_range_and_refused_outside(name: str) -> None:
    lowest, highest = NUMBERS[name]
    told = f"{name} must be a whole number from {lowest} to {highest}."

    for value in (lowest, highest):
        assert getattr(_told(**{name: str(value)}), name.lower()) == value
    for wrong in (str(lowest - 1), str(highest + 1), "-1", "1.5", "1e3", "many", "0x10", "١٢٨", f"{lowest}s"):
        assert _refused(**{name: wrong}) == told


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_is_true_or_false(name: str) -> None:
    assert [getattr(_told(**{name: value}), name.lower()) for value in ("true", "True", "false", "FALSE")] == [
        True,
        True,
        False,
        False,
    ]
    for wrong in ("yes", "1", "on", "no"):
        assert _refused(**{name: wrong}) == f"{name} must be one of: true, false."


def test_the_table_must_be_named() -> None:
    with pytest.raises(InvalidSetting, match=r"^TABLE_NAME is not set\.$"):
        Settings.from_environment({})


def test_password_classes_are_of_four() -> None:
    assert _refused(PASSWORD_CLASSES="lower,emoji") == "PASSWORD_CLASSES may list only: digit, lower, symbol, upper."
    assert _told(PASSWORD_CLASSES="none").password_classes == frozenset()


@pytest.mark.parametrize("value", ["OPEN", "VERIFY_FIRST", "INVITE_ONLY"])
def test_accounts_are_opened_in_one_of_three_ways(value: str) -> None:
    assert _told(REGISTRATION_MODE=value).registration_mode == value


@pytest.mark.parametrize("value", ["open", "CLOSED", "OPEN,INVITE_ONLY", "OPEN;", "true"])
def test_no_other_way_to_open_accounts_is_taken(value: str) -> None:
    told = "REGISTRATION_MODE must be one of: OPEN, VERIFY_FIRST, INVITE_ONLY."
    assert _refused(REGISTRATION_MODE=value) == told


@pytest.mark.parametrize(
    "value",
    [
        "example",
        "@example.com",
        "jo@example.com",
        "*.example.com",
        ".example.com",
        "example.com.",
        "a.b c.d",
        "ex_a.com",
    ],
)
def test_domains_of_emails_are_domains_alone(value: str) -> None:
    told = "ALLOWED_EMAIL_DOMAINS must list domains such as example.com."
    assert _refused(ALLOWED_EMAIL_DOMAINS=value) == told
    assert _refused(ALLOWED_EMAIL_DOMAINS=f"example.com,{value}") == told


@pytest.mark.parametrize(
    "value",
    [
        *("app.example.com", "ftp://example.com", "javascript:alert(1)", "https://example.com?a=b"),
        *("https://example.com/#x", 'https://example.com"', "https://a@example.com", "https://example.com/\n"),
    ],
)
def test_links_in_mails_begin_with_a_plain_url(value: str) -> None:
    value = value.replace("\n", "\nhttps://evil.example")
    assert _refused(APP_URL=value) == "APP_URL must be a URL without query."


@pytest.mark.parametrize("value", ["Gatehouse", "Gatehouse <a@example.com>", "a@b", "a@example.com,b@example.com"])
def test_mails_come_from_one_address(value: str) -> None:
    assert _refused(MAIL_FROM=value) == "MAIL_FROM must be an email address."


@pytest.mark.parametrize("value", ["aaa", "1", "1=", "=a", "x=a", "-1=a", "1.5=a", "1=a,b", "١=a", "1:a"])
def test_tiers_are_numbers_with_what_they_stand_for(value: str) -> None:
    told = "GATEWAY_TIERS must list numbers, each with what it stands for: 1=a,2=b."
    assert _refused(GATEWAY_TIERS=value) == told


def test_a_short_signing_key_is_refused_and_not_quoted() -> None:
    short = "correct-horse-battery-staple-31"
    assert len(short) == 31

    assert _refused(JWT_SECRET=short) == "JWT_SECRET must have at least 32 bytes."
    assert _told(JWT_SECRET="é" * 16).jwt_secret == "é" * 16


def test_the_signing_key_is_in_no_description_of_the_settings() -> None:
    secret = "correct-horse-battery-staple-and-more"
    settings = _told(JWT_SECRET=secret)

    assert settings.jwt_secret == secret
    assert secret not in repr(settings)
    assert secret not in str(settings)


def test_without_a_mapping_the_process_own_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "from-the-process")

    assert Settings.from_environment().table_name == os.environ["TABLE_NAME"] == "from-the-process"
