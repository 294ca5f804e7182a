"""One battery over every registered network: what training, pruning and measuring take for granted."""

import copy

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jvp
from torch.nn.functional import cross_entropy

from entropy.information.measurement import measure
from minima.store.checkpoints.checkpoint import Checkpoint, load, save
from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.architecture.architecture import (
    architectures,
    build,
    describe,
    initialise,
    parse_architecture,
    shapes_of,
)
from minima.zoo.training.loop import Trainer
from minima.zoo.training.recipe import Recipe

SMALL = {
    "lenet5": "lenet5:filters=3x4,units=6",
    "mobilenet": "mobilenet:width=2,blocks=2,expansion=2",
    "resnet20": "resnet20:width=2",
    "resnet32": "resnet32:width=2",
    "resnet56": "resnet56:width=2",
    "vgg16": "vgg16:width=2",
    "vit": "vit:dim=8,depth=2,heads=2",
}
"""cheap settings; a new network runs as it is until it has some here"""
SPECS = [SMALL.get(name, name) for name in architectures()] + ["mobilenet:width=2,activation=hardswish"]
SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32)]
EXAMPLES, CLASSES = 12, 7

every_network = pytest.mark.parametrize("spec", SPECS)


def described(spec, shape=(1, 8, 8)):
    return describe(parse_architecture(spec), shape, CLASSES)


def examples(shape=(1, 8, 8)):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(EXAMPLES, *shape, generator=generator), torch.arange(EXAMPLES) % CLASSES


def settled(spec, shape=(1, 8, 8)):
    """In eval mode and float64, with running statistics of the examples, as after training."""
    network = initialise(described(spec, shape), seed=0).double()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    network.train()(examples(shape)[0].double())
    for norm in norms:
        norm.momentum = 0.1
    return network.eval()


@every_network
def test_its_shapes_are_known_before_it_is_built_and_nothing_is_drawn(spec):
    before = torch.get_rng_state()
    known = shapes_of(described(spec))
    assert torch.equal(before, torch.get_rng_state())
    assert known == {name: tuple(value.shape) for name, value in build(described(spec)).state_dict().items()}


@every_network
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_logits_for_every_class_and_something_to_prune(spec, shape):
    network = initialise(described(spec, shape), seed=0)
    for mode in (True, False):
        logits = network.train(mode)(examples(shape)[0])
        assert logits.shape == (EXAMPLES, CLASSES)
        assert logits.isfinite().all()
    assert prunable(network)


@every_network
def test_inputs_that_are_no_images_are_taken_or_refused_by_name(spec):
    architecture, refusal = parse_architecture(spec), None
    try:
        network = architecture.build((5,), CLASSES).eval()
    except BadInput as refused:
        refusal = str(refused)
    if refusal is None:
        assert network(torch.randn(2, 5)).shape == (2, CLASSES)
    else:
        assert architecture.name in refusal
        assert "(5,)" in refusal


@every_network
def test_initial_weights_follow_the_seed_alone(spec):
    before = torch.random.get_rng_state()
    first, again, other = (initialise(described(spec), seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@every_network
def test_a_description_holds_every_setting(spec):
    architecture = parse_architecture(spec)
    entry = described(spec)
    assert entry["name"] == spec.partition(":")[0]
    assert type(architecture)(**entry["arguments"]) == architecture
    shapes = {name: tensor.shape for name, tensor in initialise(entry, seed=0).state_dict().items()}
    assert {name: tensor.shape for name, tensor in build(entry).state_dict().items()} == shapes


@every_network
def test_a_checkpoint_gives_the_same_network_again(spec, tmp_path):
    network, (x, _) = settled(spec).float(), examples()
    save(Checkpoint(model=described(spec), data={}, state=network.state_dict()), tmp_path / "net.pt")
    stored = load(tmp_path / "net.pt")
    again = build(stored.model)
    again.load_state_dict(stored.state)
    assert torch.equal(again.eval()(x), network(x))


@every_network
def test_two_backward_passes_give_the_hessian(spec):
    """H v against a central difference of gradients, and against forward over reverse, in float64."""
    network, (x, y) = settled(spec), examples()
    parameters = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    generator = torch.Generator().manual_seed(2)
    vector = {
        name: torch.randn(value.shape, dtype=value.dtype, generator=generator) * value.norm() / value.numel() ** 0.5
        for name, value in parameters.items()
    }

    def loss(weights):
        return cross_entropy(functional_call(network, weights, (x.double(),)), y)

    def flat(tensors):
        return torch.cat([tensor.flatten() for tensor in tensors])

    leaves = {name: value.requires_grad_() for name, value in parameters.items()}
    first = torch.autograd.grad(loss(leaves), list(leaves.values()), create_graph=True)
    slope = sum((gradient * v).sum() for gradient, v in zip(first, vector.values(), strict=True))
    twice = flat(torch.autograd.grad(slope, list(leaves.values())))
    assert twice.isfinite().all()
    assert twice.norm() > 1e-6

    weights = {name: value.detach() for name, value in leaves.items()}
    step = 1e-7
    ahead, behind = (
        flat(grad(loss)({name: value + sign * step * vector[name] for name, value in weights.items()}).values())
        for sign in (1, -1)
    )
    assert (twice - (ahead - behind) / (2 * step)).norm() < 1e-5 * twice.norm()
    forward = flat(jvp(grad(loss), (weights,), (vector,))[1].values())
    assert (twice - forward).norm() < 1e-9 * twice.norm()


@every_network
def test_it_learns(spec):
    network, (x, y) = initialise(described(spec), seed=0), examples()
    trainer = Trainer(network, x, y, Recipe(optimiser="adam", lr=0.01), epochs=60, order_seed=0)
    first = trainer.advance(1)
    trainer.advance(58)
    assert trainer.advance(1) < first / 2


@every_network
def test_its_neurons_are_found(spec):
    """PSP-entropy looks at the inputs of activations, however a network calls them."""
    network, (x, y) = settled(spec), examples()
    layers, skipped = measure(network, x.double(), y, CLASSES)
    assert not skipped
    assert len(layers) > 1
    assert [layer.output for layer in layers] == [False] * (len(layers) - 1) + [True]
    assert len({layer.name for layer in layers}) == len(layers)


@every_network
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32)], ids=str)
def test_an_output_does_not_depend_on_the_other_examples(spec, shape):
    network, (x, _) = settled(spec, shape), examples(shape)
    with torch.no_grad():
        whole = network(x.double())
        torch.testing.assert_close(torch.cat([network(example[None].double()) for example in x]), whole)
        torch.testing.assert_close(network(x.flip(0).double()).flip(0), whole)


@every_network
def test_a_forward_pass_in_eval_mode_leaves_the_network_as_it_was(spec):
    network, (x, y) = settled(spec), examples()
    cross_entropy(network(x.double()), y).backward()
    before = copy.deepcopy(network.state_dict())
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    random_state = torch.random.get_rng_state()
    network(x.double())
    assert torch.equal(random_state, torch.random.get_rng_state())
    assert not any(module.training for module in network.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        assert parameter.requires_grad
        assert torch.equal(parameter.grad, gradient)
