"""Mean PSP-entropy of each hidden layer in forward order, of all neurons and of alive ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from figures.drawing.captions import legend_below
from figures.drawing.figure_command import Choosing, command
from figures.drawing.psp import Layer, Network, beside, check_count, examples, level, read_networks
from figures.drawing.reads import Reads
from figures.drawing.style import LOOKS, WIDTH, from_zero, save, styled

MANY = 8
"""layers whose names stand side by side"""
READS = Reads(measure="psp", arrays=("*/entropy",), moments=False, room=len(LOOKS))


def draw(inputs: Sequence[Path], out: Path, checkpoint: Sequence[str] = ()) -> list[Path]:
    """Draw from `entropy.psp` results: a line for each checkpoint."""
    networks = read_networks(inputs, checkpoint)
    check_count(networks, len(LOOKS))
    names = [layer.name for layer in max(networks, key=lambda network: len(network.layers)).layers]
    depth = range(len(names))
    with styled():
        import matplotlib.pyplot as plt

        figure, (every, alive) = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharey=True)
        for network, style in zip(networks, beside(networks), strict=True):
            layers = [network.layer(name) for name in names]
            line = {"color": style.colour, "marker": style.marker, "linestyle": style.line, "label": style.label}
            means = [float(layer.entropy.mean()) for layer in layers]
            every.errorbar(depth, means, _errors(network, layers), capsize=2.5, **line)
            alive.plot(depth, [level([layer]).entropy for layer in layers], **line)
        every.set_title("all neurons")
        alive.set_title("alive neurons (neither always on nor always off)")
        every.set_ylabel("mean PSP-entropy (bit)")
        from_zero([every, alive])
        for axes in (every, alive):
            axes.margins(x=0.08)
            axes.set_xticks(depth, names, rotation=90 if len(names) > MANY else 0)
            axes.set_xlabel("layer, in forward order")
        handles, labels = alive.get_legend_handles_labels()
        legend_below(figure, handles, labels, 3, _caption(networks))
        return save(figure, out)


def _errors(network: Network, layers: Sequence[Layer]) -> list[float] | None:
    """Those for other images; None where pairs or tuples were measured, whose errors a summary then has."""
    if network.summary["order"] != 1:
        return None
    found = [layer.summary["stderr_new_images"] for layer in layers]
    return [float("nan") if error is None else error for error in found]


def _caption(networks: Sequence[Network]) -> str:
    first = any(network.summary["order"] == 1 for network in networks)
    bars = "; bars (where larger than the markers): standard error for other images" * first
    return f"{examples(networks[0])}, {networks[0].summary['classes']} classes{bars}"


if __name__ == "__main__":
    command(draw, "entropy_by_depth", __doc__ or "", Choosing)
