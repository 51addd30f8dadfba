"""One declared field, and the fields of a class. The type behind it is found at its first use."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, replace
from typing import Any

from rightstore.errors import UsageError
from rightstore.model.annotation import NotYetError, WrongTypeError, evaluated, kind_of
from rightstore.model.kind import Kind


@dataclass(slots=True, eq=False)
class Member:
    """A field as it was declared in `owner`; `annotation` may still be text."""

    owner: type[Any]
    name: str
    annotation: Any
    maybe: bool = False
    stored_as: str | None = None
    # MISSING itself as a default would be none to a dataclass.
    default: Any = field(default_factory=lambda: MISSING)
    default_factory: Callable[[], Any] | Any = field(default_factory=lambda: MISSING)
    _kind: Kind | None = field(default=None, init=False)

    @property
    def is_required(self) -> bool:
        """Whether a record cannot be made without it."""
        return self.default is MISSING and self.default_factory is MISSING

    @property
    def kind(self) -> Kind:
        """What values it takes; UsageError when its type has no meaning or is not defined."""
        try:
            return self.kind_if_known()
        except NotYetError as error:
            raise undefined(error) from None

    def kind_if_known(self) -> Kind:
        """The same, but NotYetError when a name in it is not defined yet."""
        if self._kind is None:
            try:
                kind = kind_of(evaluated(self.annotation, self.owner))
                self._kind = self._checked(kind)
            except NotYetError as error:
                raise NotYetError(f"{self}: {error}") from None
            except WrongTypeError as error:
                raise UsageError(f"{self}: {error}.") from None
        return self._kind

    def _checked(self, kind: Kind) -> Kind:
        if self.maybe:
            if kind.tag != "part":
                raise WrongTypeError("Maybe is for a Part; write Field[… | None]")
            return replace(kind, optional=True)
        if kind.tag == "part" and kind.optional:
            raise WrongTypeError("a Part that may be absent is Maybe[…], not Field[… | None]")
        return kind

    def stored(self, rename: str | None) -> str:
        """Return its name in the store, where the entity around it says `rename`."""
        return self.stored_as or (camel(self.name) if rename else self.name)

    def __str__(self) -> str:
        return f"{self.owner.__name__}.{self.name}"


def undefined(error: NotYetError) -> UsageError:
    """Return the error of a name that is still not defined when it is needed."""
    return UsageError(f"{error}: import or define it at module level, outside TYPE_CHECKING.")


def camel(name: str) -> str:
    """`read_at` as `readAt`."""
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def members_of(cls: type[Any]) -> Mapping[str, Member]:
    """Return the declared fields of an entity, part or event by name, inherited ones first."""
    found: Mapping[str, Member] = cls.__members__
    return found


def rename_of(cls: type[Any]) -> str | None:
    """Return how an entity renames its fields in the store; a part follows its entity."""
    return getattr(cls, "__rename__", None)
