"""Part: a value inside an entity. It has no key, no version and no place of its own."""

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

from rightstore.model.field import field
from rightstore.model.nested import Nested
from rightstore.model.shape import shape


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class Part(Nested):
    """A value inside an entity; on the entity's class: its fields, `.exists()`, `.set(part)`."""

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, *, frozen: bool = False) -> None:
        shape(cls, frozen=frozen)
