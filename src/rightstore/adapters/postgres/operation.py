"""What Alembic finds to be different, as steps: which statements, how gently, and what they cost.

It asks no server. Whatever builds an index or judges rows does it without keeping writers out.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from sqlalchemy import Enum, String
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.postgresql.named_types import CreateEnumType

from rightstore.adapters.postgres.ddl import Order, literal, quoted
from rightstore.ports.schema import Step

DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
ONCE = "DO {body}"
TYPE = "CREATE TYPE "
Found = Iterator[Step]


def steps(op: Any, *, fresh: frozenset[str] = frozenset()) -> Found:
    """Yield the steps of one operation; `fresh` are the tables that this plan makes."""
    translate = _TRANSLATIONS.get(type(op))
    if translate is None:
        yield _step(op, _action(op), destructive=True, phase="contract")
        return
    for step in translate(op):
        is_fresh = getattr(op, "table_name", None) in fresh
        yield _inside(op) if is_fresh and isinstance(op, ops.CreateIndexOp) else step


def rendered(op: Any) -> tuple[str, ...]:
    """Return an operation as statements of SQL."""
    said = _Statements()
    context = MigrationContext.configure(
        dialect=DIALECT, opts={"as_sql": True, "output_buffer": said, "literal_binds": True}
    )
    Operations(context).invoke(op)
    return tuple(_repeatable(statement) for statement in said.all)


class _Statements:
    """Where Alembic writes, one statement at a time."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def write(self, text: str) -> None:
        statement = text.strip().rstrip(";").strip()
        if statement:
            self.all.append(statement)

    def flush(self) -> None: ...


def _create_table(op: ops.CreateTableOp) -> Found:
    yield _step(op, "create the table")


def _drop_table(op: ops.DropTableOp) -> Found:
    yield _step(op, "drop the table with all its rows", destructive=True, phase="contract")


def _add_column(op: ops.AddColumnOp) -> Found:
    column = op.column
    kind = column.type.compile(DIALECT)
    types = _types(column.type)
    is_needed = not column.nullable and column.server_default is None
    is_made = column.identity is not None or column.computed is not None
    action = f"add the column {column.name} {kind}"
    if is_needed and not is_made:
        yield _step(
            op,
            f"{action} NOT NULL (with no server_default it fails as soon as there are rows)",
            order=Order((*types, *rendered(op))),
            phase="contract",
            needed=True,
        )
    else:
        yield _step(op, action, order=Order((*types, *rendered(op))))


def _drop_column(op: ops.DropColumnOp) -> Found:
    action = f"drop the column {op.column_name} with all its values"
    yield _step(op, action, destructive=True, phase="contract")


def _create_index(op: ops.CreateIndexOp) -> Found:
    name = str(op.index_name)
    op.kw["postgresql_concurrently"] = True
    # What a build that was interrupted left is of no use, and bars the name.
    order = Order((_drop_index(name), *rendered(op)), alone=True)
    unique = " unique" if op.unique else ""
    yield _step(
        op,
        f"build the{unique} index {name} while others write",
        order=order,
        phase="contract" if op.unique else "expand",
    )


def _inside(op: ops.CreateIndexOp) -> Step:
    op.kw.pop("postgresql_concurrently", None)
    return _step(op, f"create the index {op.index_name}")


def _remove_index(op: ops.DropIndexOp) -> Found:
    is_unique = bool(op.to_index().unique)
    action = f"drop the {'unique ' if is_unique else ''}index {op.index_name}"
    order = Order((_drop_index(str(op.index_name)),), alone=True)
    yield _step(op, action, order=order, destructive=is_unique, phase="contract")


def _add_unique(op: ops.CreateUniqueConstraintOp) -> Found:
    columns = [str(column) for column in op.columns]
    name = str(op.constraint_name or f"{op.table_name}_{'_'.join(columns)}_key")
    table, index = quoted(op.table_name), quoted(name)
    listed = ", ".join(map(quoted, columns))
    order = Order(
        (
            _drop_index(name),
            f"CREATE UNIQUE INDEX CONCURRENTLY {index} ON {table} ({listed})",
            f"ALTER TABLE {table} ADD CONSTRAINT {index} UNIQUE USING INDEX {index}",
        ),
        alone=True,
    )
    yield _step(op, f"make {', '.join(columns)} unique", order=order, phase="contract")


def _add_reference(op: ops.CreateForeignKeyOp) -> Found:
    name = str(op.constraint_name or f"{op.source_table}_{'_'.join(op.local_cols)}_fkey")
    op.constraint_name = name
    op.kw["postgresql_not_valid"] = True
    table = quoted(op.source_table)
    order = Order(
        (
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {quoted(name)}",
            *rendered(op),
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(name)}",
        ),
        alone=True,
    )
    columns = ", ".join(op.local_cols)
    action = f"make {columns} refer to {op.referent_table}({', '.join(op.remote_cols)})"
    yield _step(op, action, order=order, phase="contract")


