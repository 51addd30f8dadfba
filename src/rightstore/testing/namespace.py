"""A name of its own for each test, valid in every store. It creates and removes nothing there."""

import hashlib
import os
from base64 import b32encode

_RUN = os.urandom(8)


def namespace(test_node_id: str) -> str:
    """Return a name for what a test makes: schema, database, index, queue or prefix of keys.

    The same test gets the same name throughout a process; another run gets another, so leftovers of
    a run that was killed disturb nobody.
    """
    digest = hashlib.blake2b(test_node_id.encode(), key=_RUN, digest_size=10).digest()
    return f"t_{b32encode(digest).decode().lower()}"
