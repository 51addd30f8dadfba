"""The statements of get, put and delete, and of many of them at once. It runs none.

Each holds its own check of the version: a row comes back exactly when the write was made. A text is
made once for an entity, so that the server prepares it once.
"""
# ruff: noqa: S608 - quoted names, expressions of this room and parameters only

from collections.abc import Callable, Sequence

from rightstore.adapters.postgres.body import to_json
from rightstore.adapters.postgres.expression import Parameters
from rightstore.adapters.postgres.table import COLUMNS, WAL, Statement, Table
from rightstore.mutant import mutant
from rightstore.ports.records import Delete, Expect, Put

_INTO = "(key, version, body, schema, write_id, wal)"
_OVERWRITE = (
    "ON CONFLICT (key) DO UPDATE SET version = at.version + 1, body = excluded.body, "
    f"schema = excluded.schema, write_id = excluded.write_id, wal = {WAL}"
)
_GIVEN = (
    "SELECT key, body, write_id, expect::bigint AS expect "
    # Arrays of text only: for others the driver would have to ask the server what they are.
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) "
    "AS list(key, body, write_id, expect)"
)
_ANY = -1


class Statements:
    """The statements that read and write records of one entity by their keys."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._texts: dict[str, str] = {}

    def get(self, key: str) -> Statement:
        """Return what reads one record."""
        return self._statement(
            "get",
            [key],
            lambda lives: f"SELECT {COLUMNS} FROM {self._name} AS at WHERE key = $1 AND {lives}",
        )

    def get_many(self, keys: Sequence[str]) -> Statement:
        """Return what reads the records of these keys, in any order."""
        return self._statement(
            "get_many",
            [list(keys)],
            lambda lives: (
                f"SELECT {COLUMNS} FROM {self._name} AS at WHERE key = ANY($1::text[]) AND {lives}"
            ),
        )

    def look(self, keys: Sequence[str]) -> Statement:
        """Return what reads the rows of these keys, tombstones and expired ones too."""
        text = f"SELECT {COLUMNS} FROM {self._name} WHERE key = ANY($1::text[])"
        return Statement(text, [list(keys)])

    def put(self, write: Put) -> Statement:
        """Return what puts one record."""
        schema = self._table.declaration.schema
        values = [write.key, to_json(write.data), schema, write.write_id]
        expect: Expect = "any" if mutant("no_version_check") else write.expect
        insert = (
            f"INSERT INTO {self._name} AS at {_INTO} VALUES ($1, 1, $2, $3, $4, {WAL}) {_OVERWRITE}"
        )
        if expect == "any":
            return Statement(f"{insert} RETURNING version, wal", values)
        if expect == 0:
            return self._statement(
                "put_new",
                values,
                lambda lives: f"{insert} WHERE ({lives}) IS NOT TRUE RETURNING version, wal",
            )
        return self._statement(
            "put_over",
            [*values, expect],
            lambda lives: (
                f"UPDATE {self._name} AS at SET version = version + 1, body = $2, schema = $3, "
                f"write_id = $4, wal = {WAL} WHERE key = $1 AND version = $5 AND {lives} "
                "RETURNING version, wal"
            ),
        )

    def delete(self, write: Delete) -> Statement:
        """Return what leaves a tombstone where there is a record."""
        text = (
            f"UPDATE {self._name} AS at SET version = version + 1, body = NULL, write_id = $2, "
            f"wal = {WAL} WHERE key = $1 AND "
        )
        end = "RETURNING version, wal"
        values = [write.key, write.write_id]
        if write.expect == "any":
            return self._statement("delete", values, lambda lives: f"{text}{lives} {end}")
        return self._statement(
            "delete_over",
            [*values, write.expect],
            lambda lives: f"{text}version = $3 AND {lives} {end}",
        )

    def put_many(self, writes: Sequence[Put]) -> Statement:
        """Return what puts each of these; it gives key, version and log of those it made.

        In the order of their keys, so that two of them wait for each other and do not block.
        """
        ordered = sorted(writes, key=lambda write: write.key)
        expects = [_ANY if write.expect == "any" else write.expect for write in ordered]
        kinds = sorted({min(expect, 1) for expect in expects})
        values = [
            [write.key for write in ordered],
            [to_json(write.data) for write in ordered],
            [write.write_id for write in ordered],
            [str(expect) for expect in expects],
        ]
        return self._statement(
            f"put_many {kinds}", values, lambda lives: self._put_many(kinds, lives)
        )

    def _put_many(self, kinds: Sequence[int], lives: str) -> str:
        parts = {_ANY: self._insert(_ANY, ""), 1: self._update(lives)}
        parts[0] = self._insert(0, f"WHERE ({lives}) IS NOT TRUE ")
        made = [f"made_{n} AS ({parts[kind]})" for n, kind in enumerate(kinds)]
        rows = " UNION ALL ".join(f"SELECT * FROM made_{n}" for n in range(len(kinds)))
        return f"WITH given AS ({_GIVEN}), {', '.join(made)} {rows}"

    def _insert(self, expect: int, where: str) -> str:
        return (
            f"INSERT INTO {self._name} AS at {_INTO} SELECT key, 1, body::json, "
            f"{self._table.declaration.schema:d}, write_id, {WAL} FROM given "
            f"WHERE expect = {expect:d} ORDER BY key {_OVERWRITE} {where}"
            "RETURNING key, version, wal"
        )

    def _update(self, lives: str) -> str:
        return (
            f"UPDATE {self._name} AS at SET version = at.version + 1, body = given.body::json, "
            f"schema = {self._table.declaration.schema:d}, write_id = given.write_id, wal = {WAL} "
            "FROM given WHERE given.expect > 0 AND at.key = given.key "
            f"AND at.version = given.expect AND {lives} RETURNING at.key, at.version, at.wal"
        )

    @property
    def _name(self) -> str:
        return self._table.name

    def _statement(
        self, name: str, values: Sequence[object], text: Callable[[str], str]
    ) -> Statement:
        """Make a text once; what is expired may need one more value, behind the others."""
        parameters = Parameters(*values)
        if name not in self._texts or self._table.is_watched:
            scope = self._table.scope(parameters).of_body("at.body")
            self._texts[name] = text(self._table.lives(scope))
        return Statement(self._texts[name], parameters.values)
