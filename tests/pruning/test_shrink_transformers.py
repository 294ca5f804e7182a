"""Heads and hidden units of transformers' networks and torch's own layers are removed, and saved and loaded."""

import copy
from itertools import product

import pytest
import torch
from oracles.masked_units import mask_units, unsettle
from torch import nn

from minima.store.command import BadInput
from minima.zoo.anatomy.narrowing.attention import NarrowAttention
from minima.zoo.anatomy.narrowing.narrow import apply_shrunk
from pruning import prune, shrink_network

TOKENS = torch.randint(0, 20, (3, 6), generator=torch.Generator().manual_seed(0))
PIXELS = torch.linspace(-1, 1, 3 * 3 * 8 * 8).view(3, 3, 8, 8)
SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}


def made(kind, attention):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    if kind == "gpt2":
        config = transformers.GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=2, n_head=2)
        network = transformers.GPT2LMHeadModel
    elif kind == "llama":
        config = transformers.LlamaConfig(vocab_size=20, num_attention_heads=4, num_key_value_heads=2, **SIZES)
        network = transformers.LlamaForCausalLM
    else:
        config = transformers.ViTConfig(image_size=8, patch_size=4, num_attention_heads=2, num_labels=3, **SIZES)
        network = transformers.ViTForImageClassification
    config._attn_implementation, config.use_cache = attention, False
    return network(config)


@pytest.mark.parametrize("kind", ["gpt2", "llama", "vit"])
@pytest.mark.parametrize(("attention", "weights_only"), [("eager", True), ("sdpa", False)])
def test_networks_of_transformers(kind, attention, weights_only):
    x = PIXELS if kind == "vit" else TOKENS
    model = mask_units(unsettle(made(kind, attention)), x, weights_only=weights_only)
    small = shrink_network(model, x)
    assert len(small.units) == (6 if kind == "llama" else 4)
    assert all(after == before // 2 for before, after in small.units.values())
    anew = apply_shrunk(made(kind, attention).eval(), {"shrunk": [small.manifest.plain()]})
    anew.load_state_dict(small.model.state_dict())
    with torch.no_grad():
        assert torch.allclose(anew(x).logits, model(x).logits, atol=1e-5)
        if kind == "llama":  # of which none is left beside another
            assert all(each.self_attn.num_key_value_groups == 1 for each in anew.model.layers)
            seen = torch.ones_like(x).index_fill(1, torch.tensor([0, 1]), 0)
            padded = (network(x, attention_mask=seen).logits[:, 2:] for network in (anew, model))
            assert torch.allclose(*padded, atol=1e-5)
    if kind == "gpt2":
        assert anew.transformer.h[0].attn.split_size == 4


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_attention_of_torch(batch_first, masked):
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(5, 12), nn.Linear(12, 2)
            self.layer = nn.TransformerEncoderLayer(12, 3, 10, batch_first=batch_first)

        def forward(self, x):
            mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1 if batch_first else 0]) if masked else None
            return self.last(self.layer(self.first(x).to(x.dtype), src_mask=None if mask is None else mask.to(x.dtype)))

    torch.manual_seed(0)
    model, x = unsettle(Encoder()), torch.randn(1, 6, 5) if batch_first else torch.randn(6, 1, 5)
    mask_units(model, x, share=0.4)
    small = shrink_network(model, x)
    assert small.units == {"layer.self_attn": (3, 2), "layer.linear1": (10, 6)}
    anew = apply_shrunk(Encoder().eval(), {"shrunk": [small.manifest.plain()]})
    anew.load_state_dict(small.model.state_dict())
    with torch.no_grad():
        assert torch.allclose(anew(x), model(x), atol=1e-5)
    assert shrink_network(anew, x).removed == {}  # followed again


class Padded(nn.Module):
    """Torch's attention over tokens, 0 being padding; nobody reads its first head."""

    def __init__(self, told):
        super().__init__()
        torch.manual_seed(0)
        self.tokens, self.attention = nn.Embedding(9, 8), nn.MultiheadAttention(8, 2, batch_first=True)
        self.last, self.told = nn.Linear(8, 3), told
        self.attention.out_proj.weight.data[:, :4] = 0

    def forward(self, ids):
        h = self.tokens(ids)
        return self.last((h + self.attention(h, h, h, key_padding_mask=ids == 0, need_weights=self.told)[0]).mean(1))


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("late", [0, 70])
def test_a_text_that_is_empty_gets_what_torch_gives_it(told, late):
    """Without weights torch's attention makes zeros of a row that sees nothing, and no number with them."""
    model = Padded(told).double().eval()
    ids = torch.randint(1, 9, (80, 5), generator=torch.Generator().manual_seed(0))
    ids[late : late + 10] = 0
    small = shrink_network(model, ids)
    assert small.removed == {"attention": 1}
    wide, narrow = model(ids), small.model(ids)
    assert torch.allclose(wide, narrow, atol=1e-10, equal_nan=True)
    assert bool(wide.isnan().any()) == told


