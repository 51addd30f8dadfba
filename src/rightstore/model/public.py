"""The form that an entity has for pydantic, and so for FastAPI: public names, no version.

It changes the schema that pydantic makes of a dataclass, and imports nothing of pydantic. A part is
named as its entity wishes, so one in two entities has two forms.
"""

from collections.abc import Callable, Mapping
from typing import Any

from rightstore.model.kind import Kind
from rightstore.model.member import members_of, rename_of

Schema = dict[str, Any]
Resolve = Callable[[Schema], Schema]


def public(schema: Schema, resolve: Resolve) -> Schema:
    """Return the schema of an entity with the names that are stored; those of the class do too.

    `resolve` gives the schema that another one refers to.
    """
    form = _Form(rename_of(schema["cls"]), resolve)
    made = form.of(schema)
    if not form.parts:
        return made
    return {"type": "definitions", "schema": made, "definitions": list(form.parts.values())}


class _Form:
    """The form of one entity, with its parts as they are met."""

    def __init__(self, rename: str | None, resolve: Resolve) -> None:
        self._rename, self._resolve = rename, resolve
        self.parts: dict[str, Schema] = {}

    def of(self, schema: Schema) -> Schema:
        """Return the schema of an entity or part with public names."""
        members = members_of(schema["cls"])
        stored = {name: member.stored(self._rename) for name, member in members.items()}
        inner = schema["schema"]
        fields = [
            self._field(field, stored) for field in inner["fields"] if field["name"] in stored
        ]
        return schema | {
            "schema": inner | {"fields": fields},
            "fields": [name for name in schema["fields"] if name in stored],
            "config": schema.get("config", {}) | {"serialize_by_alias": True},
        }

    def _field(self, field: Schema, stored: Mapping[str, str]) -> Schema:
        name = field["name"]
        public_name = stored[name]
        # A name of the class that is the public one of another field stays that one's.
        is_free = name != public_name and name not in stored.values()
        return field | {
            "schema": self._inside(field["schema"]),
            "serialization_alias": public_name,
            "validation_alias": [[public_name], [name]] if is_free else public_name,
        }

    def _inside(self, node: Any) -> Any:
        """Return what is around a part with a reference to its public form in it."""
        if isinstance(node, list):
            return [self._inside(each) for each in node]
        if not isinstance(node, dict):
            return node
        if node.get("type") == "definition-ref":
            return self._reference(node)
        return {word: self._inside(each) for word, each in node.items()}

    def _reference(self, node: Schema) -> Schema:
        found = self._resolve(node)
        part = found.get("cls")
        if not hasattr(part, "__part__") or not is_renamed(part, self._rename, set()):
            return dict(node)  # pydantic writes into it
        # The last piece tells the two forms apart; what is before it names them in OpenAPI.
        ref = f"{found['ref']}{self._rename or ''}"
        if ref not in self.parts:
            self.parts[ref] = {}  # it may contain itself
            self.parts[ref] = self.of(found) | {"ref": ref}
        return node | {"schema_ref": ref}


def is_renamed(part: Any, rename: str | None, seen: set[Any]) -> bool:
    """Tell whether any field of a part, or inside it, has another public name than in the class."""
    if part in seen:
        return False
    seen.add(part)
    return any(
        member.stored(rename) != name
        or any(is_renamed(inner, rename, seen) for inner in _parts(member.kind))
        for name, member in members_of(part).items()
    )


def _parts(kind: Kind) -> list[Any]:
    """Return the part that is inside a list or dict, or is the value itself."""
    if kind.tag == "part":
        return [kind.python]
    return _parts(kind.of) if kind.tag in {"list", "dict"} else []
