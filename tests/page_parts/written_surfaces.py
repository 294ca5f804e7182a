"""Results of surfaces that nobody would wish for, written as the command writes them."""

import numpy as np

from minima.store.hdf5.results import Identity, create

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>$x^2$ \"'&.pt"
SUMMARY = {
    **{"loss": 0.4, "score": 0.9, "score_name": "accuracy", "sparsity": 0.5, "samples": 100, "split": "train"},
    **{"loss_unit": "nat", "directions": "random", "shape": [9, 9], "loss_at_centre": 0.1, "loss_min": 0.1},
    **{"loss_max": None},
}


def surfaces(path, names, spoil=True, arguments=None):
    """Surfaces of many networks, with walls and holes in them where `spoil`."""
    alpha = np.linspace(-1, 1, 9)
    identity = Identity("surface", [f"{number:064d}" for number in range(len(names))], {})
    said = {"note": NASTY} if arguments is None else arguments
    with create(path, identity, names, {"split": "train", "data": NASTY, "arguments": said}) as file:
        for row in range(len(names)):
            place = file.place(row)
            place.scale("surface/alpha", alpha, "1", "alpha")
            place.scale("surface/beta", alpha, "1", "beta")
            x, y = np.meshgrid(alpha, alpha, indexing="ij")
            loss = 0.1 + x**2 + (1 + row % 5) * y**2
            if spoil:
                loss[0, 0], loss[-1, :2], loss[4, 8] = np.nan, np.inf, 1e30
            place.write("surface/loss", loss, ("alpha", "beta"), "nat", "loss")
            place.write("surface/accuracy", 1 / (1 + loss), ("alpha", "beta"), "1", "accuracy")
            place.scale("surface/direction", [0, 1], "1", "direction")
            for key in ("direction_norm", "relative_direction_norm"):
                place.write(f"surface/{key}", [3.0, 3.1], ("direction",), "1", "norm")
            place.write("surface/direction_cosine", 0.0, (), "1", "cosine")
            file.mark_done(row, SUMMARY)
        file.finish()
