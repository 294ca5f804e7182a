"""The battery over flags of the gradient methods that exchange a part: what the defaults do not show."""

from dataclasses import replace
from functools import partial

import pytest
from oracles.pruning_battery import CHECKS, check_describes_itself

from pruning.composition.guards import Guards
from pruning.context.probe import Probe
from pruning.methods.empirical_fisher import EmpiricalFisher
from pruning.methods.obd import OptimalBrainDamage
from pruning.methods.prospr import ProsPr
from pruning.methods.sbp_sr import SbpSr
from pruning.methods.snip import Snip


class Noisy(OptimalBrainDamage):
    """Whose ranks may be mostly noise."""

    def composition(self):
        return replace(super().composition(), guards=Guards(doubt="accept"))


VARIANTS = {
    "snip by class in train mode": partial(Snip, Probe(examples=3, by="class", mode="train")),
    "prospr first order": partial(ProsPr, first_order=True, inner_momentum=0.9),
    "prospr fresh batches": partial(ProsPr, Probe(examples=12), steps=2, fresh_batches=True),
    "sbp-sr as it is": partial(SbpSr, rescale=False),
    "obd at initialisation": partial(OptimalBrainDamage, start="initialisation"),
    "obd by a few probes": partial(Noisy, diagonal="probes", probes=3),
    "fisher at initialisation": partial(EmpiricalFisher, start="initialisation"),
}


@pytest.mark.parametrize("check", [check for check in CHECKS if check is not check_describes_itself])
@pytest.mark.parametrize("variant", VARIANTS)
def test_variant(variant, check):
    check(VARIANTS[variant])
