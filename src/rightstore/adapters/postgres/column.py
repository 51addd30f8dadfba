"""Values of a model's columns as the driver takes and gives them. It runs no statement.

SQLAlchemy's own types convert; a default that is an expression of SQL is left to the database.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias

from sqlalchemy import Column, Float, inspect
from sqlalchemy.orm import InstanceState
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import TypeDecorator, TypeEngine

from rightstore.adapters.postgres.dialect import TextJsonDialect
from rightstore.errors import UsageError
from rightstore.table.track import Row, TrackedTable
from rightstore.table.versioned import COLUMN

Convert: TypeAlias = "Callable[[Any], Any] | None"
DIALECT = TextJsonDialect()
# By these the types of SQLAlchemy tell a float from a decimal.
NUMERIC, DOUBLE = 1700, 701


class Columns(Generic[Row]):
    """The columns of one tracked table."""

    def __init__(self, tracked: TrackedTable[Row]) -> None:
        self._mapper = tracked.mapper
        self.key = tuple(column.name for column in tracked.key)
        found = {
            prop.columns[0].name: (prop.key, tracked.table.columns[prop.columns[0].name])
            for prop in self._mapper.column_attrs
        }
        # Keys first: what locks rows does so in the order of its values.
        rest = (name for name in found if name not in self.key)
        self._columns = {name: found[name] for name in (*self.key, *rest)}
        self._bind = {name: _binder(column) for name, (_, column) in self._columns.items()}
        self._result = {name: _reader(column) for name, (_, column) in self._columns.items()}

    def key_values(self, key: object) -> tuple[Any, ...]:
        """Return a key as the driver takes it; UsageError when it has another number of parts."""
        parts = tuple(key) if isinstance(key, tuple) else (key,)
        if len(parts) != len(self.key) or None in parts:
            raise UsageError(
                f"a key of {self._mapper.class_.__name__} is {', '.join(self.key)}: give a value "
                "for each, as a tuple when there are several"
            )
        return tuple(self._bound(name, part) for name, part in zip(self.key, parts, strict=True))

    def given(self, row: Row, *, is_new: bool) -> dict[str, Any]:
        """Return what is to be written of a row, by column; the version is the database's."""
        state: InstanceState[Row] = inspect(row)
        if state.session is not None:
            raise UsageError(
                f"this {type(row).__name__} belongs to a session, which writes it: put one that "
                "was made anew, or change it in the transaction."
            )
        found: dict[str, Any] = {}
        for name, (attribute, column) in self._columns.items():
            if name == COLUMN or column.computed is not None:
                continue
            has, value = _value(state, attribute, column, is_new=is_new)
            if has and not (value is None and name in self.key):
                found[name] = self._bound(name, value)
        return found

    def fill(self, row: Row, record: Mapping[str, Any]) -> Row:
        """Give a row what the database has."""
        for name, (attribute, _) in self._columns.items():
            convert = self._result[name]
            value = record[name]
            set_committed_value(row, attribute, convert(value) if convert else value)
        return row

    def make(self, record: Mapping[str, Any]) -> Row:
        """Return a transient row, made without its constructor."""
        return self.fill(self._mapper.class_manager.new_instance(), record)

    @property
    def names(self) -> Sequence[str]:
        """The columns in order, keys first."""
        return tuple(self._columns)

    def _bound(self, name: str, value: Any) -> Any:
        convert = self._bind[name]
        return convert(value) if convert else value


def _value(
    state: "InstanceState[Any]", attribute: str, column: Column[Any], *, is_new: bool
) -> tuple[bool, Any]:
    """Return whether there is a value to write, and which; what Python makes it makes here."""
    is_set = attribute in state.dict
    made: Any = column.default if is_new else column.onupdate
    is_ours = not is_set if is_new else attribute in state.unmodified
    if made is not None and is_ours and (made.is_scalar or made.is_callable):
        return True, made.arg(None) if made.is_callable else made.arg
    if made is not None and is_ours and made.is_clause_element:
        raise UsageError(
            f"{column.name}: its default is an expression of SQL, which put() does not run: "
            "declare it as server_default, or write in a transaction."
        )
    return is_set, state.dict.get(attribute)


def _binder(column: Column[Any]) -> Convert:
    kind: TypeEngine[Any] = column.type.dialect_impl(DIALECT)
    return kind.bind_processor(DIALECT)


def _reader(column: Column[Any]) -> Convert:
    kind: TypeEngine[Any] = column.type.dialect_impl(DIALECT)
    inner = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    item = getattr(inner, "item_type", inner)  # of an array
    return kind.result_processor(DIALECT, DOUBLE if isinstance(item, Float) else NUMERIC)
