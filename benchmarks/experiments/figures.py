"""One picture per data set and criterion: all methods and the limit."""

import numpy as np

from benchmarks.experiments.fronts import (
    DECISIONS,
    NAMES,
    SCORES,
    UTILITIES,
    accuracy_at,
    ceiling_points,
)
from benchmarks.experiments.methods import (
    CEILING,
    METHODS,
    RUNNER,
    RUNNER_FRONT,
    RUNNER_SCORES,
    RUNNER_SCORES_FRONT,
    VANILLA,
)
from skfair_runner.plots._drawing import GREY, pyplot, style_of, tidy

_OURS = 2.2
# Ours first, so that they have the plainest styles.
_ORDER = list(
    dict.fromkeys([RUNNER, RUNNER_SCORES, RUNNER_FRONT, RUNNER_SCORES_FRONT, *METHODS])
)
# How far to the right of Vanilla's difference is drawn.
_BEYOND = 1.35


def mean_points(own, utility, difference):
    """Mean test figures of each setting over its seeds, in order of the sweep."""
    columns = [f"test_{difference}", f"test_{utility}"]
    return own.groupby("setting", sort=False)[columns].mean().to_numpy()


def limit_line(own, difference, grid):
    """Mean accuracy of the limit at each difference that half of the seeds reach."""
    lines = np.array(
        [
            [accuracy_at(ceiling_points(each, difference), bound) for bound in grid]
            for _, each in own.groupby("seed")
        ]
    )
    reached = (~np.isnan(lines)).mean(axis=0) >= 0.5
    means = np.full(len(grid), np.nan)
    means[reached] = np.nanmean(lines[:, reached], axis=0)
    return means


def draw_fronts(rows, criterion, title):
    """Utility against the differences of decisions and of scores.

    Parameters
    ----------
    rows : DataFrame
        Of one data set and criterion.

    criterion : str
        Says which differences.

    title : str
        Above the panels.

    Returns
    -------
    figure : matplotlib Figure
        Each mark is a setting, the mean over seeds. Hollow marks need the group at
        prediction.
    """
    plt = pyplot()
    differences = (*DECISIONS[criterion], SCORES[criterion][0])
    figure, axes = plt.subplots(2, 2, figsize=(10, 8.6), layout="constrained")
    for row, utility in zip(axes, UTILITIES, strict=True):
        for ax, difference in zip(row, differences, strict=True):
            _draw_panel(ax, rows, utility, difference)
            ax.set_ylabel(f"{utility} (test)")
            ax.set_xlabel(f"{NAMES[difference]} (test)")
    handles = {}
    for ax in axes.flat:
        handles |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8.5,
    )
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_panel(ax, rows, utility, difference):
    of_decisions = difference in {name for each in DECISIONS.values() for name in each}
    vanilla = rows[rows["method"] == VANILLA]
    right = _BEYOND * vanilla[f"test_{difference}"].mean()
    heights = []
    for method in METHODS:
        own = rows[rows["method"] == method]
        # What draws its decisions has no scores to speak of.
        drawn = own["randomised"].astype(bool).any()
        if not len(own) or (drawn and (utility == "AP" or not of_decisions)):
            continue
        x, y = mean_points(own, utility, difference).T
        if not own["test_constant"].astype(bool).all():
            heights += y[x <= right].tolist()
        style = style_of(_ORDER.index(method))
        hollow = own["groups_at_prediction"].astype(bool).all()
        ours = method.startswith(RUNNER)
        ax.plot(
            x,
            y,
            color=style.colour,
            marker="*" if method == VANILLA else style.marker,
            linestyle=style.line if len(x) > 1 else "none",
            linewidth=_OURS if ours else 1.0,
            markersize=11 if method == VANILLA else 6,
            markerfacecolor="white" if hollow else style.colour,
            zorder=4 if ours else 3,
            label=f"{method} ({own['seed'].nunique()})",
        )
    limit = rows[rows["method"] == CEILING]
    if len(limit) and utility == "accuracy" and of_decisions:
        grid = np.linspace(0, right, 60)
        line = limit_line(limit, difference, grid)
        ax.plot(grid, line, color=GREY, linewidth=4, alpha=0.6, label="limit line")
        heights += line[~np.isnan(line)].tolist()
    # A method that falls far below the others would leave no room for them.
    top, low = max(heights), np.quantile(heights, 0.06)
    ax.set_ylim(low - 0.25 * (top - low), top + 0.06 * (top - low))
    ax.set_xlim(0, right)
    tidy(ax)


def write_figures(rows, out, cases):
    """One PNG per data set and criterion.

    Parameters
    ----------
    rows : DataFrame
        As of ``views.read_rows``.

    out : Path
        Folder, made if need be.

    cases : dict
        Data set and group by name.
    """
    out.mkdir(parents=True, exist_ok=True)
    for (dataset, criterion), part in rows.groupby(["dataset", "criterion"]):
        name, group = cases[dataset]
        words = criterion.replace("_", " ")
        figure = draw_fronts(
            part,
            criterion,
            f"{name} ({group}), {words}: means over seeds (number)",
        )
        figure.savefig(out / f"experiments_{dataset}_{criterion}.png", dpi=90)
        pyplot().close(figure)
