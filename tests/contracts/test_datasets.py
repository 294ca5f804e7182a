"""One battery over every registered dataset: where it lies is said, and what it needs is known before it is read."""

import pytest

from minima.store.command import BadInput
from minima.zoo.data.dataset import sources
from minima.zoo.data.specs import load_data, resolve_data

ON_DISK = [name for name, source in sources().items() if source.needs_root]


@pytest.mark.parametrize("name", sources())
def test_what_a_checkpoint_stores_of_it_resolves_to_itself(name):
    entry = resolve_data(name)
    assert resolve_data(entry["spec"], mean=entry["mean"], std=entry["std"]) == entry
    assert len(entry["mean"]) == len(entry["std"])
    assert min(entry["std"]) > 0


@pytest.mark.parametrize("name", ON_DISK)
def test_an_empty_folder_is_named_and_how_to_fill_it(name, tmp_path):
    with pytest.raises(BadInput) as refused:
        load_data(resolve_data(name, tmp_path))
    said = str(refused.value)
    assert str(tmp_path) in said
    assert "is missing" in said
    assert name in said
    assert "--data-root" in said
    assert said.count("\n") <= 4


@pytest.mark.parametrize("name", [name for name in sources() if name not in ON_DISK])
def test_bundled_data_needs_no_folder(name, tmp_path):
    assert resolve_data(name, tmp_path)["root"] is None
    dataset = load_data(resolve_data(name))
    assert dataset.classes == len(dataset.y_train.unique()) == len(dataset.y_test.unique())
