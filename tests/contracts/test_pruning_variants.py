"""The battery over methods whose flags exchange a part: what the defaults do not show."""

from functools import partial

import pytest
from oracles.pruning_battery import CHECKS, check_describes_itself, check_removed_weights_stay_zero

from pruning.methods.early_magnitude import EarlyMagnitude
from pruning.methods.egp import Egp
from pruning.methods.filters import Filters
from pruning.methods.granet import GraNet
from pruning.methods.ice import Ice
from pruning.methods.iterative_magnitude import IterativeMagnitude
from pruning.methods.magnitude import OneShotMagnitude
from pruning.methods.rigl import RigL
from pruning.methods.serene import SeReNe
from pruning.methods.set import SET
from pruning.methods.sr_ste import SrSte
from pruning.methods.taylor import Taylor

VARIANTS = {
    "erk": partial(OneShotMagnitude, scope="erk", retrain="llr"),
    "lamp": partial(OneShotMagnitude, scope="lamp", retrain="allr"),
    "given": partial(OneShotMagnitude, scope="given", layer=("conv=0.3", "last=0.5")),
    "constant-lrw": partial(IterativeMagnitude, pace="constant", rounds=4, retrain="lrw"),
    "hybrid-clr": partial(IterativeMagnitude, pace="hybrid", first=0.4, step=0.05, retrain="clr"),
    "patience": partial(IterativeMagnitude, rounds=3, wait=(3, 1)),
    "rewound": partial(IterativeMagnitude, rounds=3, rewind=0),
    "taylor-rounds": partial(Taylor, rounds=3, batches=2),
    "ice-careful": partial(Ice, threshold=0.0, freeze=0.5),
    "ice-as-it-ends": partial(Ice, final_epochs=0),
    "egp-least": partial(Egp, least=0.5, retrain="slr"),
    "edge": partial(EarlyMagnitude, when="edge", fraction=0.05, samples=20),
    "granet-sparse": partial(GraNet, initial_sparsity=0.3, frequency=3),
    "units-hybrid": partial(
        Filters, criterion="taylor", scope="global", pace="hybrid", first=0.4, step=0.2, per="flops"
    ),
    "units-rewound": partial(Filters, criterion="activation-entropy", rounds=2, rewind=0),
    "serene-units": partial(SeReNe, remove="units", sensitivity="full", strength=0.01, tolerance=1.0),
    "rigl-running": partial(RigL, drop="running-snip", start="parent"),
    "rigl-grasp": partial(RigL, drop="grasp", frequency=5),
    "rigl-grasp-kept": partial(RigL, drop="grasp-kept", frequency=5),
    "set-balanced": partial(SET, drop="set", frequency=4),
    "1:4": partial(SrSte, pattern="1:4", dense=("conv",), start="parent"),
}


NOT_FOR = {check_describes_itself: set(VARIANTS), check_removed_weights_stay_zero: {"edge"}}  # an edge of sgd, not adam


@pytest.mark.parametrize(
    ("variant", "check"), [(name, check) for check in CHECKS for name in VARIANTS if name not in NOT_FOR.get(check, ())]
)
def test_variant(variant, check):
    check(VARIANTS[variant])