def _drop_constraint(op: ops.DropConstraintOp) -> Found:
    action = f"drop the rule {op.constraint_name}"
    yield _step(op, action, destructive=True, phase="contract")


def _alter_column(op: ops.AlterColumnOp) -> Found:
    """Yield one step for each aspect of the column that changes."""
    if op.modify_type is not None:
        yield _retype(op)
    if op.modify_nullable is False:
        yield _require(op)
    elif op.modify_nullable:
        yield _aspect(op, "let it be NULL", modify_nullable=True)
    if op.modify_server_default is not False:
        yield _aspect(op, "change its default", modify_server_default=op.modify_server_default)
    if op.modify_comment is not False:
        yield _aspect(op, "change its comment", modify_comment=op.modify_comment)


def _retype(op: ops.AlterColumnOp) -> Step:
    new: Any = op.modify_type
    step = _aspect(op, f"make it {new.compile(DIALECT)}", modify_type=new)
    order = Order((*_types(new), *step.order.statements))
    if _is_wider(op.existing_type, new):
        return replace(step, order=order)
    action = f"{step.action}, which rewrites every row"
    return replace(step, order=order, action=action, destructive=True, phase="contract")


def _require(op: ops.AlterColumnOp) -> Step:
    """Return a step that looks at the rows before it locks the table for a moment."""
    table, column = quoted(op.table_name), quoted(op.column_name)
    check = quoted(f"{op.column_name}_is_there")
    order = Order(
        (
            f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check}",
            f"ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID",
            f"ALTER TABLE {table} VALIDATE CONSTRAINT {check}",
            f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL",
            f"ALTER TABLE {table} DROP CONSTRAINT {check}",
        ),
        alone=True,
    )
    step = _aspect(op, "let it be NULL no more", modify_nullable=False)
    return replace(step, order=order, phase="contract")


def _aspect(op: ops.AlterColumnOp, action: str, **modified: Any) -> Step:
    """Return the step that changes only this of a column."""
    one = ops.AlterColumnOp(
        op.table_name,
        op.column_name,
        existing_type=op.existing_type,
        existing_nullable=op.existing_nullable,
        existing_server_default=op.existing_server_default,
        existing_comment=op.existing_comment,
        **modified,
    )
    return _step(one, f"column {op.column_name}: {action}")


def _comment(op: Any) -> Found:
    yield _step(op, "change its comment")


def _step(op: Any, action: str, *, order: Order | None = None, **more: Any) -> Step:
    table = getattr(op, "table_name", None) or getattr(op, "source_table", "")
    return Step("postgres", f"table {table}", action, order=order or Order(rendered(op)), **more)


def _action(op: Any) -> str:
    return "; ".join(rendered(op))


def _drop_index(name: str) -> str:
    return f"DROP INDEX CONCURRENTLY IF EXISTS {quoted(name)}"


def _types(kind: Any) -> tuple[str, ...]:
    """Return what makes the type of a column first, where it is one of its own."""
    actual = kind.dialect_impl(DIALECT)
    if not isinstance(kind, Enum) or not getattr(actual, "create_type", False):
        return ()
    return (_repeatable(str(CreateEnumType(actual).compile(dialect=DIALECT))),)


def _repeatable(statement: str) -> str:
    """Return a statement that does no harm where a type is there: two tables may share it."""
    if not statement.startswith(TYPE):
        return statement
    body = f"BEGIN {statement}; EXCEPTION WHEN duplicate_object THEN NULL; END"
    return ONCE.format(body=literal(body))


def _is_wider(old: Any, new: Any) -> bool:
    """Tell whether every value stays as it is and no row is touched: a text may be longer."""
    if not (isinstance(old, String) and isinstance(new, String)) or isinstance(new, Enum):
        return False
    return new.length is None or (old.length is not None and old.length <= new.length)


_TRANSLATIONS: Mapping[type[Any], Callable[[Any], Found]] = {
    ops.CreateTableOp: _create_table,
    ops.DropTableOp: _drop_table,
    ops.AddColumnOp: _add_column,
    ops.DropColumnOp: _drop_column,
    ops.CreateIndexOp: _create_index,
    ops.DropIndexOp: _remove_index,
    ops.CreateUniqueConstraintOp: _add_unique,
    ops.CreateForeignKeyOp: _add_reference,
    ops.DropConstraintOp: _drop_constraint,
    ops.AlterColumnOp: _alter_column,
    ops.CreateTableCommentOp: _comment,
    ops.DropTableCommentOp: _comment,
}
