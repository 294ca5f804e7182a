"""Which numbers there are of a moment of a training, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

NUMBERS = (
    Number("update", "1", "steps of the optimiser done", column="step"),
    Number(
        "lambda_max",
        "nat",
        "largest eigenvalue of the Hessian of the loss of all examples trained on",
        column="lambda_max",
    ),
    Number("residual", "1", "||Hv - lv|| / |l| of it"),
    Number(
        "batch_sharpness",
        "nat",
        "curvature of a batch's own loss along its own gradient, mean over batches",
        column="batch sharpness",
    ),
    Number(
        "batch_sharpness_stderr",
        "nat",
        "standard error of it over the batches; NaN where one holds all examples",
        column="±",
    ),
    Number("batch_sharpness_of_means", "nat", "the mean of g.Hg over that of g.g: large gradients count more"),
    Number("weight_decay", "nat", "curvature of the weight decay, to be added to that of the loss"),
    Number("learning_rate", "1", "of the next step", column="learning rate"),
    Number("threshold", "nat", "largest curvature that the next step bears on a quadratic", column="threshold"),
)
