"""Figure 10: mean PSP-entropy of each hidden layer in forward order, of all neurons and of alive ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from figures.drawing.figure_command import Choosing, command
from figures.drawing.psp import Network, beside, check_count, examples, read_networks
from figures.drawing.style import LOOKS, WIDTH, from_zero, save, styled
from minima.store.command import BadInput

MANY = 8
"""layers whose names stand side by side"""


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `entropy.psp` results: a line for each checkpoint."""
    networks = read_networks(inputs, checkpoint)
    check_count(networks, len(LOOKS))
    names = [layer.name for layer in max(networks, key=lambda network: len(network.layers)).layers]
    depth = range(len(names))
    for network in networks:
        if network.summary["order"] != 1:
            raise BadInput(f"{network.name} was measured with --order 2 or more: its errors are those of tuples")
    with styled():
        import matplotlib.pyplot as plt

        figure, (every, alive) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharey=True)
        for network, style in zip(networks, beside(networks), strict=True):
            layers = [network.layer(name).summary for name in names]
            line = {"color": style.colour, "marker": style.marker, "linestyle": style.line, "label": style.label}
            errors = [_number(layer["stderr_new_images"]) for layer in layers]
            every.errorbar(depth, [layer["mean"] for layer in layers], errors, capsize=2.5, **line)
            alive.plot(depth, [_number(layer["alive_mean"]) for layer in layers], **line)
        every.set_title("all neurons")
        alive.set_title("alive neurons (neither always on nor always off)")
        every.set_ylabel("mean PSP-entropy (bit)")
        from_zero([every, alive])
        for axes in (every, alive):
            axes.margins(x=0.08)
            axes.set_xticks(depth, names, rotation=90 if len(names) > MANY else 0)
            axes.set_xlabel("layer, in forward order")
        handles, labels = alive.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3, title=_caption(networks), title_fontsize=8)
        return save(figure, out)


def _number(value: float | None) -> float:
    """A summary's number: null where there is none."""
    return float("nan") if value is None else value


def _caption(networks: Sequence[Network]) -> str:
    bars = "bars (where larger than the markers): standard error for other images"
    return f"{examples(networks[0])}, {networks[0].summary['classes']} classes; {bars}"


if __name__ == "__main__":
    command(draw, "entropy_by_depth", __doc__ or "", Choosing)
