"""Folders as transformers writes them: the network of config.json, filled from safetensors, whole, sharded or bare."""

import json

import pytest
import torch

from minima.store.checkpoints.checkpoint import read
from minima.store.checkpoints.foreign import flattened
from minima.store.command import BadInput
from minima.zoo.architecture.library import build_from_folder
from minima.zoo.subject.foreign import load_foreign
from minima.zoo.subject.ready import ready

transformers = pytest.importorskip("transformers")

TOKENS = torch.arange(12).view(2, 6)
PIXELS = torch.linspace(-1, 1, 2 * 3 * 8 * 8).view(2, 3, 8, 8)


def gpt2():
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=2, n_head=2)
    )


def llama():
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=20, **sizes, **heads))


def bert():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    return transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=20, **sizes, num_labels=3))


def vit():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.ViTConfig(image_size=8, patch_size=4, **sizes, num_labels=3)
    return transformers.ViTForImageClassification(config)


NETWORKS = [(gpt2, TOKENS), (llama, TOKENS), (bert, TOKENS), (vit, PIXELS)]


def written(make, folder, **options):
    torch.manual_seed(0)
    network = make().eval()
    network.save_pretrained(folder, **options)
    return network


def loaded(folder, file):
    model = ready(build_from_folder(f"hf:{folder}"))
    return model, load_foreign(model, read(folder / file), folder / file, f"hf:{folder}")


@pytest.mark.parametrize(("make", "inputs"), NETWORKS)
def test_the_folder_s_network_has_the_folder_s_outputs(tmp_path, make, inputs):
    network = written(make, tmp_path)
    model, found = loaded(tmp_path, "model.safetensors")
    with torch.no_grad():
        torch.testing.assert_close(model(inputs).logits, network(inputs).logits)
    assert not [note for note in found.notes if "transformers stores" not in note]
    assert model.config._attn_implementation == "eager"


@pytest.mark.parametrize(("make", "inputs"), NETWORKS[:2])
def test_shards(tmp_path, make, inputs):
    network = written(make, tmp_path, max_shard_size="2KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    model, _ = loaded(tmp_path, "model.safetensors.index.json")
    with torch.no_grad():
        torch.testing.assert_close(model(inputs).logits, network(inputs).logits)


def test_half_precision_runs_in_float32(tmp_path):
    torch.manual_seed(0)
    network = llama().to(torch.bfloat16)
    network.save_pretrained(tmp_path)
    model, found = loaded(tmp_path, "model.safetensors")
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert "bfloat16" in found.notes[0]
    assert torch.equal(model.lm_head.weight, network.lm_head.weight.float())


def test_gpt2_as_first_published_without_prefix_head_and_with_its_masks(tmp_path):
    """Its names lack `transformer.`, the head is the embedding, and the causal masks were stored."""
    network = written(gpt2, tmp_path)
    state = network.transformer.state_dict() | {
        f"h.{layer}.attn.bias": torch.ones(8, 8).tril().view(1, 1, 8, 8) for layer in (0, 1)
    }
    torch.save(state, tmp_path / "pytorch_model.bin")
    model, found = loaded(tmp_path, "pytorch_model.bin")
    with torch.no_grad():
        torch.testing.assert_close(model(TOKENS).logits, network(TOKENS).logits)
    assert model.lm_head.weight is model.transformer.wte.weight
    assert any("transformers stores" in note for note in found.notes)
    state = network.transformer.state_dict()
    model = ready(gpt2())
    found = load_foreign(model, flattened(state), tmp_path / "bare.pt", "gpt2")
    assert any("put the prefix transformer." in note for note in found.notes)
    with torch.no_grad():
        torch.testing.assert_close(model(TOKENS).logits, network(TOKENS).logits)


def test_the_loader_of_transformers_fills_no_gaps(tmp_path):
    written(vit, tmp_path)
    state = read(tmp_path / "model.safetensors").tensors
    codes = {name: tensor.to(torch.int8) for name, tensor in state.items()}
    for name, content in (("less", dict(list(state.items())[1:])), ("codes", codes)):
        with pytest.raises(BadInput, match="does not fit"):
            load_foreign(ready(vit()), flattened(content), tmp_path / f"{name}.pt", "vit")


def test_folders_that_say_too_little(tmp_path):
    with pytest.raises(BadInput, match=r"there is no .*config\.json"):
        build_from_folder(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(BadInput, match="names no architecture"):
        build_from_folder(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mine", "auto_map": {"AutoConfig": "evil.Config"}}))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: pass\n")
    with pytest.raises(BadInput, match="transformers could not build it"):
        build_from_folder(f"hf:{tmp_path}")
    assert not (tmp_path / "ran").exists()
