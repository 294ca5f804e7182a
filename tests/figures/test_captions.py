"""Legends and captions of any length stay within their figure."""

import pytest

from figures.drawing.captions import caption_below, legend_below
from figures.drawing.style import styled

LONG = "a-network-of-a-long-name-that-somebody-gave-it-once.one-shot-0.97.finished"


@pytest.mark.parametrize("width", [3.0, 7.2])
@pytest.mark.parametrize("names", [["a", "b", "c"], [LONG[:30], f"{LONG[:30]} 2", "c"]])
def test_legend_and_caption_fit(width, names):
    with styled():
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(width, 3))
        lines = [axes.plot([0, 1], label=name)[0] for name in names]
        words = "10,000 train examples; bars: the larger of the errors of examples and of draws, and much more to say"
        legend_below(figure, lines, names, 3, words)
        caption_below(figure, words)
        figure.canvas.draw()
        room = figure.bbox.width
        boxes = [figure.legends[0].get_window_extent(), figure.legends[0].get_title().get_window_extent()]
        boxes.append(figure._supxlabel.get_window_extent())
        assert all(box.x0 >= 0 and box.x1 <= room for box in boxes)
        plt.close(figure)
