"""Folders of transformers from the command line: classifiers and language models against dense float64 Hessians."""

import json

import numpy as np
import pytest
import torch
from cases.lines import typed
from cases.truth import dense

transformers = pytest.importorskip("transformers", reason="transformers, the extra hf, is not installed")

VOCABULARY, LENGTH = 11, 7
SMALL = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 6}


def gpt2():
    """Tied embeddings."""
    sizes = {"n_positions": LENGTH, "n_embd": 4, "n_layer": 1, "n_head": 2, "bos_token_id": 1, "eos_token_id": 1}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=VOCABULARY, **sizes))


def llama():
    """Two queries for each key."""
    sizes = SMALL | {"num_attention_heads": 4, "num_key_value_heads": 2}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=VOCABULARY, **sizes))


def bert():
    config = transformers.BertConfig(vocab_size=VOCABULARY, max_position_embeddings=LENGTH, **SMALL, num_labels=3)
    return transformers.BertForSequenceClassification(config)


def vit():
    config = transformers.ViTConfig(image_size=6, patch_size=3, num_channels=1, **SMALL, num_labels=3)
    return transformers.ViTForImageClassification(config)


class Called(torch.nn.Module):
    """A network as the truth takes it: of one tensor, whose rows are numbers of examples."""

    def __init__(self, network, inputs):
        super().__init__()
        self.network, self.inputs = network, inputs

    def forward(self, rows):
        inputs = {name: each.double() if each.is_floating_point() else each for name, each in self.inputs.items()}
        return self.network(**{name: each[rows] for name, each in inputs.items()}).logits


def data():
    """Tokens with padding at the end, a mask, labels per token of which some do not count, images and classes."""
    draws = np.random.default_rng(0)
    tokens = draws.integers(1, VOCABULARY, (12, LENGTH))
    lengths = draws.integers(3, LENGTH + 1, 12)
    mask = (np.arange(LENGTH) < lengths[:, None]).astype(np.int64)
    labels = np.where(mask * (np.arange(LENGTH) > 1), tokens, -100)
    images = draws.normal(size=(12, 1, 6, 6)).astype(np.float32)
    return {"tokens": tokens * mask, "mask": mask, "labels": labels, "images": images, "classes": np.arange(12) % 3}


def next_token(targets):
    """Torch's mean over the counted positions, of logits before the last against targets after the first."""

    def loss(logits, rows):
        wanted = targets[rows][:, 1:]
        return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), wanted.flatten(), ignore_index=-100)

    return loss


def written(make, folder, arrays, **options):
    """The network in its folder, with what it was initialised with moved about, and the data beside it."""
    torch.manual_seed(0)
    network = make().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    network.save_pretrained(folder / "net", **options)
    np.savez(folder / "data.npz", **arrays)
    return network


def check(network, inputs, loss, found):
    tensors = {name: torch.tensor(each) for name, each in inputs.items()}
    expected = dense(Called(network, tensors), torch.arange(12), torch.arange(12), loss)
    size = float(expected.eigenvalues.abs().max())
    assert found["loss"] == pytest.approx(expected.loss, abs=1e-5 * max(expected.loss, 1))
    assert found["eigenvalues"] == pytest.approx(expected.eigenvalues[:2].tolist(), abs=1e-3 * size)


def hessian(folder, *flags, checkpoint="net"):
    status, found, said = typed(
        folder, "landscape.hessian", checkpoint, "--data", "npz:data.npz", "--top", 2, "--tolerance", 1e-4,
        "--data-error", "none", *flags,
    )  # fmt: skip
    assert status == 0, said
    return found


@pytest.mark.parametrize("make", [gpt2, llama])
@pytest.mark.parametrize("form", ["tokens", "mask", "labels"])
def test_language_models(make, form, tmp_path):
    given = data()
    tokens, mask = given["tokens"], given["mask"]
    inputs = {"input_ids": tokens} | ({} if form == "tokens" else {"attention_mask": mask})
    counted = np.where(mask, tokens, -100)  # padding lies at the end, so that a token counts where its mask holds
    targets = {"tokens": tokens, "mask": counted, "labels": given["labels"]}[form]
    arrays = {"x_train": tokens} if form == "tokens" else {f"x_train.{name}": each for name, each in inputs.items()}
    arrays |= {"x_train.labels": given["labels"]} if form == "labels" else {}
    network = written(make, tmp_path, arrays)
    found = hessian(tmp_path, "--loss", "next-token")
    check(network, inputs, next_token(torch.tensor(targets)), found)
    assert any("no labels" in each for each in found["notes"]) == (form != "labels")


