"""The order of records: by a place, up or down; records without a value come first going up."""

from dataclasses import dataclass

from rightstore.model.place import Place


@dataclass(frozen=True, slots=True)
class Order:
    """One level of a sort."""

    place: Place
    descending: bool = False
