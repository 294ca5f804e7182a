"""Bytes and error of a network at several widths of its weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from minima.store.command import BadInput
from minima.store.hdf5 import record
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.evaluation import evaluate

if TYPE_CHECKING:
    from torch import nn

    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from pruning.coded.coder import HEAD, LENGTH
from pruning.coded.network import CodedNetwork, Quantise, decoded, encoded, state_tensors
from pruning.coded.numbers import POINTS, WHOLE, score
from pruning.coded.quantising import Quantised, quantise, quantise_by


def compute(subject: Subject, place: Place, bits: Sequence[int], steps: Sequence[float]) -> dict[str, Any]:
    """Code a subject at every width, or every step where some are given; write the numbers, return what the JSON says.

    Loss and score are those of the network that was decoded from the bytes.
    """
    _check(subject)
    by_step: list[tuple[int | None, float | None]] = [(None, step) for step in steps]
    points = [_point(subject, *each) for each in by_step or [(width, None) for width in bits]]
    whole = {
        "weights": sum(layer["weights"] for layer in points[0]["layers"]),
        "other_bytes": points[0].pop("other_bytes"),
        "float_bytes": sum(
            tensor.numel() * dtype.itemsize for tensor, dtype in state_tensors(subject.model, subject.dtypes)
        ),
    }
    for point in points[1:]:
        point.pop("other_bytes")
    _write(points, whole, place)
    return whole | {"points": points}


def _check(subject: Subject) -> None:
    if not prunable(subject.model):
        raise BadInput(f"{subject.name}: the network has no convolution or linear weights: there is nothing to code")


def _point(subject: Subject, bits: int | None, step: float | None) -> dict[str, Any]:
    coded = encoded(subject.model, subject.masks, _rule(bits, step), subject.dtypes)
    network = decoded(coded.content, subject.model, subject.dtypes)
    level = evaluate(network, subject.x, subject.y, subject.batch_size, task=subject.task)
    return {"bits": bits, "step": step} | _sizes(coded, subject.model) | level.said()


def _rule(bits: int | None, step: float | None) -> Quantise:
    def rule(name: str, weights: NDArray[np.float64]) -> Quantised:
        if step is not None:
            return quantise_by(weights, step, name)
        assert bits is not None
        return quantise(weights, bits)

    return rule


def _sizes(coded: CodedNetwork, model: nn.Module) -> dict[str, Any]:
    overhead = sum(LENGTH.size * (1 + layer.streams) + HEAD.size for layer in coded.layers.values())
    streams = sum(layer.stream_bits for layer in coded.layers.values()) / 8
    layers = [
        {
            "name": name,
            "weights": model.get_parameter(name).numel(),
            "nonzero": coded.nonzero[name],
            "ideal_bits": coded.ideals[name].bits,
            "coded_bytes": len(layer.content),
        }
        for name, layer in coded.layers.items()
    ]
    return {
        "nonzero": sum(coded.nonzero.values()),
        "line_bits": sum(each.lines for each in coded.ideals.values()),
        "mask_bits": sum(each.mask for each in coded.ideals.values()),
        "value_bits": sum(each.values for each in coded.ideals.values()),
        "ideal_bytes": coded.ideal_bits / 8,
        "stream_bytes": streams + overhead + coded.other_bytes,
        "coded_bytes": len(coded.content),
        "other_bytes": coded.other_bytes,
        "layers": layers,
    }


def _write(points: Sequence[dict[str, Any]], whole: dict[str, Any], place: Place) -> None:
    place.scale("coded/point", range(len(points)), "1", "width or step, in the order of the command line")
    record.write(place, "coded", [*POINTS, *score(points[0]["score_name"])], points)
    record.write(place, "coded", WHOLE, whole)
