"""The definitions of applications by the names that the command line knows them by."""

from collections.abc import Sequence

from rightstore import wiring
from rightstore.errors import UsageError
from rightstore.stores.definition import Rightstore


def definitions(names: Sequence[str]) -> list[Rightstore]:
    """Return the definition that each name stands for; of no names, all that are installed."""
    if names:
        return [definition(name) for name in names]
    found = (wiring.application(name) for name in wiring.installed_applications())
    return [each for each in found if isinstance(each, Rightstore)]


def definition(name: str) -> Rightstore:
    """Return the definition of an entry point or `module:object`; UsageError for anything else."""
    found = wiring.application(name)
    if not isinstance(found, Rightstore):
        raise UsageError(
            f"application {name!r} is no Rightstore but {type(found).__name__}: name the object "
            "that your module makes with Rightstore(…)"
        )
    return found