@pytest.mark.parametrize("heads", [1, 4])
def test_masks_of_attention_are_read_as_torch_reads_them(heads):
    torch.manual_seed(0)
    theirs = nn.MultiheadAttention(8, heads, batch_first=True).double()
    ours = copy.deepcopy(theirs)
    NarrowAttention.take_over(ours, "attention")
    x = torch.randn(3, 5, 8, dtype=torch.float64)
    padding = torch.tensor([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 1, 0, 1, 0]]).bool()
    masks = (None, torch.ones(5, 5).triu(1).bool(), torch.randn(5, 5).double(), torch.rand(3 * heads, 5, 5) > 1)
    for mask, hidden, told in product(masks, (None, padding), (False, True)):
        pair = [each(x, x, x, hidden, told, mask) for each in (theirs, ours)]
        assert torch.allclose(pair[0][0], pair[1][0], atol=1e-12)
        assert (pair[1][1] is None) == (not told)
        assert not told or torch.allclose(pair[0][1], pair[1][1], atol=1e-12)


class Divided(nn.Module):
    """Attention that takes a head's width from the number of heads."""

    def __init__(self):
        super().__init__()
        self.heads, self.qkv, self.out = 4, nn.Linear(8, 24), nn.Linear(8, 2)

    def forward(self, x):
        q, k, v = self.qkv(x).view(len(x), -1, 3, 4, 2).permute(2, 0, 3, 1, 4)
        return self.out((torch.softmax(q @ k.transpose(2, 3), 3) @ v).transpose(1, 2).flatten(2))


def test_heads_that_do_not_divide():
    torch.manual_seed(0)
    model, x = Divided(), torch.randn(3, 5, 8)
    for start in (0, 8, 16):
        model.qkv.weight.data[start : start + 2], model.qkv.bias.data[start : start + 2] = 0, 0
    with pytest.raises(BadInput, match=r"the size 4 that view asks for .* None of its heads can be removed"):
        shrink_network(model, x)


@pytest.mark.parametrize(
    ("kind", "heads"), [("gpt2", "groups"), ("llama", "queries"), ("llama", "both"), ("vit", "groups")]
)
@pytest.mark.parametrize("method", ["filters", "cnip-it", "3sp"])
def test_pruned_by_methods_of_whole_units(kind, heads, method):
    transformers = pytest.importorskip("transformers")
    model = made(kind, "sdpa")
    if kind != "vit":
        model.config.pad_token_id, model.config.num_labels = 0, 3
        kinds = {
            "gpt2": transformers.GPT2ForSequenceClassification,
            "llama": transformers.LlamaForSequenceClassification,
        }
        model = kinds[kind](model.config)
    draws = torch.Generator().manual_seed(0)
    shape, y = (16, 3, 8, 8) if kind == "vit" else (16, 6), torch.arange(16) % 3
    x = torch.rand(shape, generator=draws) if kind == "vit" else torch.randint(1, 20, shape, generator=draws)
    model = unsettle(model)
    flags = {"output": "logits", "initial": model.state_dict(), "heads": heads, "epochs": 1, "recipe": {"lr": 0.01}}
    measure = "sparsity" if method == "cnip-it" else "units"
    found = prune(model, (x, y), method=method, sparsity=0.5, measure=measure, **flags)
    small = shrink_network(found.model.eval(), x, found.masks, vanishing="keep-one")
    assert small.removed
    given = x.double() if kind == "vit" else x
    with torch.no_grad():
        wide, narrow = (each.double()(given).logits for each in (found.model.eval(), small.model))
    assert torch.allclose(wide, narrow, rtol=0, atol=1e-5)
    queries = any(name.endswith(" queries") for name in small.removed)
    assert queries <= (heads != "groups")
    assert queries or heads == "groups" or method != "filters"
