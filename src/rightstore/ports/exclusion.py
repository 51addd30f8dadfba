"""Port `exclusion`: of any number of processes one does a thing at a time. It is no lease of data.

Whoever loses the connection loses the right without notice, so what is done under it must bear to
be done twice.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Exclusion(Protocol):
    """A right that one holder has over all processes."""

    def hold(
        self, name: str, *, within: float, waiting: Callable[[str], None]
    ) -> AbstractAsyncContextManager[None]:
        """Hold the right of this name for the block.

        While another has it, `waiting` is told who that is, once for each holder; after `within`
        seconds it is an InProgressError that says so too.
        """
        ...
