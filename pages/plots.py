"""Plots as SVG text, to be set into a page."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Array = np.ndarray

_INK, _MATED, _OTHERS, _THRESHOLD = "#1f2933", "#1b7f5c", "#b4472e", "#5b4b8a"
_LINES = ("#1b7f5c", "#2f6f9f", "#5b4b8a", "#b4472e", "#a67c00", "#52606d")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, and printed sharply
    "svg.hashsalt": "rollcall",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica Neue", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@dataclass(frozen=True)
class Plot:
    """A plot, as it stands on a page."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True)
class Line:
    """Points to be joined; a step where each holds until the next."""

    name: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None


def roc(line: Line) -> Plot:
    """TAR against FAR; FAR on a logarithmic scale."""

    def draw(axes: Axes) -> None:
        axes.step(line.x, line.y, where="post", color=_MATED, linewidth=1.8)
        if (line.x > 0).any():
            axes.set_xscale("log")
        axes.set_xlim(_least(line.x), 1)
        axes.set_ylim(min(0.9, float(line.y[line.x > 0].min(initial=0.9))), 1.002)
        axes.set_xlabel("FAR: non-mated pairs accepted")
        axes.set_ylabel("TAR: mated pairs accepted")

    return Plot("ROC", _drawn(draw), "Up and to the left is better.")


def det(lines: Sequence[Line], x: str, y: str, caption: str) -> Plot:
    """Both errors on logarithmic scales."""

    def draw(axes: Axes) -> None:
        for line, color in zip(lines, cycle(_LINES), strict=False):
            shown = (line.x > 0) & (line.y > 0)
            axes.plot(line.x[shown], line.y[shown], color=color, linewidth=1.8, label=line.name)
        _logarithmic(axes)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        if len(lines) > 1:
            axes.legend()

    return Plot("DET", _drawn(draw), caption)


def histogram(mated: Array, others: Array, threshold: float | None, x: str) -> Plot:
    """Similarities of both kinds, each as shares of its own; with the threshold."""

    def draw(axes: Axes) -> None:
        every = np.concatenate([mated, others])
        bins = np.linspace(every.min(initial=0), every.max(initial=1), 61).tolist()
        for values, color, name in ((others, _OTHERS, "non-mated"), (mated, _MATED, "mated")):
            if len(values):
                shares = np.full(len(values), 1 / len(values))
                axes.hist(values, bins=bins, weights=shares, color=color, alpha=0.55, label=name)
        if threshold is not None and np.isfinite(threshold):
            axes.axvline(threshold, color=_THRESHOLD, linewidth=1.5, linestyle="--", label=f"threshold {threshold:.3f}")
        axes.set_xlabel(x)
        axes.set_ylabel("share")
        axes.legend()

    return Plot("Mated and non-mated", _drawn(draw), "The less the two overlap, the better they can be told apart.")


def cmc(lines: Sequence[Line]) -> Plot:
    """How often the right person is among the first, by the number of persons that are looked at."""

    def draw(axes: Axes) -> None:
        for line, color in zip(lines, cycle(_LINES), strict=False):
            axes.plot(line.x, line.y, color=color, marker="o", markersize=3, linewidth=1.5, label=line.name)
        axes.set_xlabel("rank")
        axes.set_ylabel("share found within the rank")
        axes.set_ylim(top=1.002)
        axes.legend(loc="lower right")

    return Plot("CMC", _drawn(draw), "Searches for persons who are in the gallery, without a threshold.")


def by_gallery_size(measured: Line, bands: Sequence[Line], target: float | None, caption: str) -> Plot:
    """FPIR against the size of the gallery, at one threshold."""

    def draw(axes: Axes) -> None:
        for line, color in zip(bands, cycle(_LINES[1:]), strict=False):
            if line.low is not None and line.high is not None:
                axes.fill_between(line.x, line.low, line.high, color=color, alpha=0.18, linewidth=0)
            axes.plot(line.x, line.y, color=color, linewidth=1.5, label=line.name)
        axes.plot(measured.x, measured.y, "o", color=_MATED, markersize=5, label=measured.name)
        if target is not None:
            axes.axhline(target, color=_THRESHOLD, linewidth=1.2, linestyle="--", label=f"target {target:g}")
        _logarithmic(axes)
        axes.set_xlabel("persons in the gallery")
        axes.set_ylabel("FPIR")
        axes.legend()

    return Plot("FPIR by the size of the gallery", _drawn(draw), caption)


def course(title: str, lines: Sequence[Line], x: str, y: str, caption: str) -> Plot:
    """How something went, step by step."""

    def draw(axes: Axes) -> None:
        for line, color in zip(lines, cycle(_LINES), strict=False):
            axes.plot(line.x, line.y, color=color, linewidth=1.5, label=line.name)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        if len(lines) > 1:
            axes.legend()

    return Plot(title, _drawn(draw), caption)


def against_chance(title: str, share: Array, score: Array, random: Array, x: str) -> Plot:
    """A score along an order, against random orders: float64 (steps,), (steps,) and (orders, steps)."""

    def draw(axes: Axes) -> None:
        low, high = np.quantile(random, [0.05, 0.95], axis=0)
        axes.fill_between(share, low, high, color=_OTHERS, alpha=0.2, linewidth=0)
        axes.plot(share, random.mean(axis=0), color=_OTHERS, linewidth=1.5, label="random order")
        axes.plot(share, score, color=_MATED, linewidth=1.8, label="order of the map")
        axes.set_xlabel(x)
        axes.set_ylabel("similarity")
        axes.legend()

    return Plot(title, _drawn(draw), "")


def _logarithmic(axes: Axes) -> None:
    """Both axes; if nothing above 0 was drawn, the plot says so."""
    if not np.isfinite([axes.dataLim.minposx, axes.dataLim.minposy]).all():
        axes.set(xlim=(1e-3, 1), ylim=(1e-3, 1))
        axes.text(0.5, 0.5, "no errors to draw", transform=axes.transAxes, horizontalalignment="center")
    axes.set(xscale="log", yscale="log")


def _least(values: Array) -> float:
    positive = values[values > 0]
    return float(positive.min()) / 2 if len(positive) else 1e-6


def _drawn(draw: Callable[[Axes], None]) -> str:
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.8, 3.4), layout="constrained")
        draw(figure.add_subplot())
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]
