"""The composition root: which store is which adapter; the only file that names an adapter.

It decides nothing about stores; it finds the URL of each and hands out what speaks to it, measured.
"""

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from rightstore.clock import SYSTEM, Clock
from rightstore.embedded.home import Home
from rightstore.embedded.state import embedded_urls, read_state
from rightstore.errors import NotConfiguredError, RightstoreError, UsageError
from rightstore.ports.bootstrap import Owner
from rightstore.ports.checkup import Finding
from rightstore.ports.connection import Connection, Pong, Target
from rightstore.ports.placement import Atlas
from rightstore.settings import EMBEDDED, STORES, PostgresSettings, Setting, Settings, masked
from rightstore.telemetry.connection import Measured

APPLICATIONS = "rightstore.apps"
MEMORY = "rightstore.adapters.memory.records:MemoryStore"


@dataclass(frozen=True, slots=True)
class Adapter:
    """Where the parts of one adapter are, as `module:name`, and the driver that it needs.

    `client` is the attribute of its connection that is the driver's own client. `search` and what
    judges for it only a store of search has; what comes after them a store of records; `placement`,
    `relational` and what comes after `older` only the control store.
    """

    driver: str
    connect: str
    checkup: str
    bootstrap: str | None = None
    client: str = "client"
    search: str | None = None
    searchable: str | None = None
    store: str | None = None
    schema: str | None = None
    portability: str | None = None
    capabilities: str | None = None
    probe: str | None = None
    placement: str | None = None
    atlas: str | None = None
    relational: str | None = None
    older: str | None = None
    exclusion: str | None = None
    tables: str | None = None
    grants: str | None = None
    triggers: str | None = None
    rows: str | None = None

    @property
    def parts(self) -> Mapping[str, str]:
        """Every part that it has, by its word."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {word: name for word, name in named.items() if name and ":" in name}


ADAPTERS: Mapping[str, Adapter] = {
    "postgres": Adapter(
        "asyncpg",
        "rightstore.adapters.postgres.client:connect",
        "rightstore.adapters.postgres.checkup:PostgresCheckup",
        "rightstore.adapters.postgres.bootstrap:bootstrap",
        client="pool",
        search="rightstore.adapters.postgres.search:PostgresSearch",
        searchable="rightstore.adapters.postgres.portability:search_obstacles",
        store="rightstore.adapters.postgres.store:PostgresStore",
        portability="rightstore.adapters.postgres.portability:obstacles",
        capabilities="rightstore.adapters.postgres.portability:CAPABILITIES",
        placement="rightstore.adapters.postgres.placement:PostgresPlacements",
        atlas="rightstore.adapters.postgres.placement:PostgresAtlas",
        relational="rightstore.adapters.postgres.relational:PostgresRelational",
        exclusion="rightstore.adapters.postgres.exclusion:PostgresExclusion",
        tables="rightstore.adapters.postgres.migration:PostgresTables",
        grants="rightstore.adapters.postgres.grant:PostgresGrants",
        schema="rightstore.adapters.postgres.schema:PostgresSchema",
        older="rightstore.adapters.postgres.older:PostgresOlder",
        triggers="rightstore.adapters.postgres.trigger:PostgresTriggers",
        rows="rightstore.adapters.postgres.expiry:TableExpiry",
    ),
    "mongodb": Adapter(
        "pymongo",
        "rightstore.adapters.mongodb.client:connect",
        "rightstore.adapters.mongodb.checkup:MongodbCheckup",
        "rightstore.adapters.mongodb.bootstrap:bootstrap",
        store="rightstore.adapters.mongodb.store:MongodbStore",
        schema="rightstore.adapters.mongodb.schema:MongodbSchema",
        portability="rightstore.adapters.mongodb.portability:obstacles",
        capabilities="rightstore.adapters.mongodb.portability:CAPABILITIES",
        probe="rightstore.adapters.mongodb.probe:probe",
        older="rightstore.adapters.mongodb.older:MongodbOlder",
    ),
    "redis": Adapter(
        "redis",
        "rightstore.adapters.redis.client:connect",
        "rightstore.adapters.redis.checkup:RedisCheckup",
    ),
    "dynamodb": Adapter(
        "aiobotocore",
        "rightstore.adapters.dynamodb.client:connect",
        "rightstore.adapters.dynamodb.checkup:DynamodbCheckup",
        store="rightstore.adapters.dynamodb.store:DynamodbStore",
        schema="rightstore.adapters.dynamodb.schema:DynamodbSchema",
        portability="rightstore.adapters.dynamodb.portability:obstacles",
        capabilities="rightstore.adapters.dynamodb.portability:CAPABILITIES",
        older="rightstore.adapters.dynamodb.older:DynamodbOlder",
    ),
    "opensearch": Adapter(
        "opensearchpy",
        "rightstore.adapters.opensearch.client:connect",
        "rightstore.adapters.opensearch.checkup:OpensearchCheckup",
        search="rightstore.adapters.opensearch.search:OpensearchSearch",
    ),
    "rabbitmq": Adapter(
        "aio_pika",
        "rightstore.adapters.rabbitmq.client:connect",
        "rightstore.adapters.rabbitmq.checkup:RabbitmqCheckup",
        client="session",
    ),
}


def resolve(name: str) -> Any:
    """Return what `module:name` stands for."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def adapter_part(store: str, name: str) -> Any:
    """Return a part of a store's adapter; a missing driver gives one line with the remedy."""
    try:
        return resolve(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "rightstore":
            raise
        raise NotConfiguredError(
            f"{store} needs the package {ADAPTERS[store].driver}, which is not installed: "
            f"pip install 'rightstore[{store}]'"
        ) from error


def part(store: str, word: str) -> Any:
    """Return the part of a store's adapter that a word of `Adapter` stands for."""
    name = ADAPTERS[store].parts.get(word)
    if name is None:
        raise RightstoreError(f"the adapter of {store} has no {word}")
    return adapter_part(store, name)


def targets(settings: Settings) -> dict[str, Target]:
    """Return where each store is: by its URL, else in the embedded stack that runs below home."""
    home = Home(settings.stack.home)
    # A stack is asked after only for a store that no URL names: it may be somebody else's.
    running = embedded_urls(home) if not_started(settings) and read_state(home) else {}
    found: dict[str, Target] = {}
    for store in STORES:
        url = settings.url(store) or running.get(store)
        if url is not None:
            found[store] = target(settings, store, url)
    if "postgres" not in found:
        raise NotConfiguredError(
            f"POSTGRES_URL is not set and no embedded stack runs in {home.path}: run "
            "`rightstore up`, or set POSTGRES_URL"
        )
    return found


def target(settings: Settings, store: str, url: str) -> Target:
    """Return one store's address together with the patience and pool sizes that are set for it."""
    group = settings.of(store)
    if not isinstance(group, PostgresSettings):
        return Target(store, url, group.connect_timeout, group.timeout, 0, 10)
    patience = (group.connect_timeout, group.timeout)
    pool = (group.pool_min, group.pool_max)
    return Target(store, url, *patience, *pool, group.lock_timeout, group.statement_timeout)


def search_store(settings: Settings) -> str:
    """Return the store that searches with these settings."""
    return "postgres" if settings.url("opensearch") is None else "opensearch"


def is_embedded(settings: Settings, store: str) -> bool:
    """Tell whether a store is the one of the embedded stack: no URL names it."""
    return store in not_started(settings)


def is_running(settings: Settings) -> bool:
    """Tell whether the embedded stack of this home folder is up."""
    return read_state(Home(settings.stack.home)) is not None


def effective(settings: Settings) -> list[Setting]:
    """Return every setting as it works now: an embedded server stands where no URL is set."""
    found = targets(settings) if is_running(settings) else {}
    urls = {settings.of(store).variable("url"): target.url for store, target in found.items()}
    return [
        replace(setting, value=masked(urls[setting.variable]), source="embedded")
        if setting.value is None and setting.variable in urls
        else setting
        for setting in settings.effective()
    ]


def check_applications(names: Iterable[str]) -> None:
    """Raise UsageError for a name that cannot be an application; nothing of theirs is imported."""
    installed = installed_applications()
    for name in names:
        module, colon, attribute = name.partition(":")
        if name not in installed and not (colon and module and attribute):
            raise UsageError(
                f"there is no application {name!r}: name an installed one "
                f"({', '.join(installed) or 'none'}), or module:object"
            )
        if name not in installed and not _can_be_found(module):
            raise _no_module(name, module)


def application(name: str) -> object:
    """Return the application that an entry point or `module:object` names."""
    check_applications([name])
    for found in entry_points(group=APPLICATIONS, name=name):
        return found.load()
    module, _, attribute = name.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise UsageError(
                f"application {name!r}: {error}: install it, or correct the import"
            ) from error
        raise _no_module(name, module) from error
    except SyntaxError as error:
        raise UsageError(
            f"application {name!r}: {error.msg} in {error.filename}, line {error.lineno}: mend it"
        ) from error
    except AttributeError as error:
        if error.name != attribute:
            raise
        raise UsageError(f"application {name!r}: {module} has no {attribute}") from error


def _can_be_found(module: str) -> bool:
    """Tell whether the first part of the module's name is there, in this folder last of all."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    except ValueError:
        return False


def _no_module(name: str, module: str) -> UsageError:
    return UsageError(
        f"application {name!r}: there is no module {module}; install it, or run this in the folder "
        "that holds it"
    )


def installed_applications() -> list[str]:
    """Return the names of all applications that are installed."""
    return sorted(found.name for found in entry_points(group=APPLICATIONS))


def connection(target: Target, clock: Clock = SYSTEM) -> Connection:
    """Return a store's connection, measured and not yet open."""
    return Measured(_connect(target, clock))


def bare_connection(target: Target, clock: Clock = SYSTEM) -> Connection:
    """Return a store's connection as the other parts of its adapter want it, and not yet open."""
    return _connect(target, clock)


def connections(settings: Settings, clock: Clock = SYSTEM) -> tuple[Sequence[Connection], Atlas]:
    """Return the connections of every store that is configured, measured and not yet open.

    With them comes what tells where entities live; it asks over the one to PostgreSQL.
    """
    bare = {store: _connect(target, clock) for store, target in targets(settings).items()}
    atlas: Atlas = part("postgres", "atlas")(bare["postgres"])
    return tuple(Measured(each) for each in bare.values()), atlas


def not_started(settings: Settings) -> frozenset[str]:
    """Return the stores that have no URL and hence belong to the embedded stack."""
    return frozenset(store for store in EMBEDDED if settings.url(store) is None)


def fallbacks(found: Mapping[str, Target]) -> tuple[str, ...]:
    """Return the stores that are not there, whose work PostgreSQL does meanwhile."""
    return tuple(store for store in STORES if store not in found)


async def examine(target: Target, clock: Clock = SYSTEM) -> Sequence[Finding]:
    """Ask one store the questions of a doctor, on a connection of its own."""
    adapter = ADAPTERS[target.store]
    opened = _connect(target, clock)
    await opened.open()
    try:
        findings: Sequence[Finding] = await adapter_part(target.store, adapter.checkup)(
            opened, clock
        ).examine()
        return findings
    finally:
        await opened.close()


class Hands:
    """What the embedded stack needs done on its servers, with the adapters it may not import."""

    def __init__(self, clock: Clock = SYSTEM) -> None:
        self._clock = clock

    async def ping(self, target: Target) -> Pong:
        """Open a connection, ask once whether the server serves, and close it."""
        opened = _connect(target, self._clock)
        await opened.open()
        try:
            return await opened.ping()
        finally:
            await opened.close()

    async def bootstrap(self, target: Target, owner: Owner) -> None:
        """Create the owner and its database."""
        name = ADAPTERS[target.store].bootstrap
        if name is None:
            raise RightstoreError(f"{target.store} has no owner to create")
        await adapter_part(target.store, name)(target, owner)


def _connect(target: Target, clock: Clock) -> Connection:
    opened: Connection = adapter_part(target.store, ADAPTERS[target.store].connect)(target, clock)
    return opened
