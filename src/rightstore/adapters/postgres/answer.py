"""What the server's refusal of a statement about records means, by SQLSTATE, not by its text."""

import asyncpg

from rightstore.errors import (
    ConstraintError,
    RejectedError,
    RightstoreError,
    StateError,
    VersionConflictError,
)

# The answers after which it is open what became of a statement: the server ended in the middle.
_OPEN = ("08", "57P", "40003")
# No such table, no such schema, no such collation.
_NO_ROOM = ("42P01", "3F000", "42704")
_AGAIN = "another transaction was in the way and nothing was changed: do it again"
_ANSWERS: tuple[tuple[str, type[StateError], str], ...] = (
    ("40001", VersionConflictError, _AGAIN),
    ("40P01", VersionConflictError, _AGAIN),
    (
        "23505",
        ConstraintError,
        "another record has the same value, and a unique Index forbids it: take another value",
    ),
    (
        "23",
        ConstraintError,
        "the table does not take this value: nothing was changed; correct the value",
    ),
    (
        "22003",
        ConstraintError,
        "a number would leave the range of its type: nothing was changed",
    ),
    (
        "54000",
        ConstraintError,
        "a value is too long for an Index on it: shorten it, or drop the Index",
    ),
)


class KeyTakenError(Exception):
    """Another writer created the row in the same moment. It does not leave this room."""


def is_answer(error: asyncpg.PostgresError) -> bool:
    """Tell whether the server has refused the statement: then it has no effect.

    What ends the session or the server, whatever its code, may have come after the commit was
    written: a disk that fails while it is flushed, for one.
    """
    # Without a severity it is the driver's own, which has not sent the statement.
    severity: object = getattr(error, "severity_en", None)
    return severity in (None, "ERROR") and not (error.sqlstate or "08").startswith(_OPEN)


def refusal(name: str, error: Exception, operation: str) -> RightstoreError | KeyTakenError | None:
    """Return the error of ours for a refusal; None when it says nothing about records."""
    code = getattr(error, "sqlstate", None) or ""
    if code == "23505" and str(getattr(error, "constraint_name", "")).endswith("_pkey"):
        return KeyTakenError()
    if code in _NO_ROOM:
        return RejectedError(
            f"postgres has no room for {name} yet: run `rightstore schema apply`.",
            store="postgres",
            operation=operation,
            outcome="not applied",
        )
    for prefix, kind, says in _ANSWERS:
        if code.startswith(prefix):
            return kind(f"{name}: {says}.")
    return None
