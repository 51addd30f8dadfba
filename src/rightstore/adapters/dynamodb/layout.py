"""Where an entity's records are: its table, and the key of DynamoDB that a key of ours becomes.

No two keys become one. It reads and writes nothing.
"""

import re
from typing import Any

from rightstore.errors import ConstraintError
from rightstore.model.declaration import Declaration
from rightstore.model.key import decode_key, encode_key

PARTITION, SORT = "PK", "SK"
MAX_PARTITION, MAX_SORT = 2048, 1024
_FIELD = re.compile(r"\{(\w+)\}")
Keys = dict[str, dict[str, str]]


def table_of(namespace: str, declaration: Declaration) -> str:
    """Return the name of an entity's table."""
    return f"{namespace}.{declaration.name}"


class Layout:
    """The words of the template, partition key first; without one the key's text is the key."""

    def __init__(self, declaration: Declaration) -> None:
        self._declaration = declaration
        template = declaration.layout.get("dynamodb")
        self.words: tuple[str, ...] = tuple(template.split(" ")) if template else ()

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that make up the key in the table."""
        return (PARTITION, SORT)[: max(1, len(self.words))]

    def key(self, text: str) -> Keys:
        """Return the key of DynamoDB for the text of a key; ConstraintError when it is too long."""
        words = self._filled(text) if self.words else (text,)
        for word, most in zip(words, (MAX_PARTITION, MAX_SORT), strict=False):
            if len(word.encode()) > most:
                raise ConstraintError(
                    f"{self._declaration.name}: dynamodb takes up to {most} bytes of a key there: "
                    "shorten or hash it."
                )
        return {name: {"S": word} for name, word in zip(self.attributes, words, strict=True)}

    def text(self, data: dict[str, Any], key: Keys) -> str:
        """Return the text of the key of a record."""
        if not self.words:
            return key[PARTITION]["S"]
        values = tuple(data[self._declaration.fields[name].stored] for name in self._fields())
        return encode_key(self._declaration, values if len(values) > 1 else values[0])

    def partition_fields(self) -> tuple[str, ...]:
        """Return the fields that make up the partition, when further ones make up the rest."""
        return tuple(_FIELD.findall(self.words[0])) if len(self.words) > 1 else ()

    def partition(self, values: dict[str, Any]) -> str:
        """Return the partition key for the values of its fields."""
        return _fill(self.words[0], values)

    def _fields(self) -> tuple[str, ...]:
        return self._declaration.key

    def _filled(self, text: str) -> tuple[str, ...]:
        key: Any = decode_key(self._declaration, text)
        given = key if isinstance(key, tuple) else (key,)
        values = dict(zip(self._fields(), given, strict=True))
        return tuple(_fill(word, values) for word in self.words)


def _fill(word: str, values: dict[str, Any]) -> str:
    """Put values into a word, each free of what separates it from the next one there."""
    fields = _FIELD.findall(word)
    signs = _signs(word) if len(fields) > 1 else frozenset()
    return _FIELD.sub(lambda found: _escaped(str(values[found[1]]), signs), word)


def _signs(word: str) -> frozenset[str]:
    """Return the signs outside the fields of a word; letters and digits separate nothing."""
    outside = "".join(_FIELD.split(word)[::2])
    return frozenset(sign for sign in outside if not sign.isalnum()) | {"%"}


def _escaped(text: str, signs: frozenset[str]) -> str:
    if signs.isdisjoint(text):
        return text
    return "".join(f"%{ord(sign):x}%" if sign in signs else sign for sign in text)


def is_ambiguous(word: str) -> bool:
    """Tell whether two fields of a word have no sign between them that keeps them apart."""
    between = _FIELD.split(word)[2:-1:2]
    return any(all(sign.isalnum() or sign == "%" for sign in text) for text in between)
