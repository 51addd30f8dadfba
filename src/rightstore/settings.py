"""What can be set, one class per store; where each value came from. It connects to nothing.

Values come from the environment, then from `.env`. No URL has a default: a store without one is the
embedded server, or for DynamoDB, OpenSearch and RabbitMQ the fallback in PostgreSQL.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from io import StringIO
from pathlib import Path
from typing import ClassVar, Literal, Self
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from dotenv.parser import parse_stream
from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from rightstore.errors import UsageError

ENV_FILE = Path(".env")
STORES = ("postgres", "mongodb", "redis", "dynamodb", "opensearch", "rabbitmq")
EMBEDDED = frozenset(STORES[:3])
# What a URL's query may show; of any other parameter only the name is shown.
HARMLESS = frozenset(
    ("host", "port", "sslmode", "ssl", "tls", "db", "region", "cluster", "heartbeat", "timeout")
) | {"replicaset", "authsource", "directconnection", "readpreference", "retrywrites", "w"}
NAMED_USERS = ("postgresql", "postgres", "mongodb", "mongodb+srv")
Source = Literal["environment", ".env", "embedded", "default"]


class Group(BaseSettings):
    """A few settings that belong together; `variable` names the one behind each field."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_file=ENV_FILE, extra="ignore", frozen=True, env_ignore_empty=True, populate_by_name=True
    )

    @classmethod
    def variable(cls, name: str) -> str:
        """Return the environment variable that sets this field."""
        alias = cls.model_fields[name].validation_alias if name in cls.model_fields else name
        return (
            alias if isinstance(alias, str) else f"{cls.model_config['env_prefix']}{name}".upper()
        )


