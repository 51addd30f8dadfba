"""Where in a record a value is: the way by declared names, by stored names, and its kind."""

from dataclasses import dataclass, replace
from typing import Any

from rightstore.errors import InvalidQueryError
from rightstore.model.kind import ANY, Kind
from rightstore.model.member import members_of, rename_of


@dataclass(frozen=True, slots=True)
class Place:
    """`steps` are attribute names and free-form keys; `stored` are the same in stored names.

    `owner` is the entity or, inside an `any`, the part.
    """

    owner: type[Any]
    steps: tuple[str, ...]
    stored: tuple[str, ...]
    kind: Kind

    def __str__(self) -> str:
        return ".".join((self.owner.__name__, *self.steps))


def root(owner: type[Any]) -> Place:
    """Return the place of the whole record."""
    return Place(owner, (), (), Kind("part", python=owner))


def into(place: Place, step: str, rename: str | None) -> Place:
    """Return the place one step further in: a field of a part, or a key of a dict."""
    stored, kind = step, ANY
    if place.kind.tag == "part":
        member = members_of(place.kind.python).get(step)
        if member is None:
            raise InvalidQueryError(f"{place} has no field {step!r}: name one that it declares.")
        stored, kind = member.stored(rename), member.kind
    elif place.kind.tag == "dict":
        _free_key(place, step)
        kind = place.kind.of
    elif place.kind.tag == "any":
        _free_key(place, step)
    else:
        raise InvalidQueryError(f"{place} is {place.kind}: there is nothing in it to step into.")
    return replace(place, steps=(*place.steps, step), stored=(*place.stored, stored), kind=kind)


def _free_key(place: Place, step: object) -> None:
    """Refuse a key that some store would read as a path or an operator."""
    if not isinstance(step, str) or not step or not step.isprintable():
        raise InvalidQueryError(f"{place}[…] takes one key, a printable str that is not empty.")
    if step.startswith("$") or "." in step:
        raise InvalidQueryError(
            f"{place}[…]: a key in a query has no '.' and no leading '$'; step in with [a][b]."
        )


def locate(owner: type[Any], path: str) -> Place:
    """Return the place of a path such as `channels.in_app.read`."""
    place = root(owner)
    for step in path.split("."):
        place = into(place, step, rename_of(owner))
    return place


def renamed(place: Place, rename: str | None) -> Place:
    """Return a place inside a part with the stored names that the entity around it gives."""
    found = root(place.owner)
    for step in place.steps:
        found = into(found, step, rename)
    return found
