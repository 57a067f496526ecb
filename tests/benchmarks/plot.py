"""The results as horizontal bars, each with its goal marked. Nothing is measured here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.results import Result

MET, MISSED, TOLD = "#2a7f62", "#c2452d", "#8a939b"


def draw(results: Sequence[Result], path: Path) -> None:
    """Two panels: figures that should be small, figures that should be large."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    small = [r for r in results if r.sense == "at_most"]
    large = [r for r in results if r.sense == "at_least"]
    panels = [
        (title, shown)
        for title, shown in (("smaller is better", small), ("larger is better", large))
        if shown
    ]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(11, 1.6 + 0.62 * len(results)), squeeze=False,
        height_ratios=[len(shown) + 0.6 for _, shown in panels], layout="constrained",
    )  # fmt: skip
    for axis, (title, shown) in zip(axes[:, 0], panels, strict=True):
        places = range(len(shown))
        colours = [{None: TOLD, True: MET, False: MISSED}[r.is_met] for r in shown]
        axis.barh(places, [r.figure for r in shown], color=colours, height=0.6)
        axis.set_yticks(places, ["\n".join(textwrap.wrap(_label(r), 62)) for r in shown], fontsize=8)
        axis.invert_yaxis()
        edge = max(max(r.figure, r.goal or 0) for r in shown) * 1.3
        axis.set_xlim(0, edge)
        for place, r in zip(places, shown, strict=True):
            if r.goal is not None:
                axis.plot([r.goal, r.goal], [place - 0.4, place + 0.4], color="black", linewidth=2.2)
            end = max(r.figure, r.goal or 0)
            said = r.shown_figure + (f"  (goal {r.shown_goal})" if r.goal is not None else "")
            axis.text(end + edge * 0.01, place, said, va="center", fontsize=8)
        axis.set_title(title, loc="left", fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(axis="x", labelsize=8)
    figure.legend(
        handles=[
            Patch(color=MET, label="goal met"), Patch(color=MISSED, label="goal not met"),
            Patch(color=TOLD, label="no goal"), Line2D([], [], color="black", linewidth=2.2, label="goal"),
        ],
        loc="outside lower center", ncols=4, frameon=False, fontsize=8,
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def _label(result: Result) -> str:
    against = (
        "" if result.against == "–" or result.sense == "at_least" else f" / {result.against.split(':')[0]}"
    )
    return result.what + against
