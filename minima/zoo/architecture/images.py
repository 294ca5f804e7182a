"""The shape of the images that a convolutional network is built for."""

from __future__ import annotations

from minima.store.command import BadInput


def image_shape(input_shape: tuple[int, ...], network: str, smallest: int = 1) -> tuple[int, int, int]:
    """(channels, height, width) of inputs that are images with sides of at least `smallest` pixels.

    >>> image_shape((64,), "lenet5")
    Traceback (most recent call last):
    minima.store.messages.BadInput: lenet5 needs images (channels, height, width), not inputs of shape (64,)
    """
    if len(input_shape) != 3 or min(input_shape[1:]) < smallest:
        least = f" of at least {smallest}x{smallest} pixels" if smallest > 1 else ""
        raise BadInput(f"{network} needs images{least} (channels, height, width), not inputs of shape {input_shape}")
    return input_shape[0], input_shape[1], input_shape[2]
