"""What PostgreSQL and SQLAlchemy say no to, in our words, for statements that applications wrote.

It parses no message and quotes no value. What is no answer at all is in `errors`.
"""

import asyncpg
from sqlalchemy import exc
from sqlalchemy.orm.exc import StaleDataError

from rightstore.adapters.postgres.errors import DRIVER_ERRORS, translated
from rightstore.errors import (
    ConstraintError,
    DeadlineError,
    NotFoundError,
    RightstoreError,
    StoreError,
    ThrottledError,
    UsageError,
    VersionConflictError,
)

MOVED_ON = "another transaction changed the same rows first; nothing was changed: do it again"
# The first row whose beginning of the SQLSTATE fits holds.
ANSWERS: tuple[tuple[str, type[RightstoreError], str], ...] = (
    ("40001", VersionConflictError, MOVED_ON),
    ("40P01", VersionConflictError, MOVED_ON),
    ("25006", UsageError, "this session only reads: write in a transaction"),
    (
        "25P02",
        UsageError,
        "a statement failed before, and its error was caught: nothing of the transaction can be "
        "kept; put what may fail into begin_nested()",
    ),
    ("22", ConstraintError, "a value does not fit its column or its use: correct it"),
    ("42501", UsageError, "this user has no right to do it: grant it, or connect as the owner"),
    ("42", UsageError, "the statement or its tables are wrong: correct it, or apply the schema"),
)
IDLE_TOO_LONG = ("25P03", "25P04")


def judge(error: BaseException, *, at: str, is_over: bool) -> RightstoreError | None:
    """Return ours for an error of the driver; None for what is none of it.

    `is_over`: what failed cannot have been a COMMIT, so nothing of the transaction will ever apply.
    """
    error = _origin(error)
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate:
        answer = _answer(error, error.sqlstate, at)
        if answer is not None:
            return answer
    elif isinstance(error, asyncpg.DataError):
        return ConstraintError(
            f"postgres at {at}: a value does not fit its column: give it the type of the column"
        )
    if not isinstance(error, DRIVER_ERRORS):
        return None
    failure = _failure(error, at)
    if is_over or was_refused(error):
        failure.outcome = "not applied"
    return failure


def was_refused(error: BaseException) -> bool:
    """Tell whether the server itself refused, and serves on: then nothing was applied."""
    severity: object = getattr(_origin(error), "severity_en", None)
    return severity == "ERROR"


def judge_orm(error: exc.SQLAlchemyError, *, at: str) -> RightstoreError:
    """Return ours for an error of SQLAlchemy itself."""
    found = judge(error, at=at, is_over=True)
    if found is not None:
        return found
    if isinstance(error, StaleDataError):
        return VersionConflictError(f"postgres at {at}: {MOVED_ON}")
    if isinstance(error, exc.NoResultFound):
        return NotFoundError(f"postgres at {at}: there is no such row")
    if isinstance(error, exc.TimeoutError):
        return ThrottledError(
            f"postgres at {at}: no connection of the pool came free in time: raise "
            "DB_POOL_MAX_SIZE, or keep transactions shorter",
            store="postgres",
            operation="transaction",
            outcome="not applied",
        )
    return UsageError(
        f"postgres at {at}: SQLAlchemy refuses what it was asked ({type(error).__name__}): correct "
        "the use of the session; the cause of this error says more"
    )


def _answer(error: asyncpg.PostgresError, code: str, at: str) -> RightstoreError | None:
    if code.startswith("23"):
        return _constraint(error, at)
    if code in IDLE_TOO_LONG:
        return DeadlineError(
            f"postgres at {at} ended a transaction that stood idle or open too long: do nothing "
            "slow inside a transaction",
            store="postgres",
            operation="transaction",
            outcome="not applied",
        )
    for prefix, kind, says in ANSWERS:
        if code.startswith(prefix):
            return kind(f"postgres at {at}: {says}")
    return None


def _constraint(error: asyncpg.PostgresError, at: str) -> ConstraintError:
    """Name the rule, never the value that broke it."""
    rule = getattr(error, "constraint_name", None)
    column = getattr(error, "column_name", None)
    named = f"the constraint {rule}" if rule else f"NOT NULL of {column}" if column else "a rule"
    table = getattr(error, "table_name", None)
    of = f" of the table {table}" if table else ""
    return ConstraintError(f"postgres at {at}: {named}{of} forbids this: correct the values")


def _failure(error: BaseException, at: str) -> StoreError:
    try:
        with translated("statement", at=at):
            raise error
    except StoreError as failure:
        return failure


def _origin(error: BaseException) -> BaseException:
    """Return what the driver raised: SQLAlchemy wraps it, and its dialect once more before."""
    while isinstance(error, exc.DBAPIError) and error.orig is not None:
        error = error.orig
    if type(error).__module__.startswith("sqlalchemy.dialects") and error.__cause__ is not None:
        return error.__cause__
    return error
