"""What the five largest eigenvalues cost with each contestant, to a true relative error of 1e-3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.alternate import alternate, ratios
from benchmarks.contestants import BUILDERS, METHODS
from benchmarks.counting import Course, courses, solve
from benchmarks.products import floor
from benchmarks.reference import Reference
from benchmarks.row import EIGENVALUES, FLOOR, Extent, Row
from benchmarks.tool import Method
from minima.zoo.subject.subject import Subject

AFFORDABLE = 40
"""products of a run for real"""


@dataclass
class _Run:
    """A setting that is run for real, from building the tool to the last eigenvalue, each time from another seed."""

    tool: str
    method: Method
    course: Course
    subject: Subject
    exact: Reference
    found: list[tuple[int, float]] = field(default_factory=list)
    """products and error of each run"""

    def __call__(self) -> None:
        product = BUILDERS[self.tool](self.subject).product
        solver = self.method.settings[self.course.setting]
        self.found.append(solve(solver, product, self.exact, seed=len(self.found)))


def eigenvalues(subject: Subject, exact: Reference, one: Mapping[str, Row], extent: Extent) -> Iterator[Row]:
    """Rows of every method, at its usual setting and at the first that reaches the tolerance.

    Run for real where the usual setting reaches it, otherwise the first that does, if that is affordable. All others:
    products counted by the peer's own solver on the cached operator, times its time of `one` product, measured before.
    Tools without such a time take no part.
    """
    runs = []
    for method in METHODS:
        tried = list(courses(method, exact, extent.seeds))
        real = next((course for course in tried if course.reaches and course.products <= AFFORDABLE), None)
        for tool in filter(one.__contains__, method.tools):
            for course in tried:
                if course is real:
                    runs.append(_Run(tool, method, course, subject, exact))
                else:
                    yield _counted(tool, method, course, one[tool])
    yield from _timed(subject, runs, extent.solves)


def _counted(tool: str, method: Method, course: Course, one: Row) -> Row:
    seconds, passes = course.products * one.seconds, course.products * one.passes
    found = {"products": course.products, "error": course.error, "counted": True}
    return Row(EIGENVALUES, tool, seconds, passes, method.name, course.setting, **found)


def _timed(subject: Subject, runs: list[_Run], solves: int) -> Iterator[Row]:
    names = [f"{run.tool} {run.method.name}" for run in runs]
    works: dict[str, Callable[[], object]] = {FLOOR: floor(subject), **dict(zip(names, runs, strict=True))}
    seconds = alternate(works, solves, warm_up=False)
    passes = ratios(seconds, FLOOR)
    for name, run in zip(names, runs, strict=True):
        products, errors = zip(*run.found, strict=True)
        taken, setting = median(seconds[name]), run.course.setting
        found = {"products": median(products), "error": max(errors)}
        yield Row(EIGENVALUES, run.tool, taken, passes[name], run.method.name, setting, **found)
