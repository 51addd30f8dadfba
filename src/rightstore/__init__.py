"""Rightstore: declare your entities once; each lives in the store that suits it.

Importing this loads no driver and no settings library: each name comes at its first use.
"""

from importlib import import_module as _import
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rightstore import errors as errors
    from rightstore.clock import now as now
    from rightstore.ids import new_id as new_id
    from rightstore.model.condition import Condition as Condition
    from rightstore.model.entity import Entity as Entity
    from rightstore.model.entity import version_of as version_of
    from rightstore.model.field import Field as Field
    from rightstore.model.field import Maybe as Maybe
    from rightstore.model.field import field as field
    from rightstore.model.job import Job as Job
    from rightstore.model.measure import count as count
    from rightstore.model.part import Part as Part
    from rightstore.model.path import FieldPath as FieldPath
    from rightstore.model.upgrade import upgrade as upgrade
    from rightstore.model.wish import Cache as Cache
    from rightstore.model.wish import Index as Index
    from rightstore.model.wish import Personal as Personal
    from rightstore.model.wish import Retain as Retain
    from rightstore.model.wish import Search as Search
    from rightstore.repository.answer import Page as Page
    from rightstore.repository.answer import Read as Read
    from rightstore.repository.repository import Repository as Repository
    from rightstore.repository.transaction import Transaction as Transaction
    from rightstore.settings import Settings as Settings
    from rightstore.stores.definition import Rightstore as Rightstore
    from rightstore.stores.stores import Stores as Stores
    from rightstore.table.track import track as track
    from rightstore.table.versioned import Versioned as Versioned

# Where each name is; the imports above say the same to the type checkers, and a test compares both.
_HOMES = {
    "Cache": "model.wish",
    "Condition": "model.condition",
    "Entity": "model.entity",
    "Field": "model.field",
    "FieldPath": "model.path",
    "Index": "model.wish",
    "Job": "model.job",
    "Maybe": "model.field",
    "Page": "repository.answer",
    "Part": "model.part",
    "Personal": "model.wish",
    "Read": "repository.answer",
    "Repository": "repository.repository",
    "Retain": "model.wish",
    "Rightstore": "stores.definition",
    "Search": "model.wish",
    "Settings": "settings",
    "Stores": "stores.stores",
    "Transaction": "repository.transaction",
    "Versioned": "table.versioned",
    "count": "model.measure",
    "errors": "errors",
    "field": "model.field",
    "new_id": "ids",
    "now": "clock",
    "track": "table.track",
    "upgrade": "model.upgrade",
    "version_of": "model.entity",
}

__all__ = list(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'rightstore' has no attribute {name!r}")
    try:
        module = _import(f"rightstore.{home}")
    except ModuleNotFoundError as error:
        if error.name != "sqlalchemy":
            raise
        needs = f"{name} needs the package sqlalchemy: pip install 'rightstore[postgres]'"
        raise ModuleNotFoundError(needs, name=error.name) from error
    found: object = module if home == name else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(_HOMES)
