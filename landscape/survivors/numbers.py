"""Which numbers there are of each Hessian that is compared, with their meaning."""

from __future__ import annotations

from dataclasses import replace

from landscape.objective.position import NORMS
from minima.store.hdf5.record import Number

EACH, RANKED = ("operator",), ("operator", "rank")
EIGENVALUES = Number("eigenvalues", "nat", "largest eigenvalues of the Hessian", RANKED)
TRACE = Number("trace", "nat", "trace of the Hessian, mean over the probes", EACH)
TOP_SHARE = Number("top_share", "1", "sum of the eigenvalues over the trace", EACH)
ADAPTIVE = Number("adaptive_lambda_max", "nat", "largest eigenvalue of |w| H |w|", EACH)
NUMBERS = (
    EIGENVALUES,
    Number("residuals", "1", "||Hv - lv|| / max(|l|, 1e-6 |l_1|)", RANKED),
    Number("loss", "nat", "mean cross-entropy of the examples used", EACH),
    Number("accuracy", "1", "fraction of the examples used that are classified right", EACH),
    Number("dimension", "1", "weights that may move", EACH),
    *(replace(number, dims=EACH) for number in NORMS),
    Number("products", "1", "products with vectors for the eigenvalues", EACH),
    TRACE,
    TRACE.beside("stderr", "standard error of the trace"),
    TOP_SHARE,
    TOP_SHARE.beside("stderr", "error of it from the probes of the trace, to first order"),
    ADAPTIVE,
    Number("adaptive_residual", "1", "||Av - lv|| / |l| of the largest eigenvalue of |w| H |w|", EACH),
)


def error_numbers(kind: str, meaning: str) -> list[Number]:
    """The errors of one kind that stand beside numbers, by what `landscape.spectrum.paired_error` calls them."""
    known = (EIGENVALUES, TRACE, ADAPTIVE, TOP_SHARE)
    return [number.beside(kind, meaning, number.key) for number in known]
