"""Which numbers there are of a trial, with their meaning."""

from __future__ import annotations

NUMBERS = {
    "loss": "mean loss of the examples",
    "loss_stderr": "standard error of its mean over draws",
    "score": "score of the examples",
    "score_stderr": "standard error of its mean over draws",
    "bit_error": "share of the watermark's bits that are read wrong",
}
"""of each level"""
