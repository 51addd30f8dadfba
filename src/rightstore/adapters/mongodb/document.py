"""The documents of one entity: where its key, its fields and what we add to them are.

The fields are at the top by their stored names. `_id` is the value of a key of one field, which is
not repeated, or else the text of the key. It asks and writes nothing.
"""

from collections.abc import Mapping
from typing import Any

from bson import decode, decode_all, encode
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument

from rightstore.adapters.mongodb.codec import CODEC, dater, decoder, encoder, unescaped
from rightstore.errors import CorruptDataError, UsageError
from rightstore.model.declaration import Declaration
from rightstore.model.key import decode_key, encode_key
from rightstore.model.kind import Kind
from rightstore.model.place import Place
from rightstore.ports.records import Stored

ID, VERSION, WRITE_ID, SCHEMA = "_id", "_v", "_w", "_s"
# True on a tombstone; the mark of a transaction that has seen the record.
DELETED, SEEN = "_deleted", "_seen"
OURS = frozenset({VERSION, WRITE_ID, SCHEMA, DELETED, SEEN})
Document = dict[str, Any]


class Layout:
    """How the records of one entity are laid out."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.name = declaration.name
        self._key_field = _key_field(declaration)
        self._is_text = (
            self._key_field is not None and declaration.fields[declaration.key[0]].kind.tag == "str"
        )
        whole = Kind("part", python=declaration.entity)
        self._encode = encoder(whole, declaration.rename)
        self._decode = decoder(whole, declaration.rename)
        self._date = dater(whole, declaration.rename)

    def id_of(self, key: str) -> Any:
        """Return the `_id` of a key; None when no record can have it."""
        if self._is_text or self._key_field is None:
            return key
        try:
            return decode_key(self.declaration, key)
        except UsageError:
            return None

    def key_of(self, identity: Any) -> str:
        """Return the key that has this `_id`."""
        if self._is_text or self._key_field is None:
            return str(identity)
        return encode_key(self.declaration, identity)

    def path(self, place: Place) -> tuple[str, ...]:
        """Return the way to a place in a document."""
        if place.stored == (self._key_field,) and place.owner is self.declaration.entity:
            return (ID,)
        return place.stored

    def fields(self, data: Document) -> Document:
        """Return the fields of a record as they are stored, without its key."""
        mended = self._encode(data) if self._encode else data
        if self._key_field is None:
            return dict(mended)
        return {name: value for name, value in mended.items() if name != self._key_field}

    def documents(self, raw: bytes) -> list[Document]:
        """Return the documents in these bytes with the values that they stand for."""
        try:
            return decode_all(raw, CODEC)
        except InvalidBSON as error:
            why = "one holds a value that Python has not, as a year above 9999"
            raise self.unreadable(why) from error

    def opened(self, found: RawBSONDocument | None) -> Document | None:
        """Return a document in the answer of a command with the values that it stands for."""
        return None if found is None else self.documents(bytes(found.raw))[0]

    def unreadable(self, why: str) -> CorruptDataError:
        """Return the error of a document that is no record."""
        return CorruptDataError(
            f"A record of {self.name} in mongodb cannot be read: {why}: mend or remove it.",
            store="mongodb",
            operation="read",
            outcome="not applied",
        )

    def judge(self, document: Document) -> None:
        """Refuse a document that was written past us: it has no version."""
        if VERSION not in document or WRITE_ID not in document:
            raise self.unreadable(
                f"a document there has no `{VERSION}` or no `{WRITE_ID}`: it was not written by "
                "Rightstore"
            )

    def data(self, document: Document, *, is_marked: bool = True) -> Document:
        """Return the record that a document holds; it takes the document over.

        Where no key in it is marked, none has to be looked for.
        """
        schema = document.get(SCHEMA, 0)
        for name in OURS:
            document.pop(name, None)
        identity = document.pop(ID)
        mend = self._decode if is_marked else self._date
        if schema < self.declaration.schema:
            # Fields that are not declared any more may be free-form as well.
            document, mend = unescaped(document), self._date
        found: Document = mend(document) if mend else document
        if self._key_field is not None:
            found[self._key_field] = identity
        return found

    def stored(self, document: Document, *, is_marked: bool = True) -> Stored:
        """Return a document, which is no tombstone, as the record that it is."""
        self.judge(document)
        identity, version = document[ID], document[VERSION]
        schema, write_id = document.get(SCHEMA, 0), document[WRITE_ID]
        data = self.data(document, is_marked=is_marked)
        return Stored(self.key_of(identity), version, data, schema, write_id)


def as_stored(data: Mapping[str, Any]) -> Document:
    """Return what comes back when this is stored: a copy that shares nothing."""
    copy: Document = decode(encode(data, codec_options=CODEC), CODEC)
    return copy


def _key_field(declaration: Declaration) -> str | None:
    if len(declaration.key) > 1:
        return None
    return declaration.fields[declaration.key[0]].stored
