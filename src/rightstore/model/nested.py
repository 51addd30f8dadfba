"""What a Part is to the checkers, below all that builds one: its mark, and what its class says."""

from typing import TYPE_CHECKING, TypeVar

from rightstore.model.condition import Condition
from rightstore.model.edit import Edit

P = TypeVar("P", bound="Nested")


class NestedType(type):
    """What can be said of a whole part on the class of its entity: `Notification.geo.exists()`."""

    if TYPE_CHECKING:

        def exists(cls) -> Condition:
            """The part is there."""
            ...

        def set(cls: type[P], value: P | None) -> Edit:  # type: ignore[misc]  # of a metaclass
            """The part becomes this one, or goes."""
            ...


class Nested(metaclass=NestedType):
    """Mark of the classes whose values live inside an entity."""

    __part__ = True
