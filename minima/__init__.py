"""An instrument for looking at minima: the common ground of its packages, and the door to its commands.

>>> from minima import evaluate, load_checkpoint, parse_loss
"""

from typing import TYPE_CHECKING

from minima.store import __version__ as __version__
from minima.store.doors import door

if TYPE_CHECKING:
    from minima.store.messages import BadInput as BadInput
    from minima.zoo.data.dataset import Dataset as Dataset
    from minima.zoo.data.examples import as_examples as as_examples
    from minima.zoo.examples.evaluation import Evaluation as Evaluation
    from minima.zoo.losses.loss import Loss as Loss
    from minima.zoo.losses.loss import Terms as Terms
    from minima.zoo.losses.loss import losses as losses
    from minima.zoo.losses.spec import parse_loss as parse_loss
    from minima.zoo.subject.door import evaluate as evaluate
    from minima.zoo.subject.door import load_checkpoint as load_checkpoint
    from minima.zoo.subject.subject import Subject as Subject
    from minima.zoo.training.callbacks import lightning_callback as lightning_callback
    from minima.zoo.training.callbacks import transformers_callback as transformers_callback
    from minima.zoo.training.recorder import Recorder as Recorder

HOMES = {
    "BadInput": "minima.store.messages",
    "Dataset": "minima.zoo.data.dataset",
    "Evaluation": "minima.zoo.examples.evaluation",
    "Loss": "minima.zoo.losses.loss",
    "Recorder": "minima.zoo.training.recorder",
    "Subject": "minima.zoo.subject.subject",
    "Terms": "minima.zoo.losses.loss",
    "as_examples": "minima.zoo.data.examples",
    "evaluate": "minima.zoo.subject.door",
    "lightning_callback": "minima.zoo.training.callbacks",
    "load_checkpoint": "minima.zoo.subject.door",
    "losses": "minima.zoo.losses.loss",
    "parse_loss": "minima.zoo.losses.spec",
    "transformers_callback": "minima.zoo.training.callbacks",
}
"""public name -> the module that defines it"""

__all__ = [*HOMES]  # noqa: PLE0604 (strings they are)
__getattr__, __dir__ = door(__name__, HOMES)
