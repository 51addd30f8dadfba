"""Do a plan, one step after the other, and say what became of it. It decides no step itself.

That only one process does it at a time is for the caller to see to (port `exclusion`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rightstore.errors import RightstoreError, UsageError
from rightstore.patterns.schema.plan import Plan, plan
from rightstore.ports.schema import Step, Structure


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a step of a plan is; `number` counts from 1."""

    number: int
    total: int
    step: Step
    state: Literal["begins", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan. What is left, the failed step first, is done by applying again."""

    done: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()
    error: RightstoreError | None = None


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be done: only what expands, for code that still runs; or what destroys, too."""

    expand_only: bool = False
    destructive: bool = False

    def cut(self, whole: Plan) -> Plan:
        """Return what may be done of a plan; UsageError that names what may not."""
        made = whole.expanding() if self.expand_only else whole
        if made.destructive and not self.destructive:
            named = "; ".join(
                f"{step.store} {step.subject}: {step.action}" for step in made.destructive
            )
            raise UsageError(
                f"Nothing was done, because this would lose data or a promise: {named}. Allow it "
                "with --allow-destructive, or do only what adds with --expand."
            )
        return made


Report = Callable[[Progress], None]


async def apply(
    structures: Sequence[Structure], permission: Permission, *, report: Report
) -> Applied:
    """Plan and do it; stop at the first step that fails. Nothing is done that is not allowed."""
    made = permission.cut(await plan(structures))
    total = len(made.planned)
    for at, each in enumerate(made.planned):
        report(Progress(at + 1, total, each.step, "begins"))
        try:
            await each.structure.apply(each.step)
        except RightstoreError as error:
            report(Progress(at + 1, total, each.step, "failed"))
            return Applied(made.steps[:at], made.steps[at:], error)
        report(Progress(at + 1, total, each.step, "done"))
    return Applied(made.steps)
