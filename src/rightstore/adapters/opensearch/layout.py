"""The mapping of an entity's index, strict, and the documents that fit it.

`value` has each declared scalar in a field of its own type, `whole` and `moment` what histograms
count by, `parts` the parts in lists (nested), `there` the places with a value, `free` whatever lies
in free-form fields and dicts, as tokens of place, kind and value. `text` has the words searched.
`data` is the record itself, never looked into.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from rightstore import codec
from rightstore.adapters.opensearch.encoding import TYPES, encoded, token
from rightstore.model.declaration import Declaration
from rightstore.model.kind import NUMERIC, Kind
from rightstore.model.member import members_of
from rightstore.model.word import words
from rightstore.ports.question import texts
from rightstore.ports.search import MAX_COUNTED, Document

Steps = tuple[str, ...]
KEYWORD = {"type": "keyword"}
# Words are cut by us: the server is to take what stands between blanks.
WORDS = {"type": "text", "analyzer": "whitespace"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of an entity or part by stored place: of scalars, and of lists of parts."""

    values: dict[str, Kind] = field(default_factory=dict)
    parts: dict[str, "Layout"] = field(default_factory=dict)


def layout_of(declaration: Declaration) -> Layout:
    """Return the layout of an entity; what lies in a dict has a field only if it is a facet."""
    layout = _layout(declaration.entity, declaration.rename, ())
    for path in declaration.search.facets if declaration.search else ():
        place = declaration.place(path)
        layout.values[".".join(place.stored)] = place.kind
    return layout


def _layout(python: type[Any], rename: str | None, around: tuple[type[Any], ...]) -> Layout:
    layout = Layout()
    _collect(layout, (), Kind("part", python=python), rename=rename, around=around)
    return layout


def _collect(
    layout: Layout, steps: Steps, part: Kind, *, rename: str | None, around: tuple[type[Any], ...]
) -> None:
    within = (part.python, *around)
    for member in members_of(part.python).values():
        place, kind = (*steps, member.stored(rename)), member.kind
        name, item = ".".join(place), kind.of if kind.tag == "list" else kind
        if item.is_scalar:
            layout.values[name] = kind
        elif item.tag != "part" or item.python in within:
            # A part inside itself has no end: what is in it is not asked about.
            continue
        elif kind.tag == "list":
            layout.parts[name] = _layout(item.python, rename, within)
        else:
            _collect(layout, place, item, rename=rename, around=within)


def mapping_of(declaration: Declaration) -> dict[str, Any]:
    """Return the mapping: nothing that it does not name is taken."""
    searched = {f"text.{text.path}": WORDS for text in texts(declaration)}
    return {
        "dynamic": "strict",
        "properties": {
            "key": KEYWORD,
            "live": {"type": "boolean"},
            "data": {"type": "object", "enabled": False},
            **searched,
            **_properties(layout_of(declaration)),
        },
    }


def _properties(layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = {"there": KEYWORD, "free": KEYWORD}
    for name, kind in layout.values.items():
        tag = kind.of.tag if kind.tag == "list" else kind.tag
        found[f"value.{name}"] = {"type": TYPES[tag]}
        if kind.tag in NUMERIC:
            found[f"whole.{name}"] = {"type": "long"}
        if kind.tag == "datetime":
            found[f"moment.{name}"] = {"type": "date", "format": "strict_date_optional_time"}
    for name, inner in layout.parts.items():
        found[f"parts.{name}"] = {"type": "nested", "properties": _properties(inner)}
    return found


def source_of(declaration: Declaration, layout: Layout, document: Document) -> dict[str, Any]:
    """Return what is indexed of a document; of a tombstone its key only."""
    if document.data is None:
        return {"key": document.key, "live": False}
    searched = {
        f"text.{text.path}": " ".join(words(text.of(document.data))) for text in texts(declaration)
    }
    return {
        "key": document.key,
        "live": True,
        "data": codec.encode(document.data).decode(),
        **searched,
        **_fields(layout, document.data),
    }


def _fields(layout: Layout, data: Mapping[str, Any]) -> dict[str, Any]:
    there: list[str] = []
    free: list[str] = []
    found: dict[str, Any] = {"there": there, "free": free}
    for steps, value in _places(data, ()):
        there.append(place_token(steps))
        name = ".".join(steps)
        if name in layout.values:
            found |= _typed(name, layout.values[name], value)
            free += [item_token(steps, None)] if isinstance(value, list) and None in value else []
        elif name in layout.parts and isinstance(value, list):
            parts = [part for part in value if isinstance(part, Mapping)]
            found[f"parts.{name}"] = [_fields(layout.parts[name], part) for part in parts]
        elif isinstance(value, list):
            free += [item_token(steps, item) for item in value if not isinstance(item, dict | list)]
        elif not isinstance(value, Mapping):
            free.append(value_token(steps, value))
    return found


def _typed(name: str, kind: Kind, value: Any) -> dict[str, Any]:
    if kind.tag == "list":
        items = value if isinstance(value, list) else []
        return {f"value.{name}": [encoded(kind.of.tag, item) for item in items if item is not None]}
    indexed = encoded(kind.tag, value)
    if indexed is None:
        return {}
    found = {f"value.{name}": indexed}
    if kind.tag in NUMERIC and abs(math.floor(value)) <= MAX_COUNTED:
        found[f"whole.{name}"] = math.floor(value)
    if kind.tag == "datetime":
        found[f"moment.{name}"] = value.isoformat(timespec="milliseconds")
    return found


def _places(data: Mapping[str, Any], steps: Steps) -> Iterator[tuple[Steps, Any]]:
    """Yield each place that has a value, parts and dicts before what is in them."""
    for name, value in data.items():
        # A key that is empty cannot be asked for, and would make a place ambiguous.
        if value is None or not name:
            continue
        yield (*steps, name), value
        if isinstance(value, Mapping):
            yield from _places(value, (*steps, name))


def place_token(steps: Sequence[str]) -> str:
    """Return the name of a place that no other has; U+0000 is in no key and in no text."""
    return _short("\0".join(steps))


def value_token(steps: Sequence[str], value: Any) -> str:
    """Return the token of a scalar at a place."""
    return f"{place_token(steps)}\0\0={token(value)}"


def item_token(steps: Sequence[str], item: Any) -> str:
    """Return the token of a scalar in a list at a place."""
    return f"{place_token(steps)}\0\0[{token(item)}"


def _short(place: str) -> str:
    """Return a place that leaves room for a value in a keyword of 32,766 bytes."""
    if len(place.encode()) <= 8_000:
        return place
    return "\0" + blake2b(place.encode(), digest_size=32).hexdigest()
