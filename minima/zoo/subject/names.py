"""Names of tensors, apart from what wrappers put into them and from how a reparametrisation calls its parts."""

from __future__ import annotations

from collections.abc import Iterable

WRAPPERS = frozenset(
    ("module", "_orig_mod", "_fsdp_wrapped_module", "_fpw_module", "_checkpoint_wrapped_module", "_dp_module")
)
"""what parallel, compiled, sharded and recomputing wrappers of torch put into the names of what they wrap"""
COUNTERS = ("num_batches_tracked", "n_averaged")
"""buffers that count calls: eval mode does not look at them, so a file may lack them"""


def canonical(names: Iterable[str]) -> dict[str, str]:
    """Names of tensors without the wrappers in them, and in the words of `torch.nn.utils.parametrizations`.

    Weight norm and spectral norm exist in torch twice, under different names for the same tensors.

    >>> canonical(["module._orig_mod.conv1.weight"])
    {'module._orig_mod.conv1.weight': 'conv1.weight'}
    >>> list(canonical(["fc.weight_g", "fc.weight_v"]).values())
    ['fc.parametrizations.weight.original0', 'fc.parametrizations.weight.original1']
    """
    bare = {name: unwrapped(name) for name in names}
    there = set(bare.values())
    return {name: _reparametrised(own, there) for name, own in bare.items()}


def unwrapped(name: str) -> str:
    """A name without the wrappers in it.

    >>> unwrapped("layer1._orig_mod.0.weight")
    'layer1.0.weight'
    """
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def wrappers_in(names: Iterable[str]) -> list[str]:
    """The wrappers that occur in the names, in the order of their first appearance."""
    return list(dict.fromkeys(part for name in names for part in name.split(".") if part in WRAPPERS))


def last(name: str) -> str:
    """The tensor's own name, without the module's."""
    return name.rpartition(".")[2]


def _reparametrised(name: str, there: set[str]) -> str:
    stem, mark, part = name.rpartition("_")
    if not mark or part not in ("g", "v", "u", "orig"):
        return name
    module, dot, tensor = stem.rpartition(".")
    whole = f"{module}{dot}parametrizations.{tensor}"
    if {f"{stem}_g", f"{stem}_v"} <= there and part in ("g", "v"):
        return f"{whole}.original{'gv'.index(part)}"
    if {f"{stem}_orig", f"{stem}_u", f"{stem}_v"} <= there and part != "g":
        return f"{whole}.original" if part == "orig" else f"{whole}.0._{part}"
    return name
