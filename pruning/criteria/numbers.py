"""Which numbers there are of compared criteria, with their meaning."""

from __future__ import annotations

from minima.store.hdf5.record import Number

LAYER, EACH, PAIRS = ("layer",), ("layer", "criterion"), ("layer", "criterion", "other")
RANKS = "Spearman's rank correlation of two criteria over the layer's units"
SPREAD = "coefficient of variation of a criterion's scores over the layer's units: standard deviation / mean"
OF_LAYER = (
    Number("units", "1", "filters or neurons of the layer", LAYER),
    Number("left", "1", "of these, the ones that the mask has not removed: all numbers are over them", LAYER),
    Number("weights", "1", "weights that make a unit, on average over those left and without removed ones", LAYER),
    Number(
        "gaussian_p",
        "1",
        "p value of the Anderson-Darling test that the layer's weights are draws of one Gaussian whose mean "
        "and variance are not known (0 stands for below 1e-30)",
        LAYER,
    ),
    Number("mean_p", "1", "p value of Student's t test that the mean of the layer's weights is 0", LAYER),
    Number(
        "variance_p",
        "1",
        "p value of the Brown-Forsythe test that all units' weights have the same variance",
        LAYER,
    ),
    Number("skewness", "1", "third standardised moment of the layer's weights: 0 of a Gaussian", LAYER),
    Number("excess_kurtosis", "1", "fourth standardised moment of the layer's weights - 3: 0 of a Gaussian", LAYER),
)
"""what there is of a layer beside its criteria"""
SPEARMAN = Number("spearman", "1", RANKS, PAIRS)
BY_CRITERION = (
    Number("variation", "1", SPREAD, EACH),
    Number(
        "gaussian_variation", "1", "the coefficient of variation where the weights are a Gaussian's of mean 0", EACH
    ),
)
"""what there is of a criterion in a layer"""
MEAN = "mean over surrogate networks with Gaussian weights"
SURROGATE = (
    Number("surrogate_spearman", "1", f"{RANKS}, {MEAN}", PAIRS, key="spearman"),
    Number("surrogate_variation", "1", f"{SPREAD}; {MEAN}", EACH, key="variation"),
    Number(
        "surrogate_variation_std",
        "1",
        "standard deviation of the coefficient of variation over the surrogate networks",
        EACH,
        key="variation_std",
    ),
    Number(
        "surrogate_gaussian_rejected",
        "1",
        "share of the surrogate networks in which gaussian_p is below 0.05",
        LAYER,
        key="gaussian_rejected",
    ),
)
"""what there is of a layer's surrogates"""
SCORE = Number("score", "1", "what a criterion gives a unit; NaN: removed", ("criterion", "unit"))
