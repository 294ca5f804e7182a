"""Every network of the zoo by every method that removes whole units: made smaller, it computes what its mask does."""

from functools import partial

import pytest
import torch
from oracles.masked_units import same_outputs, unsettle

from minima.zoo.architecture.architecture import architectures, parse_architecture
from pruning import prune, shrink_network
from pruning.composition.method import methods
from pruning.methods.cnip_it_during import CnipItDuring
from pruning.methods.early_filters import EarlyFilters
from pruning.methods.lobster_neurons import LobsterNeurons
from pruning.methods.network_slimming import NetworkSlimming
from pruning.methods.serene import SeReNe
from pruning.methods.snap_it_during import SnapItDuring
from pruning.spaces.elements import Elements

NARROW = {"lenet5": "units=20", "mobilenet": "width=2,blocks=1", "vgg16": "width=2", "vit": "dim=16,depth=1"}
NARROW |= {"resnet20": "width=4", "mlp": ""}
LIKE_THESE = [name for name in architectures() if name not in NARROW]
"""of the same layers as one of those, or only deeper; and a new one"""
BY_THRESHOLD = {"strength": 0.05, "tolerance": 9.0, "remove": "units", "plateau": 0}
SHORT = {
    "early-filters": partial(EarlyFilters, tau=0.0, past=1),
    "network-slimming": partial(NetworkSlimming, cut_at=0.3),
    "snap-it-during": partial(SnapItDuring, steps=1, delay=0, every=1),
    "cnip-it-during": partial(CnipItDuring, steps=1, delay=0, every=1),
    "serene": partial(SeReNe, **BY_THRESHOLD),
    "lobster-neurons": partial(LobsterNeurons, **BY_THRESHOLD),
}
"""with settings for a short run"""
STRUCTURED = [name for name, method in methods().items() if not isinstance(method().composition().space, Elements)]
STRUCTURED += ["serene", "lobster-neurons"]
NORMED = ("mobilenet", "resnet20", "vgg16")
DRAWS = torch.Generator().manual_seed(0)
DATA = torch.rand(40, 1, 8, 8, generator=DRAWS), torch.arange(40) % 10
CASES = [(network, method) for network in NARROW for method in STRUCTURED]
CASES = [(network, method) for network, method in CASES if method != "network-slimming" or network in NORMED]
CASES += [(network, "filters") for network in LIKE_THESE]


@pytest.mark.parametrize(("network", "method"), CASES)
def test_smaller_and_the_same(network, method):
    torch.manual_seed(0)
    spec = f"{network}:{NARROW[network]}" if NARROW.get(network) else network
    model = unsettle(parse_architecture(f"{network}:width=2" if "resnet" in network else spec).build((1, 8, 8), 10))
    decides = method in ("serene", "lobster-neurons")
    found = prune(
        model,
        DATA,
        method=SHORT.get(method, methods()[method])(),
        sparsity=0.01 if decides else 0.5,
        measure="sparsity" if "cnip" in method or decides else "units",
        epochs=9 if method == "early-filters" else 4,
        recipe={"lr": 0.02, "momentum": 0.9, "batch_size": 20},
        validation=0.25,
        initial=model.state_dict(),
    )
    small = shrink_network(found.model, DATA[0], found.masks, vanishing="keep-one")
    assert small.max_difference["float64"] <= 1e-10 * max(1.0, float(found.model(DATA[0]).abs().max()))
    assert same_outputs(found.model, small.model, DATA[0], atol=1e-5)
    before, after = (sum(each[when] for each in small.units.values()) for when in (0, 1))
    assert after < before
    assert decides or "cnip" in method or after <= 0.5 * before
