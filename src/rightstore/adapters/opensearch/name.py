"""What things are called in OpenSearch, which knows only lower case. It creates none of them."""

import re
from hashlib import blake2b

from rightstore.errors import UsageError

MAX_ID = 500
_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CAPITAL = re.compile("[A-Z]")


def alias_of(namespace: str, entity: str) -> str:
    """Return the alias of the live index: a capital is a dot and its small letter."""
    if not _NAMESPACE.fullmatch(namespace):
        raise UsageError(
            f"{namespace!r} is no name of an application: take a-z, 0-9 and '_', a letter first, "
            "40 at most."
        )
    small = _CAPITAL.sub(lambda capital: "." + capital.group().lower(), entity)
    return f"{namespace}-{small}"


def index_of(alias: str, generation: int) -> str:
    """Return the index of a generation."""
    return f"{alias}-{generation}"


def gate_of(index: str) -> str:
    """Return the alias through which an index is written: without it, it is never made by a write.

    OpenSearch would otherwise create a dropped index again, without a mapping, at the next write.
    """
    return f"{index}-gate"


def generation_of(alias: str, index: str) -> int | None:
    """Return the generation that an index is of; None for an index of something else."""
    number = index.removeprefix(f"{alias}-")
    return int(number) if number != index and number.isdecimal() else None


def id_of(key: str) -> str:
    """Return the id of a document, which may have 512 bytes: a long key by its digest."""
    data = key.encode()
    if len(data) <= MAX_ID:
        return "=" + key
    return "#" + blake2b(data, digest_size=32).hexdigest()
