"""Files as people bring them: one network's weights in containers, wrappers, layouts and dtypes of others."""

import argparse
import json
import struct
import warnings

import numpy as np
import torch
from cases.containers.model import Mod, Net
from oracles.plain_hessian import fitted


def make(folder):
    """Write `data.npz` and the files; the network, the one with a sparse head, and the wrapper, with their data."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 1, 6, 6)).astype("float32"), rng.integers(0, 3, 60)
    np.savez(folder / "data.npz", x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    net = fitted(Net(), torch.tensor(x), torch.tensor(y))
    state = {name: value.clone() for name, value in net.state_dict().items()}
    wrapped, head = Mod(), state["h.weight"].clone()
    head[head.abs() < 0.1] = 0
    sparse = Net()
    sparse.load_state_dict(state | {"h.weight": head})
    for name, content in (
        containers(net, state) | layouts(state, head) | {"module-attr": wrapped.state_dict()}
    ).items():
        torch.save(content, folder / f"{name}.pt")
    (folder / "net.safetensors").write_bytes(safetensors_by_hand(state))
    return net, sparse.eval(), wrapped.eval(), torch.tensor(x), torch.tensor(y)


def containers(net, state):
    """The same weights, in containers and under prefixes."""
    prefixed = {f"model.{name}": value for name, value in state.items()}
    larger = {name: value * 1.1 if value.is_floating_point() else value for name, value in state.items()}
    return {
        "plain": state,
        "lightning-plain": {"epoch": 3, "state_dict": prefixed, "hyper_parameters": {"lr": 0.1}},
        "lightning-namespace": {"state_dict": prefixed, "hyper_parameters": argparse.Namespace(lr=0.1)},
        "kuangliu-net": {"net": state, "acc": 93.1, "epoch": 3},
        "timm-ema": {"state_dict": state, "state_dict_ema": larger},
        "averaged-model": torch.optim.swa_utils.AveragedModel(net).state_dict(),
        "nested": {"model": {"state_dict": state}},
        "no-nbt": {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")},
        "dp-compile": {f"module._orig_mod.{name}": value for name, value in state.items()},
        "fsdp": {f"_fsdp_wrapped_module.{name}": value for name, value in state.items()},
        "whole-module": net,
    }


def layouts(state, head):
    """The same weights in half precision, a sparse head in three layouts, and what means something else."""
    with warnings.catch_warnings(action="ignore"):
        codes = torch.quantize_per_tensor(state["h.weight"], 0.01, 0, torch.qint8)
        rows = head.to_sparse_csr()
    scale = state["h.weight"].abs().max() / 127
    heads = {
        "sparse-as-dense": head,
        "sparse-coo": head.to_sparse(),
        "sparse-csr": rows,
        "qint8": codes,
        "int8-codes": (state["h.weight"] / scale).round().to(torch.int8),
        "float8": state["h.weight"].to(torch.float8_e4m3fn),
        "complex-into-real": state["h.weight"].to(torch.complex64) * (1 + 0.5j),
    }
    files = {name: state | {"h.weight": value} for name, value in heads.items()}
    for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        files[name] = {key: value.to(dtype) if value.is_floating_point() else value for key, value in state.items()}
    return files | {"negative-var": state | {"bn.running_var": torch.full((3,), -1.0)}}


def safetensors_by_hand(state):
    """A safetensors file after the format's description: length of the header, the header, the bytes."""
    header, blob = {}, b""
    for name, value in state.items():
        raw = value.numpy().tobytes()
        kind = {torch.float32: "F32", torch.int64: "I64"}[value.dtype]
        ends = [len(blob), len(blob) + len(raw)]
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": ends}
        blob += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + blob
