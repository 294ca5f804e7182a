"""`python -m figures.page FILE.h5|CKPT ... -o PAGE.html`: one file that shows networks to anyone, offline."""

from __future__ import annotations

from figures.page.flags import PageFlags
from minima.store.command import BadInput, Report, run
from minima.store.files import check_distinct, check_writable, write_atomically


def main(arguments: PageFlags) -> Report:
    """Write the page of the results that were named."""
    from figures.page.compute import compute
    from figures.page.report import report

    if not arguments.inputs:
        raise BadInput("nothing to show is named: type a results file or a checkpoint, such as runs/x.pt")
    check_writable(arguments.out)
    check_distinct(arguments.out, arguments.inputs)
    page = compute(arguments.inputs, arguments.title)
    write_atomically(arguments.out, page.html.encode())
    return report(page, arguments.out)


if __name__ == "__main__":
    run(PageFlags, main, prog="python -m figures.page", description=__doc__)
