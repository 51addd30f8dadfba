"""The servers of this run, and one application's namespace on them: what it opens, it clears."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import ModuleType
from typing import Any

import asyncpg
from pymongo import AsyncMongoClient

from rightstore.settings import STORES, Settings
from rightstore.stores.definition import Rightstore
from rightstore.stores.stores import Stores


def module(**things: object) -> ModuleType:
    made = ModuleType("domain")
    vars(made).update(things)
    return made


class Site:
    """The servers of this run, and one application's namespace on them."""

    def __init__(self, urls: Mapping[str, str], namespace: str) -> None:
        self.urls, self.namespace = urls, namespace

    def settings(self, mode: str = "apply", **urls: str | None) -> Settings:
        loaded = Settings.load()
        given = {"postgres": self.urls["postgres"], "mongodb": self.urls.get("mongodb")} | urls
        groups = {
            store: type(loaded.of(store)).model_validate({"url": given.get(store)})
            for store in STORES
        }
        schema = type(loaded.schema).model_validate({"mode": mode})
        return replace(loaded, **groups, schema=schema)  # type: ignore[arg-type] # by name

    def application(self, *things: Any) -> Rightstore:
        """Entities and tracked tables, as a module would hold them."""
        named = {getattr(thing, "__name__", None) or thing.name: thing for thing in things}
        return Rightstore(self.namespace, module(**named))

    def open(
        self, *things: Any, mode: str = "apply", work: bool = False, **urls: str | None
    ) -> AbstractAsyncContextManager[Stores]:
        return self.application(*things).open(self.settings(mode, **urls), work=work)

    async def clear(self) -> None:
        postgres = await asyncpg.connect(self.urls["postgres"])
        await postgres.execute(f'DROP SCHEMA IF EXISTS "{self.namespace}" CASCADE')
        await postgres.close()
        if "mongodb" in self.urls:
            mongodb: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(self.urls["mongodb"])
            await mongodb.drop_database(self.namespace)
            await mongodb.close()
