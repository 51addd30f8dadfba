"""Field and Maybe: on a class the expression, on a record the value. It asks nothing."""

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from rightstore.model.member import Member, rename_of
from rightstore.model.nested import Nested
from rightstore.model.path import FieldPath, path_to
from rightstore.model.place import Place

T = TypeVar("T")
P = TypeVar("P", bound=Nested)


class Field(Generic[T]):
    """`price: Field[Decimal]`: on the class an expression, on a record the value."""

    if TYPE_CHECKING:

        @overload
        def __get__(self: "Field[P]", instance: None, owner: type[Any]) -> type[P]: ...
        @overload
        def __get__(self, instance: None, owner: type[Any]) -> FieldPath[T]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> T: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...
        def __set__(self, instance: object, value: T) -> None: ...

    else:

        def __init__(self, member: Member) -> None:
            self._member = member

        # No __set__: a value in the instance's dict wins, so reading a record costs nothing extra.
        def __get__(self, instance, owner):
            member = self._member
            if instance is not None:
                raise AttributeError(f"{member} has no value in this record.")
            return path_to(
                Place(owner, (member.name,), (member.stored(rename_of(owner)),), member.kind)
            )


class Maybe(Generic[P]):
    """A part that may be absent.

    Its own word, because mypy cannot tell Field[Part | None] from Field[str | None].
    """

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type[Any]) -> type[P]: ...
        @overload
        def __get__(self, instance: object, owner: type[Any]) -> P | None: ...
        def __get__(self, instance: object | None, owner: type[Any]) -> Any: ...
        def __set__(self, instance: object, value: P | None) -> None: ...


if TYPE_CHECKING:

    def field(
        *,
        default: Any = ...,
        default_factory: type[Any] | Callable[[], Any] = ...,
        stored_as: str | None = None,
    ) -> Any:
        """Give a field its default, or its name in the store."""
        ...

else:

    def field(*, default=MISSING, default_factory=MISSING, stored_as=None):
        """Give a field its default, or its name in the store."""
        is_double = default is not MISSING and default_factory is not MISSING
        return dataclasses.field(
            default=default,
            default_factory=MISSING if is_double else default_factory,
            # Whose field it is is not known here: `shape` refuses it by name.
            metadata={"stored_as": stored_as, "is_double": is_double},
        )
