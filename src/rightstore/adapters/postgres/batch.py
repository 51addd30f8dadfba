"""One statement for writes that belong together: it locks, tests, and writes all of them or none.

It gives a row for each write: what was there, and its version and body if it was written. Why
nothing was written is for the caller to find out, from what was there.
"""
# ruff: noqa: S608 - quoted names, expressions of this room and parameters only

from collections.abc import Sequence
from dataclasses import dataclass

from rightstore.adapters.postgres.body import to_json
from rightstore.adapters.postgres.edit import Editing
from rightstore.adapters.postgres.expression import Parameters
from rightstore.adapters.postgres.predicate import condition
from rightstore.adapters.postgres.table import WAL, Statement, Table
from rightstore.ports.records import Change, Delete, Put, Seen, Write

Item = tuple[Table, Write]


@dataclass(frozen=True, slots=True)
class _Part:
    """What one write does: to a record that lives, and to a key that holds none.

    A body that is None writes nothing; a condition says when it may.
    """

    fits: str
    body: str | None
    absent_fits: str
    absent_body: str | None
    schema: str


def batch(items: Sequence[Item]) -> Statement:
    """Return the statement that does these writes, no two of them to one record."""
    parameters = Parameters()
    # Locked in one order everywhere, each after the one before it, so that two of these statements
    # wait for each other and do not block.
    order = sorted(range(len(items)), key=lambda n: (items[n][0].name, items[n][1].key))
    before = dict(zip(order[1:], order, strict=False))
    steps = [_steps(n, item, before.get(n), parameters=parameters) for n, item in enumerate(items)]
    fits = " UNION ALL ".join(f"SELECT fits FROM new_{n}" for n in order)
    rows = " UNION ALL ".join(_row(n) for n in range(len(items)))
    parts = [steps[n][0] for n in order]
    parts.append(f"verdict AS MATERIALIZED (SELECT bool_and(fits) AS fits FROM ({fits}) AS each)")
    parts.extend(step for _, step in steps)
    return Statement(f"WITH {', '.join(parts)} {rows}", parameters.values)


def _row(n: int) -> str:
    return (
        f"SELECT {n} AS place, new_{n}.fits, new_{n}.there, new_{n}.old_version, "
        f"new_{n}.old_body, new_{n}.old_schema, done.version, done.body, done.schema, done.wal "
        f"FROM new_{n} LEFT JOIN (SELECT * FROM over_{n} UNION ALL SELECT * FROM made_{n}) AS done "
        "ON TRUE"
    )


def _steps(n: int, item: Item, before: int | None, *, parameters: Parameters) -> tuple[str, str]:
    """Return what reads and tests for a write, and what writes when all of them fit."""
    table, write = item
    turn = "" if before is None else f" AND (SELECT count(*) FROM old_{before}) >= 0"
    key = parameters.add(write.key, "text")
    lives = table.lives(table.scope(parameters).of_body("at.body"))
    part = _part(table, write, parameters)
    body = f"CASE WHEN NOT fits THEN NULL WHEN there THEN {part.body or 'NULL::json'} "
    body += f"ELSE {part.absent_body or 'NULL::json'} END"
    read = (
        f"old_{n} AS MATERIALIZED (SELECT at.version, at.body, at.schema, {lives} AS lives "
        f"FROM {table.name} AS at WHERE key = {key}{turn} FOR UPDATE), "
        f"judged_{n} AS MATERIALIZED (SELECT old.version, old.body, old.schema, "
        "COALESCE(old.lives, FALSE) AS there, CASE WHEN COALESCE(old.lives, FALSE) "
        f"THEN ({part.fits}) IS TRUE ELSE {part.absent_fits} END AS fits "
        f"FROM (SELECT) AS one LEFT JOIN old_{n} AS old ON TRUE), "
        f"new_{n} AS MATERIALIZED (SELECT fits, there, version IS NULL AS is_new, "
        "CASE WHEN there THEN version END AS old_version, "
        "CASE WHEN there AND NOT fits THEN body END AS old_body, schema AS old_schema, "
        f"{body} AS body FROM judged_{n} AS old)"
    )
    return read, _writes(n, item, part, parameters=parameters)


def _writes(n: int, item: Item, part: _Part, *, parameters: Parameters) -> str:
    table, write = item
    key = parameters.add(write.key, "text")
    returning = "RETURNING at.version, at.body, at.schema, at.wal"
    if isinstance(write, Seen):
        # A place is held where nothing is, so that nobody creates the record meanwhile.
        over, made, version, schema, write_id = "FALSE", "TRUE", 0, "0", "''"
    else:
        write_id = parameters.add(write.write_id, "text")
        over = "TRUE" if part.absent_body else f"new_{n}.there"
        made, version, schema = "TRUE" if part.absent_body else "FALSE", 1, part.schema
    return (
        f"over_{n} AS (UPDATE {table.name} AS at SET version = at.version + 1, "
        f"body = new_{n}.body, schema = {schema}, write_id = {write_id}, wal = {WAL} "
        f"FROM new_{n}, verdict WHERE verdict.fits AND at.key = {key} AND NOT new_{n}.is_new "
        f"AND {over} {returning}), "
        f"made_{n} AS (INSERT INTO {table.name} AS at (key, version, body, schema, write_id, wal) "
        f"SELECT {key}, {version}, new_{n}.body, {_bare(schema, table)}, {write_id}, {WAL} "
        f"FROM new_{n}, verdict WHERE verdict.fits AND new_{n}.is_new AND {made} {returning})"
    )


def _bare(schema: str, table: Table) -> str:
    return f"{table.declaration.schema:d}" if "at." in schema else schema


def _part(table: Table, write: Write, parameters: Parameters) -> _Part:
    if isinstance(write, Put):
        return _put(table, write, parameters)
    if isinstance(write, Change):
        return _change(table, write, parameters)
    if isinstance(write, Delete):
        is_any = write.expect == "any"
        fits = _expects(write.expect, parameters)
        return _Part(fits, "NULL::json", "TRUE" if is_any else "FALSE", None, "at.schema")
    fits = _expects(write.version, parameters) if write.version else "FALSE"
    return _Part(fits, None, "FALSE" if write.version else "TRUE", None, "0")


def _put(table: Table, write: Put, parameters: Parameters) -> _Part:
    body = parameters.add(to_json(write.data), "json")
    fits = "FALSE" if write.expect == 0 else _expects(write.expect, parameters)
    absent = "TRUE" if write.expect in ("any", 0) else "FALSE"
    return _Part(fits, body, absent, body, f"{table.declaration.schema:d}")


def _change(table: Table, write: Change, parameters: Parameters) -> _Part:
    schema = table.declaration.schema
    scope = table.scope(parameters).of_body("old.body")
    editing = Editing(scope, write.edits)
    fits = [_expects(write.expect, parameters), f"old.schema >= {schema:d}", editing.fits]
    if write.when is not None:
        fits.insert(0, condition(scope, write.when))
    created = None
    if write.or_create is not None and write.expect in ("any", 0):
        created = parameters.add(to_json(write.or_create), "json")
    absent = "FALSE" if created is None else "TRUE"
    newest = f"GREATEST(at.schema, {schema:d})"
    return _Part(" AND ".join(fits), editing.body, absent, created, newest)


def _expects(expect: int | str, parameters: Parameters) -> str:
    return "TRUE" if expect == "any" else f"old.version = {parameters.add(expect, 'bigint')}"
