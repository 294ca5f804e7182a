"""Which numbers there are of compared criteria, with their meaning."""

from __future__ import annotations

OF_LAYER = {
    "units": "filters or neurons of the layer",
    "left": "of these, the ones that the mask has not removed: all numbers are over them",
    "weights": "weights that make a unit, on average over those left and without removed ones",
    "gaussian_p": "p value of the Anderson-Darling test that the layer's weights are draws of one Gaussian whose mean "
    "and variance are not known (0 stands for below 1e-30)",
    "mean_p": "p value of Student's t test that the mean of the layer's weights is 0",
    "variance_p": "p value of the Brown-Forsythe test that all units' weights have the same variance",
    "skewness": "third standardised moment of the layer's weights: 0 of a Gaussian",
    "excess_kurtosis": "fourth standardised moment of the layer's weights - 3: 0 of a Gaussian",
}
"""what there is of a layer beside its criteria"""

SPEARMAN = "Spearman's rank correlation of two criteria over the layer's units"
VARIATION = "coefficient of variation of a criterion's scores over the layer's units: standard deviation / mean"
EXPECTED = "the coefficient of variation where the weights are a Gaussian's of mean 0"
SURROGATE = {
    "spearman": f"{SPEARMAN}, mean over surrogate networks with Gaussian weights",
    "variation": f"{VARIATION}; mean over surrogate networks with Gaussian weights",
    "variation_std": "standard deviation of the coefficient of variation over the surrogate networks",
    "gaussian_rejected": "share of the surrogate networks in which gaussian_p is below 0.05",
}
"""what there is of a layer's surrogates"""
