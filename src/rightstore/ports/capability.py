"""What a store of records may lack. A wish that needs it is refused there, never imitated."""

from typing import Literal, get_args

Capability = Literal["scan", "text", "unique", "aggregate", "transaction"]
"""`scan`: find by a condition that no declared index serves. `text`: `matches`. `unique`: a unique
index. `aggregate`: `select` with an aggregate. `transaction`: a batch of several records."""
CAPABILITIES: frozenset[Capability] = frozenset(get_args(Capability))
