"""The goals as horizontal bars: how much of what each allows is used. Nothing is measured here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.results import Result

MET, MISSED = "#2a7f62", "#c2452d"


def draw(results: Sequence[Result], path: Path) -> None:
    """One bar per goal; the line is the goal, and shorter is better, whatever the figure's unit."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [(result, result.goal) for result in results if result.goal is not None]
    used = [100 * (r.figure / goal if r.sense == "at_most" else goal / r.figure) for r, goal in shown]
    figure, axis = plt.subplots(figsize=(11, 1.2 + 0.5 * len(shown)), layout="constrained")
    places = range(len(shown))
    axis.barh(places, used, color=[MET if r.is_met else MISSED for r, _ in shown], height=0.6)
    axis.axvline(100, color="black", linewidth=1.6)
    axis.set_yticks(places, ["\n".join(textwrap.wrap(r.what, 62)) for r, _ in shown], fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.3 * max(100, *used))
    for place, (r, _), share in zip(places, shown, used, strict=True):
        axis.text(
            max(share, 100) + 2, place, f"{r.shown_figure}  (goal {r.shown_goal})", va="center", fontsize=8
        )
    axis.set_title(
        "% of what the goal allows; the line is the goal, shorter is better", loc="left", fontsize=10
    )
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(axis="x", labelsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)
