"""What a store of records may lack. A wish that needs it is refused there, never imitated."""

from typing import Literal, get_args

Capability = Literal["scan", "text", "unique", "aggregate", "transaction", "fresh"]
"""`scan`: find by a condition that no declared index serves. `text`: `matches`. `unique`: a unique
index. `aggregate`: `select` with an aggregate. `transaction`: a batch of several records. `fresh`:
find and count see every write acknowledged before; without it they may miss the last moments' (get
and get_many never do), which nothing can refuse."""
CAPABILITIES: frozenset[Capability] = frozenset(get_args(Capability))
