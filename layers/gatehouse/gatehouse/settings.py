"""Every setting, read from the environment once; nothing else in the house reads it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SHORTEST_KEY_BYTES = 32
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?", re.ASCII)
_PASSWORD_CLASSES = frozenset({"lower", "upper", "digit", "symbol"})
_ROLES_OF_TWO_FACTORS = frozenset({"MODERATOR", "ADMIN"})


class InvalidSetting(Exception):
    """A setting that is missing or out of its range; the text names it and never quotes a secret."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a deployment chose. Times are seconds, sizes are bytes."""

    table_name: str
    region: str
    dynamodb_endpoint: str | None
    jwt_secret: str | None = field(repr=False)
    jwt_secret_arn: str | None
    jwt_issuer: str
    access_token_ttl: int
    refresh_token_ttl: int
    session_idle_ttl: int
    bcrypt_rounds: int
    password_min_length: int
    password_classes: frozenset[str]
    password_reminder_days: int
    registration_mode: str
    allowed_email_domains: frozenset[str]
    require_verified_email: bool
    self_service_credentials: bool
    allow_chosen_secrets: bool
    throttle_ttl: int
    throttle_limit: int
    throttle_limit_moderator: int
    throttle_limit_admin: int
    throttle_limit_anonymous: int
    trusted_proxies: int
    audit_retention_days: int
    cleanup_notice_days: int
    cleanup_warn_days: int
    cleanup_deactivate_days: int
    cleanup_anonymise_days: int
    cleanup_warn_days_moderator: int
    cleanup_deactivate_days_moderator: int
    cleanup_anonymise_days_moderator: int
    guess_limit: int
    guess_limit_account: int
    guess_limit_address: int
    guess_seconds: int
    two_factor_issuer: str
    two_factor_roles: frozenset[str]
    gateway_key_seed: str = field(repr=False)
    gateway_tiers: Mapping[int, str]
    app_url: str
    mail_from: str | None
    mail_queue_url: str
    event_bus: str | None
    ses_configuration_set: str | None
    allowed_origins: tuple[str, ...]
    introspection: bool
    schema_directory: Path
    max_body_bytes: int
    max_query_tokens: int
    max_query_depth: int
    max_query_aliases: int
    max_query_directives: int
    max_query_cost: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings that the environment holds, defaults where it is silent; raises InvalidSetting."""
        read = _Reader(environment)
        return cls(
            table_name=read.text("TABLE_NAME"),
            region=read.text("AWS_REGION", "us-east-1"),
            dynamodb_endpoint=read.text("DYNAMODB_ENDPOINT", "") or None,
            jwt_secret=read.key("JWT_SECRET"),
            jwt_secret_arn=read.text("JWT_SECRET_ARN", "") or None,
            jwt_issuer=read.text("JWT_ISSUER", "gatehouse"),
            access_token_ttl=read.number("ACCESS_TOKEN_TTL", 86_400, 60, 604_800),
            refresh_token_ttl=read.number("REFRESH_TOKEN_TTL", 2_592_000, 300, 31_536_000),
            session_idle_ttl=read.number("SESSION_IDLE_TTL", 1_209_600, 7_200, 31_536_000),
            bcrypt_rounds=read.number("BCRYPT_ROUNDS", 10, 4, 15),
            password_min_length=read.number("PASSWORD_MIN_LENGTH", 8, 8, 64),
            password_classes=read.classes("PASSWORD_CLASSES", "lower,upper,digit,symbol"),
            password_reminder_days=read.number("PASSWORD_REMINDER_DAYS", 0, 0, 3_650),
            registration_mode=read.choice("REGISTRATION_MODE", "OPEN", ("OPEN", "VERIFY_FIRST", "INVITE_ONLY")),
            allowed_email_domains=read.domains("ALLOWED_EMAIL_DOMAINS"),
            require_verified_email=read.switch("REQUIRE_VERIFIED_EMAIL", False),
            self_service_credentials=read.switch("SELF_SERVICE_CREDENTIALS", True),
            allow_chosen_secrets=read.switch("ALLOW_CHOSEN_SECRETS", True),
            throttle_ttl=read.number("THROTTLE_TTL", 60, 1, 86_400),
            throttle_limit=read.number("THROTTLE_LIMIT", 10, 1, 1_000_000),
            throttle_limit_moderator=read.number("THROTTLE_LIMIT_MODERATOR", 100, 1, 1_000_000),
            throttle_limit_admin=read.number("THROTTLE_LIMIT_ADMIN", 1_000, 1, 1_000_000),
            throttle_limit_anonymous=read.number("THROTTLE_LIMIT_ANONYMOUS", 30, 1, 1_000_000),
            audit_retention_days=read.number("AUDIT_RETENTION_DAYS", 365, 30, 3_650),
            cleanup_notice_days=read.number("CLEANUP_NOTICE_DAYS", 0, 0, 365),
            cleanup_warn_days=read.number("CLEANUP_WARN_DAYS", 76, 2, 3_650),
            cleanup_deactivate_days=read.number("CLEANUP_DEACTIVATE_DAYS", 90, 0, 3_650),
            cleanup_anonymise_days=read.number("CLEANUP_ANONYMISE_DAYS", 0, 0, 3_650),
            cleanup_warn_days_moderator=read.number("CLEANUP_WARN_DAYS_MODERATOR", 76, 2, 3_650),
            cleanup_deactivate_days_moderator=read.number("CLEANUP_DEACTIVATE_DAYS_MODERATOR", 90, 0, 3_650),
            cleanup_anonymise_days_moderator=read.number("CLEANUP_ANONYMISE_DAYS_MODERATOR", 0, 0, 3_650),
            trusted_proxies=read.number("TRUSTED_PROXIES", 0, 0, 10),
            guess_limit=read.number("GUESS_LIMIT", 5, 1, 1_000),
            guess_limit_account=read.number("GUESS_LIMIT_ACCOUNT", 100, 1, 100_000),
            guess_limit_address=read.number("GUESS_LIMIT_ADDRESS", 50, 1, 100_000),
            guess_seconds=read.number("GUESS_SECONDS", 900, 10, 86_400),
            two_factor_issuer=read.label("TWO_FACTOR_ISSUER", "Gatehouse"),
            two_factor_roles=read.subset("TWO_FACTOR_ROLES", "", _ROLES_OF_TWO_FACTORS),
            gateway_key_seed=read.text("GATEWAY_KEY_SEED", "0" * 32),
            gateway_tiers=read.numbered("GATEWAY_TIERS", ""),
            app_url=read.form("APP_URL", "http://localhost:3000", _URL, "a URL without query").rstrip("/"),
            mail_from=read.form("MAIL_FROM", "", _ADDRESS, "an email address") or None,
            mail_queue_url=read.text("MAIL_QUEUE_URL", ""),
            event_bus=read.text("EVENT_BUS", "") or None,
            ses_configuration_set=read.text("SES_CONFIGURATION_SET", "") or None,
            allowed_origins=read.words("ALLOWED_ORIGINS", ""),
            introspection=read.switch("INTROSPECTION", True),
            schema_directory=Path(read.text("SCHEMA_DIRECTORY", "/opt")),
            max_body_bytes=read.number("MAX_BODY_BYTES", 65_536, 1_024, 1_048_576),
            max_query_tokens=read.number("MAX_QUERY_TOKENS", 2_000, 100, 20_000),
            max_query_depth=read.number("MAX_QUERY_DEPTH", 12, 4, 50),
            max_query_aliases=read.number("MAX_QUERY_ALIASES", 30, 1, 500),
            max_query_directives=read.number("MAX_QUERY_DIRECTIVES", 20, 1, 500),
            max_query_cost=read.number("MAX_QUERY_COST", 1_000, 100, 100_000),
        )


@dataclass(frozen=True)
class _Reader:
    environment: Mapping[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        value = self.environment.get(name, "").strip()
        if value:
            return value
        if default is None:
            raise InvalidSetting(f"{name} is not set.")
        return default

    def form(self, name: str, default: str, form: re.Pattern[str], what: str) -> str:
        value = self.text(name, default)
        if value and not form.fullmatch(value):
            raise InvalidSetting(f"{name} must be {what}.")
        return value

    def label(self, name: str, default: str) -> str:
        value = self.text(name, default)
        if ":" in value or len(value) > 64:
            raise InvalidSetting(f"{name} has at most 64 characters, none of them a colon.")
        return value

    def key(self, name: str) -> str | None:
        value = self.environment.get(name, "")
        if value and len(value.encode()) < SHORTEST_KEY_BYTES:
            raise InvalidSetting(f"{name} must have at least {SHORTEST_KEY_BYTES} bytes.")
        return value or None

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
            raise InvalidSetting(f"{name} must be a whole number from {lowest} to {highest}.")
        return int(value)

    def switch(self, name: str, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value not in ("true", "false"):
            raise InvalidSetting(f"{name} must be one of: true, false.")
        return value == "true"

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise InvalidSetting(f"{name} must be one of: {', '.join(allowed)}.")
        return value

    def domains(self, name: str) -> frozenset[str]:
        domains = self.words(name, "")
        if not all(map(_DOMAIN.fullmatch, domains)):
            raise InvalidSetting(f"{name} must list domains such as example.com.")
        return frozenset(domain.lower() for domain in domains)

    def words(self, name: str, default: str) -> tuple[str, ...]:
        return tuple(word for part in self.text(name, default).split(",") if (word := part.strip()))

    def numbered(self, name: str, default: str) -> dict[int, str]:
        pairs = [word.partition("=") for word in self.words(name, default)]
        if not all(number.isascii() and number.isdigit() and value for number, _, value in pairs):
            raise InvalidSetting(f"{name} must list numbers, each with what it stands for: 1=a,2=b.")
        return {int(number): value for number, _, value in pairs}

    def classes(self, name: str, default: str) -> frozenset[str]:
        return frozenset() if self.text(name, default) == "none" else self.subset(name, default, _PASSWORD_CLASSES)

    def subset(self, name: str, default: str, allowed: frozenset[str]) -> frozenset[str]:
        words = frozenset(self.words(name, default))
        if not words <= allowed:
            raise InvalidSetting(f"{name} may list only: {', '.join(sorted(allowed))}.")
        return words
