from __future__ import annotations

import pytest
import torch
from oracles.psp_networks import NETWORKS
from torch import nn


@pytest.fixture(params=sorted(NETWORKS))
def network(request: pytest.FixtureRequest) -> nn.Module:
    """Each small network in turn, in train mode as it was made."""
    torch.manual_seed(0)
    return NETWORKS[request.param]()
