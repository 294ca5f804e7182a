"""One battery over every registered form of export: what is written gives the network's own outputs again."""

import pytest
import torch
from torch import nn

from pruning.export.compute import export_network
from pruning.export.format import format_of, formats

X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """With a buffer, a shared weight and dropout, which is to be off."""

    def __init__(self):
        super().__init__()
        self.norm, self.first, self.second = nn.BatchNorm1d(3), nn.Linear(3, 3), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.second(self.dropout(torch.relu(self.first(self.norm(x)))))


@pytest.mark.parametrize("name", formats())
def test_what_was_written_is_the_network(name, tmp_path):
    form = formats()[name]()
    if name == "onnx":
        pytest.importorskip("onnxscript", reason="the extra `export` is not installed")
    torch.manual_seed(0)
    model = Net()
    model.norm.running_mean.copy_(torch.tensor([0.5, -1.0, 2.0]))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    written = export_network(model, X, form)
    found, other = form.outputs(written.content, Net().eval(), X), model.eval()(X)
    torch.testing.assert_close(found[0] if isinstance(found, list | tuple) else found, other, atol=1e-6, rtol=0)
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert {type(format_of(tmp_path / f"net{end}")) for end in form.suffixes} == {type(form)}
