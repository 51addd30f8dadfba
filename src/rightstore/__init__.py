"""Rightstore: declare your entities once; each lives in the store that suits it.

Importing this loads no driver and no settings library: what is heavy comes at its first use.
"""

from typing import TYPE_CHECKING

from rightstore import errors as errors
from rightstore.clock import now as now
from rightstore.ids import new_id as new_id

if TYPE_CHECKING:
    from rightstore.settings import Settings as Settings

__all__ = ["Settings", "errors", "new_id", "now"]


def __getattr__(name: str) -> object:
    if name == "Settings":
        from rightstore.settings import Settings  # noqa: PLC0415 - pydantic-settings takes 0.2 s

        return Settings
    raise AttributeError(f"module 'rightstore' has no attribute {name!r}")
