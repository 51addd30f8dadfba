"""Whether the default of a column is the one that its model declares. Only plans ask this.

The server tells a default in its own words; where these differ it is asked whether both are equal.
"""

import re
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Column, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from rightstore.adapters.postgres.operation import DIALECT

# The server says of which type a constant is; a model need not.
_CAST = re.compile(r"::[a-z][\w .]*(\(\d+(,\d+)?\))?(\[\])*$", re.IGNORECASE)
_SERIAL = "nextval("


def judge_defaults(context: MigrationContext) -> None:
    """Let Alembic judge in this way; its own stumbles over quotes and over what is volatile."""

    def differs(_: Column[Any], column: Column[Any], __: str, there: str | None) -> bool:
        is_serial = there is not None and there.startswith(_SERIAL)
        declared = _text(column)
        if declared is None or there is None:
            return declared != there and not is_serial
        if is_serial:  # to ask for its value would take one
            return _bare(declared) != _bare(there.replace("::regclass", ""))
        return _bare(declared) != _bare(there) and not _is_equal(context, declared, there)

    context.impl.compare_server_default = differs  # type: ignore[method-assign] # of this context only


def _text(column: Column[Any]) -> str | None:
    compiler = DIALECT.ddl_compiler(DIALECT, CreateTable(column.table))
    found = compiler.get_column_default_string(column)
    return None if found is None else str(found)


def _bare(default: str) -> str:
    """Return a default without casts and parentheses around it, in one case."""
    bare = default.strip()
    while _CAST.search(bare):
        bare = _CAST.sub("", bare).strip()
    return bare.strip("()").casefold() if bare.endswith("()") else bare.strip("()")


def _is_equal(context: MigrationContext, declared: str, there: str) -> bool:
    """Ask the server; what it cannot compare counts as equal, or a plan would never be empty."""
    connection = context.connection
    assert connection is not None  # noqa: S101 - a plan has one
    question = f"SELECT ({there}) = ({declared})"
    try:
        with connection.begin_nested():
            return bool(connection.execute(text(question.replace(":", r"\:"))).scalar())
    except DBAPIError:
        return True
