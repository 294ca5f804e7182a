"""A network as its factory made it, made ready to be filled: in eval mode, without wrappers, its pruning undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def ready(model: nn.Module) -> nn.Module:
    """A network that somebody handed over, without wrappers and pruning, in eval mode.

    Eval mode comes first: in training mode a reparametrisation such as spectral norm changes its buffers whenever its
    weight is read. Wrappers that compile or distribute are taken off, for what is measured is the network. What
    torch's pruning put into it (a weight that is made of an original and a mask before every pass) becomes an
    ordinary weight again; the masks come from the file. Weight and spectral norm in torch's old form, which leaves
    the graph of the last pass in the layer, get the new one: the same function of the same parameters.
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
    from torch.nn.utils import parametrizations
    from torch.nn.utils.spectral_norm import SpectralNorm, SpectralNormLoadStateDictPreHook, remove_spectral_norm
    from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

    for hook in list(module._forward_pre_hooks.values()):
        if isinstance(hook, WeightNorm):
            remove_weight_norm(module, hook.name)
            parametrizations.weight_norm(module, hook.name, hook.dim)
        elif isinstance(hook, SpectralNorm):
            remove_spectral_norm(module, hook.name)
            for key, loading in list(module._load_state_dict_pre_hooks.items()):  # torch forgets this one
                if isinstance(getattr(loading, "hook", loading), SpectralNormLoadStateDictPreHook):
                    del module._load_state_dict_pre_hooks[key]
            parametrizations.spectral_norm(module, hook.name, hook.n_power_iterations, hook.eps, hook.dim)