def test_masks_with_holes_count_where_both_hold(tmp_path):
    given = data()
    tokens = np.random.default_rng(1).integers(0, VOCABULARY, (12, LENGTH))
    mask = np.ones((12, LENGTH), np.int64)
    mask[::2, 0], mask[1::3, 3] = 0, 0
    targets = tokens.copy()
    targets[:, 1:][(mask[:, 1:] * mask[:, :-1]) == 0] = -100
    inputs = {"input_ids": tokens, "attention_mask": mask}
    network = written(gpt2, tmp_path, inputs)
    found = hessian(tmp_path, "--loss", "next-token")
    check(network, inputs, next_token(torch.tensor(targets)), found)
    assert len(given["tokens"]) == found["samples"]


@pytest.mark.parametrize("form", ["weights", "sharded"])
def test_classifiers_of_sequences(form, tmp_path):
    given = data()
    inputs = {"input_ids": given["tokens"], "attention_mask": given["mask"]}
    arrays = {f"x_train.{name}": each for name, each in inputs.items()} | {"y_train": given["classes"]}
    network = written(bert, tmp_path, arrays, **({"max_shard_size": "1KB"} if form == "sharded" else {}))
    other = {"weights": "net/model.safetensors", "sharded": "net"}[form]
    found = hessian(tmp_path, *(["--model", "hf:net"] if form == "weights" else []), checkpoint=other)
    classes = torch.tensor(given["classes"])
    check(network, inputs, lambda logits, rows: torch.nn.functional.cross_entropy(logits, classes[rows]), found)
    assert 0 <= found["accuracy"] <= 1


def test_classifiers_of_images(tmp_path):
    given = data()
    arrays = {"x_train.pixel_values": given["images"], "x_train.labels": given["classes"]}
    network = written(vit, tmp_path, arrays)
    classes = torch.tensor(given["classes"])

    def loss(logits, rows):
        return torch.nn.functional.cross_entropy(logits, classes[rows])

    found = hessian(tmp_path)
    check(network, {"pixel_values": given["images"]}, loss, found)
    found = hessian(tmp_path, "--labels-in", "-o", "labels-in.h5")
    check(network, {"pixel_values": given["images"]}, loss, found)


def test_a_folder_is_a_checkpoint_whose_contents_are_its_identity(tmp_path):
    given = data()
    written(gpt2, tmp_path, {"x_train": given["tokens"]})
    first = hessian(tmp_path, "--loss", "next-token")
    assert first["out"] == "net.hessian.h5"
    assert hessian(tmp_path, "--loss", "next-token")["reused"]
    config = json.loads((tmp_path / "net/config.json").read_text())
    (tmp_path / "net/config.json").write_text(json.dumps(config | {"activation_function": "relu"}))
    flags = ["--data", "npz:data.npz", "--loss", "next-token"]
    status, _, said = typed(tmp_path, "landscape.hessian", "net", *flags)
    assert status == 1
    assert "--overwrite" in said
    (tmp_path / "net/model.safetensors").unlink()
    status, _, said = typed(tmp_path, "landscape.hessian", "net", *flags, "--overwrite")
    assert status == 1
    assert "is a folder, expected a file" in said


def test_a_language_model_is_measured_by_the_next_token_unless_another_loss_is_typed(tmp_path):
    given = data()
    written(gpt2, tmp_path, {"input_ids": given["tokens"], "labels": given["labels"]})
    typed_out, left_out = hessian(tmp_path, "--loss", "next-token", "-o", "a.h5"), hessian(tmp_path, "-o", "b.h5")
    assert left_out["loss"] == typed_out["loss"]
    assert "GPT2LMHeadModel predicts the next token" in left_out["notes"][-1]
    found = hessian(tmp_path, "--loss", "cross-entropy:class_axis=-1", "-o", "c.h5")
    assert found["loss"] != typed_out["loss"]
    assert any("type --loss next-token" in each for each in found["notes"])


def test_without_labels_the_message_says_what_to_type(tmp_path):
    written(gpt2, tmp_path, {"x_train": data()["tokens"]})
    status, _, said = typed(
        tmp_path, "landscape.hessian", "net", "--data", "npz:data.npz", "--loss", "cross-entropy:class_axis=-1"
    )
    assert status == 1
    assert "--loss next-token" in said


def test_other_commands_on_a_language_model(tmp_path):
    written(llama, tmp_path, {"x_train": data()["tokens"]})
    flags = ["--data", "npz:data.npz", "--loss", "next-token"]
    levels = []
    for module, own in (
        ("landscape.surface", ["--grid", 3, "--compile", "off"]),
        ("landscape.sharpness", ["--measures", "lambda_max"]),
        ("landscape.path", []),
    ):
        names = ["net", "net"] if module.endswith("path") else ["net"]
        status, found, said = typed(tmp_path, module, *names, *flags, *own, "-o", f"{module}.h5")
        assert status == 0, said
        levels.append(found["losses"][0] if "losses" in found else found["loss"])
    assert levels == pytest.approx([levels[0]] * 3, rel=1e-5)
