"""Which command made each file of the studies in a folder, so that nothing finished is replaced unasked."""

from __future__ import annotations

import json
from pathlib import Path

from figures.reading.names import OUT
from figures.study.engine.jobs import Plan, Step
from minima.store.files import write_atomically
from minima.store.messages import BadInput

RECORD = Path(OUT) / "made.json"


def check_earlier(plan: Plan) -> None:
    """Refuse to replace what is there and was made by another command.

    Raises:
        BadInput: the file, both commands, and what to type.
    """
    earlier = made_by()
    for step in (step for job in plan.jobs for step in job.steps if not _draws(step)):
        for file in step.makes:
            if earlier.get(file, step.line) != step.line and Path(file).exists():
                raise BadInput(
                    f"{file} was made by a study {plan.name!r} that was another one here:\n"
                    f"  there {earlier[file]}\n  here  {step.line}\n"
                    "Give this one another name, or replace what it made with --overwrite"
                )


def write_record(plan: Plan) -> None:
    """Add the plan's files; those that other plans made stay."""
    made = {file: step.line for job in plan.jobs for step in job.steps if not _draws(step) for file in step.makes}
    write_atomically(RECORD, (json.dumps(made_by() | made, indent=1) + "\n").encode())


def made_by() -> dict[str, str]:
    """The command of each file that the studies in this folder make, also of those that are not there yet."""
    if not RECORD.exists():
        return {}
    try:
        found = json.loads(RECORD.read_text())
        return {str(file): str(line) for file, line in found.items()}
    except (ValueError, AttributeError) as error:
        raise BadInput(f"{RECORD} is no record of what was made here ({error}). Remove it to go on without") from error


def _draws(step: Step) -> bool:
    """Pictures and pages are made anew whenever something has changed."""
    return step.module.startswith("figures.")
