"""Selections: values of some fields, or aggregates over groups, as rows with exact types."""

from typing import Any, TypeVar, overload

from rightstore.model import query
from rightstore.model.condition import Expr
from rightstore.model.declaration import Declaration
from rightstore.ports.records import Find, Queries

T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
T6 = TypeVar("T6")
T7 = TypeVar("T7")
T8 = TypeVar("T8")


class Selection:
    """The part of a query that selects from what it finds."""

    __slots__ = ("_declaration", "_queries", "_what")

    def __init__(self, declaration: Declaration, queries: Queries, what: Find) -> None:
        self._declaration, self._queries, self._what = declaration, queries, what

    @overload
    async def select(self, a: Expr[T1], /) -> list[tuple[T1]]: ...
    @overload
    async def select(self, a: Expr[T1], b: Expr[T2], /) -> list[tuple[T1, T2]]: ...
    @overload
    async def select(self, a: Expr[T1], b: Expr[T2], c: Expr[T3], /) -> list[tuple[T1, T2, T3]]: ...
    @overload
    async def select(
        self, a: Expr[T1], b: Expr[T2], c: Expr[T3], d: Expr[T4], /
    ) -> list[tuple[T1, T2, T3, T4]]: ...
    @overload
    async def select(
        self, a: Expr[T1], b: Expr[T2], c: Expr[T3], d: Expr[T4], e: Expr[T5], /
    ) -> list[tuple[T1, T2, T3, T4, T5]]: ...
    @overload
    async def select(
        self, a: Expr[T1], b: Expr[T2], c: Expr[T3], d: Expr[T4], e: Expr[T5], f: Expr[T6], /
    ) -> list[tuple[T1, T2, T3, T4, T5, T6]]: ...
    @overload
    async def select(
        self,
        a: Expr[T1],
        b: Expr[T2],
        c: Expr[T3],
        d: Expr[T4],
        e: Expr[T5],
        f: Expr[T6],
        g: Expr[T7],
        /,
    ) -> list[tuple[T1, T2, T3, T4, T5, T6, T7]]: ...
    @overload
    async def select(
        self,
        a: Expr[T1],
        b: Expr[T2],
        c: Expr[T3],
        d: Expr[T4],
        e: Expr[T5],
        f: Expr[T6],
        g: Expr[T7],
        h: Expr[T8],
        /,
    ) -> list[tuple[T1, T2, T3, T4, T5, T6, T7, T8]]: ...
    async def select(self, *columns: Expr[Any]) -> list[Any]:
        """Return only these values; with an aggregate among them, grouped by the others."""
        checked = query.columns(self._declaration, columns)
        return await self._queries.select(self._what, checked)
