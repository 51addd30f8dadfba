"""Words of a text, as `matches` means them: an array that a GIN index holds, in one expression.

Not a tsvector: its parser takes web addresses, numbers and hyphens for words of their own, and it
forgets long words. The collation knows the letters of every script, whatever the database's does.
"""

from rightstore.adapters.postgres.expression import Scope, text_at
from rightstore.adapters.postgres.identifier import quoted
from rightstore.errors import UsageError
from rightstore.model.place import Place

COLLATION = "rightstore_word"


def words_at(scope: Scope, place: Place) -> str:
    """Return the words of the text at a place."""
    if scope.namespace is None:
        raise UsageError(f"{place} has no words here: ask for them in a query of its entity.")
    collation = f"{scope.namespace}.{quoted(COLLATION)}"
    text = f"{text_at(scope, place)} COLLATE {collation}"
    return f"regexp_split_to_array(lower({text}), '\\W+')"
