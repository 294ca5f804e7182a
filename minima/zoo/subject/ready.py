"""A network as its factory made it, made ready to be filled: in eval mode, without wrappers, its pruning undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm


def ready(model: nn.Module) -> nn.Module:
    """A network that somebody handed over, without wrappers and pruning, in eval mode.

    Eval mode comes first: in training mode a reparametrisation such as spectral norm changes its buffers whenever its
    weight is read. Wrappers that compile or distribute are taken off, for what is measured is the network. What
    torch's pruning put into it (a weight that is made of an original and a mask before every pass) becomes an
    ordinary weight again; the masks come from the file. Weight and spectral norm in torch's old form, which leaves
    the graph of the last pass in the layer, get the new one: the same function of the same
    parameters, with their numbers.
    """
    inner = unwrapped_module(model).eval()
    for module in list(inner.modules()):
        _undo_pruning(module)
        _renew_norms(module)
    return inner.eval()  # once more, for what is new


def unwrapped_module(model: nn.Module) -> nn.Module:
    """The network in wrappers of torch: compiled, data-parallel, averaged."""
    from torch import nn
    from torch.optim.swa_utils import AveragedModel

    while True:
        if isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):  # torch.compile's
            model = inner
        elif isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel, AveragedModel)):
            model = model.module
        else:
            return model


def _undo_pruning(module: nn.Module) -> None:
    from torch.nn.utils import prune

    for hook in list(module._forward_pre_hooks.values()):
        if isinstance(hook, prune.BasePruningMethod):
            prune.remove(module, hook._tensor_name)


def _renew_norms(module: nn.Module) -> None:
    """The numbers of the old form go over into the new one, which would begin with others of its own."""
    from torch.nn.utils.spectral_norm import SpectralNorm
    from torch.nn.utils.weight_norm import WeightNorm

    for hook in list(module._forward_pre_hooks.values()):
        if isinstance(hook, WeightNorm):
            _renew_weight_norm(module, hook)
        elif isinstance(hook, SpectralNorm):
            _renew_spectral_norm(module, hook)


def _renew_weight_norm(module: nn.Module, hook: WeightNorm) -> None:
    from torch.nn.utils import parametrizations
    from torch.nn.utils.weight_norm import remove_weight_norm

    own = {f"original{place}": getattr(module, f"{hook.name}_{kind}") for place, kind in enumerate("gv")}
    remove_weight_norm(module, hook.name)
    parametrizations.weight_norm(module, hook.name, hook.dim)
    renewed: Any = module.parametrizations
    _filled(renewed[hook.name], own)


def _renew_spectral_norm(module: nn.Module, hook: SpectralNorm) -> None:
    import torch
    from torch.nn.utils import parametrizations
    from torch.nn.utils.spectral_norm import SpectralNormLoadStateDictPreHook, remove_spectral_norm

    own = {"original": getattr(module, f"{hook.name}_orig")}
    vectors = {f"_{kind}": getattr(module, f"{hook.name}_{kind}").clone() for kind in "uv"}
    remove_spectral_norm(module, hook.name)
    for key, loading in list(module._load_state_dict_pre_hooks.items()):  # torch forgets this one
        if isinstance(getattr(loading, "hook", loading), SpectralNormLoadStateDictPreHook):
            del module._load_state_dict_pre_hooks[key]
    device = own["original"].device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):  # it draws vectors to begin with
        parametrizations.spectral_norm(module, hook.name, hook.n_power_iterations, hook.eps, hook.dim)
    every: Any = module.parametrizations
    renewed = every[hook.name]
    _filled(renewed, own)
    if own["original"].ndim > 1:  # of a vector the new form keeps none
        _filled(renewed[0], vectors)


def _filled(module: Any, tensors: Mapping[str, Tensor]) -> None:
    """Give parameters and buffers of a module these numbers, and whether they are trained."""
    for name, tensor in tensors.items():
        own = getattr(module, name)
        own.data.copy_(tensor.detach())
        own.requires_grad_(tensor.requires_grad)
