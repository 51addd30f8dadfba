"""What is to be done in all stores so that they hold what is declared. It changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rightstore.model.declaration import Declaration
from rightstore.ports.schema import Schema, Step, Structure


@dataclass(frozen=True, slots=True)
class Bound:
    """Implements `Structure`: the room that one store makes for these entities."""

    schema: Schema
    declarations: Sequence[Declaration]

    async def plan(self) -> list[Step]:
        """Return what the store lacks of them."""
        return await self.schema.plan(self.declarations)

    async def apply(self, step: Step) -> None:
        """Do one step."""
        await self.schema.apply(step)


@dataclass(frozen=True, slots=True)
class Planned:
    """A step, and what does it."""

    step: Step
    structure: Structure = field(repr=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps in all stores, in their order; nothing in it: everything is there."""

    planned: tuple[Planned, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, in their order."""
        return tuple(each.step for each in self.planned)

    @property
    def destructive(self) -> tuple[Step, ...]:
        """The steps with which data or a promise is lost."""
        return tuple(step for step in self.steps if step.destructive)

    def expanding(self) -> "Plan":
        """Return only what code that ran before does not notice."""
        return Plan(tuple(each for each in self.planned if _expands(each.step)))

    def lacking(self, *, expanded: bool = False) -> "Plan":
        """Return only what the declaring code cannot run without; once expanded, what is left."""
        return Plan(
            tuple(
                each
                for each in self.planned
                if each.step.needed or (not expanded and _expands(each.step))
            )
        )


async def plan(structures: Sequence[Structure]) -> Plan:
    """Ask each structure in turn; what two of them need alike is done once, by the first."""
    found: dict[Step, Planned] = {}
    for structure in structures:
        for step in await structure.plan():
            found.setdefault(step, Planned(step, structure))
    return Plan(tuple(found.values()))


def _expands(step: Step) -> bool:
    return step.phase == "expand" and not step.destructive
