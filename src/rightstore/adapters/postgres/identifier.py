"""Names and constants in SQL text: checked and quoted. Values never come through here.

What is quoted here comes from declarations, which are code; what callers ask travels as parameters.
"""

import re

from rightstore.errors import UsageError
from rightstore.model.declaration import Declaration

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


def namespace_of(name: str) -> str:
    """Return the schema of an application, quoted; UsageError when the name is none."""
    if not _NAMESPACE.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of an application: take a-z, 0-9 and '_', a letter first, "
            "40 at most."
        )
    return quoted(name)


def quoted(name: str) -> str:
    """Return a name as an identifier."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for PostgreSQL: take letters, digits and '_'.")
    return f'"{name}"'


def literal(text: str) -> str:
    """Return a text of a declaration as a constant."""
    if "\0" in text:
        raise UsageError("A name or a value of a declaration holds U+0000: take it out.")
    body = text.replace("'", "''")
    if "\\" not in body:
        return f"'{body}'"
    # The form whose meaning no setting of the server changes.
    return "E'" + body.replace("\\", "\\\\") + "'"


def table_of(namespace: str, declaration: Declaration) -> str:
    """Return the table of an entity, quoted, in its schema."""
    return f"{namespace_of(namespace)}.{quoted(declaration.name)}"