class StoreSettings(Group):
    """Where one store is and how patiently to talk to it."""

    schemes: ClassVar[tuple[str, ...]] = ()
    url: SecretStr | None = Field(None, description="the URL of a server")
    connect_timeout: float = Field(5.0, gt=0, le=300, description="seconds from 0.001 to 300")
    timeout: float = Field(10.0, gt=0, le=3600, description="seconds from 0.001 to 3600")

    @field_validator("url", "owner_url", check_fields=False)
    @classmethod
    def _is_a_url_of_this_store(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            complaint = _complaint(value.get_secret_value(), cls.schemes)
            if complaint:
                raise ValueError(complaint)
        return value


class PostgresSettings(StoreSettings):
    """PostgreSQL: the control store, always needed."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="POSTGRES_")
    schemes: ClassVar[tuple[str, ...]] = ("postgresql", "postgres")
    url: SecretStr | None = Field(None, description="postgresql://user:password@host:5432/database")
    owner_url: SecretStr | None = Field(
        None, description="postgresql://owner:password@host:5432/database"
    )
    lock_timeout: float = Field(3.0, gt=0, le=300, description="seconds from 0.001 to 300")
    statement_timeout: float = Field(2.0, gt=0, le=3600, description="seconds from 0.001 to 3600")
    pool_min: int = Field(
        2, ge=0, le=1000, validation_alias="DB_POOL_MIN_SIZE", description="a number from 0 to 1000"
    )
    pool_max: int = Field(
        10,
        ge=1,
        le=1000,
        validation_alias="DB_POOL_MAX_SIZE",
        description="a number from 1 to 1000",
    )

    @field_validator("pool_max")
    @classmethod
    def _is_not_below_the_minimum(cls, value: int, info: object) -> int:
        least = getattr(info, "data", {}).get("pool_min", 0)
        if value < least:
            raise ValueError(f"less than DB_POOL_MIN_SIZE ({least})")
        return value


class MongodbSettings(StoreSettings):
    """MongoDB, or a server that speaks its protocol."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="MONGODB_")
    schemes: ClassVar[tuple[str, ...]] = ("mongodb", "mongodb+srv")
    url: SecretStr | None = Field(None, description="mongodb://user:password@host:27017/")


class RedisSettings(StoreSettings):
    """Redis: caches, sessions and limits; never a system of record."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="REDIS_")
    schemes: ClassVar[tuple[str, ...]] = ("redis", "rediss", "unix")
    url: SecretStr | None = Field(None, description="redis://:password@host:6379/0")


class DynamodbSettings(StoreSettings):
    """DynamoDB of AWS, or DynamoDB Local."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="DYNAMODB_")
    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    url: SecretStr | None = Field(None, description="https://dynamodb.eu-west-1.amazonaws.com")


class OpensearchSettings(StoreSettings):
    """OpenSearch: search, never an authority."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="OPENSEARCH_")
    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    url: SecretStr | None = Field(None, description="https://user:password@host:9200")


class RabbitmqSettings(StoreSettings):
    """RabbitMQ: public events to other applications."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="RABBITMQ_")
    schemes: ClassVar[tuple[str, ...]] = ("amqp", "amqps")
    url: SecretStr | None = Field(None, description="amqp://user:password@host:5672/vhost")


class StackSettings(Group):
    """Where the embedded stack keeps its data."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="RIGHTSTORE_")
    home: Path = Field(Path(".rightstore"), description="a folder")
    document_server: Path | None = Field(None, description="the path of a mongod program")

    @field_validator("document_server")
    @classmethod
    def _is_a_program(cls, value: Path | None) -> Path | None:
        if value is not None and not (value.is_file() and os.access(value, os.X_OK)):
            raise ValueError("no program is there")
        return value


class SchemaSettings(Group):
    """Whether opening an application may make room in its stores."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="RIGHTSTORE_")
    mode: Literal["apply", "check"] | None = Field(
        None, validation_alias="RIGHTSTORE_SCHEMA", description="apply or check"
    )


class WebSettings(Group):
    """What the HTTP edge listens on, and its limits."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="RIGHTSTORE_")
    host: str = Field("127.0.0.1", min_length=1, description="an address of this machine")
    port: int = Field(8008, ge=1, le=65535, description="a port from 1 to 65535")
    body_limit: ByteSize = Field(
        ByteSize(4 * 1024 * 1024), gt=0, description="a size such as 4MiB: the largest request body"
    )
    request_timeout: float = Field(30.0, gt=0, le=3600, description="seconds from 0.001 to 3600")
    grace: float = Field(
        10.0, ge=0, le=600, description="seconds from 0 to 600: time to finish at shutdown"
    )


class LogSettings(Group):
    """How much is logged, and in which form."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(env_prefix="RIGHTSTORE_")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    log_format: Literal["auto", "json", "pretty"] = Field(
        "auto", description="auto (pretty on a terminal), json or pretty"
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One effective setting as it may be shown: secrets masked."""

    variable: str
    value: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set: `Settings.load()` reads the environment and `.env`."""

    is_memory: ClassVar[bool] = False
    postgres: PostgresSettings
    mongodb: MongodbSettings
    redis: RedisSettings
    dynamodb: DynamodbSettings
    opensearch: OpensearchSettings
    rabbitmq: RabbitmqSettings
    stack: StackSettings
    schema: SchemaSettings
    web: WebSettings
    log: LogSettings

    @classmethod
    def load(cls) -> Self:
        """Read the environment and `.env`; every wrong value is told in one UsageError."""
        _read_env_file()
        loaded: dict[str, Group] = {}
        wrong: list[str] = []
        for field in fields(cls):
            group = GROUPS[field.name]
            try:
                loaded[field.name] = group()
            except ValidationError as error:
                wrong += [_explain(group, detail) for detail in error.errors()]
        if wrong:
            raise UsageError("\n".join(wrong))
        return cls(**loaded)  # type: ignore[arg-type] # each group is the class of its field

    @staticmethod
    def memory() -> "Settings":
        """Return settings for tests: every store is in this process, nothing in it is kept."""
        groups = {name: group.model_construct() for name, group in GROUPS.items()}
        return _Memory(**groups)  # type: ignore[arg-type] # each group is the class of its field

    @classmethod
    def embedded(cls) -> Self:
        """Read the settings, but stay on the stack that `rightstore up` runs, whatever URLs say."""
        loaded = cls.load()
        here = {store: loaded.of(store).model_copy(update={"url": None}) for store in STORES}
        return replace(loaded, **here)  # type: ignore[arg-type] # each group is the class of its field

    def of(self, store: str) -> StoreSettings:
        """Return the settings of one store by its name."""
        group = getattr(self, store)
        if not isinstance(group, StoreSettings):
            raise UsageError(f"{store} is not a store; stores are {', '.join(STORES)}")
        return group

    def url(self, store: str) -> str | None:
        """Return the URL given for this store, secret inside, or None."""
        url = self.of(store).url
        return url.get_secret_value() if url else None

    def effective(self) -> Iterator[Setting]:
        """Yield every setting with its source; passwords are masked."""
        env_file = {name.upper() for name in _read_env_file()}
        environment = {name.upper() for name, value in os.environ.items() if value}
        for field in fields(self):
            group: Group = getattr(self, field.name)
            for name in type(group).model_fields:
                variable = group.variable(name)
                source: Source = "default"
                if variable in environment:
                    source = "environment"
                elif variable in env_file:
                    source = ".env"
                yield Setting(variable, _shown(getattr(group, name)), source)


class _Memory(Settings):
    """Settings that name no server."""

    __slots__ = ()
    is_memory: ClassVar[bool] = True


GROUPS: Mapping[str, type[Group]] = {
    "postgres": PostgresSettings,
    "mongodb": MongodbSettings,
    "redis": RedisSettings,
    "dynamodb": DynamodbSettings,
    "opensearch": OpensearchSettings,
    "rabbitmq": RabbitmqSettings,
    "stack": StackSettings,
    "schema": SchemaSettings,
    "web": WebSettings,
    "log": LogSettings,
}


def masked(url: str) -> str:
    """Return the URL without its secrets, fit to be shown."""
    try:
        parts = urlsplit(url)
        userinfo, at, address = parts.netloc.rpartition("@")
    except ValueError:
        return "***"
    user, colon, _ = userinfo.partition(":")
    if user and not colon and parts.scheme not in NAMED_USERS:
        # Some services take a token in the place of the user.
        user = "***"
    query = [
        (name, value if name.lower() in HARMLESS else "***")
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    netloc = f"{user}{':***' if colon else ''}{at}{address}"
    return urlunsplit(
        SplitResult(parts.scheme, netloc, parts.path, urlencode(query, safe="*/:,"), "")
    )


def _complaint(url: str, schemes: tuple[str, ...]) -> str | None:
    """Return what is wrong with a URL, without a word of it."""
    bad_port = "its port is not a number from 1 to 65535, or its address is malformed"
    try:
        parts = urlsplit(url)
        port = None if "," in parts.netloc else parts.port
    except ValueError:
        return bad_port
    address = parts.netloc.rpartition("@")[2]
    complaints = (
        (any(map(str.isspace, url)), "it contains white space"),
        (
            "@" in f"{parts.path}{parts.query}" or parts.fragment,
            "a special character in its user or password is not percent-encoded",
        ),
        (
            parts.scheme not in schemes,
            f"it must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}",
        ),
        (port == 0, bad_port),
        (not (address or parts.path.strip("/") or parts.query), "it names no host"),
    )
    return next((complaint for wrong, complaint in complaints if wrong), None)


def _read_env_file() -> dict[str, str]:
    """Return what `.env` sets; a line that cannot be read is an error, never skipped."""
    if not ENV_FILE.exists():
        return {}
    try:
        text = ENV_FILE.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f".env cannot be read ({type(error).__name__}): make it a UTF-8 text file that you may "
            "read, or remove it"
        ) from error
    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            raise UsageError(f".env line {binding.original.line} is not NAME=value: correct it")
        if binding.key is not None and binding.value:
            found[binding.key] = binding.value
    return found


def _explain(group: type[Group], detail: ErrorDetails) -> str:
    """Say which variable is wrong, what came and what is allowed, in one line."""
    name = str(detail["loc"][0]) if detail["loc"] else ""
    field = next(
        (field for field in group.model_fields if name in (field, group.variable(field))), name
    )
    variable = group.variable(field)
    allowed = group.model_fields[field].description
    if field in ("url", "owner_url"):
        reason = str(detail.get("ctx", {}).get("error", "it is not text"))
        return f"{variable} is not a URL of this store: {reason}; allowed: {allowed}"
    cause = detail.get("ctx", {}).get("error")
    reason = f" ({cause})" if isinstance(cause, ValueError) else ""
    return f"{variable} is {str(detail['input'])!r}{reason}; allowed: {allowed}"


def _shown(value: object) -> str | None:
    if isinstance(value, SecretStr):
        return masked(value.get_secret_value())
    return None if value is None else str(value)
