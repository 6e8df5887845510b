"""Figures of what the responsible neurons tell, one panel per data set."""

from benchmarks.experiments.data import CRITERIA
from skfair_runner.utils import atomic_write

BANDS = 5
FORMS = ("activation", "weight")
DIFFERENCE = {"demographic_parity": "DP", "equalized_odds": "EO_sum"}
NAMES = {
    "adult": "Adult (sex)",
    "compas": "COMPAS (race)",
    "credit": "Credit (sex)",
    "lsac_race": "LSAC (race)",
    "lsac_sex": "LSAC (sex)",
    "bank": "Bank (age group)",
    "biased": "generated (gender)",
}
SETTING_COLOURS = {
    "as published": "#D55E00",
    "neurons alone": "#0072B2",
    "default": "#000000",
}
SILENCED = (
    ("loss silenced", "change of loss", "#000000", "o"),
    ("AP silenced", "change of AP", "#0072B2", "s"),
    ("difference silenced", "change of difference", "#D55E00", "^"),
)
BAND_TICKS = range(1, BANDS + 1), ["0–20", "–40", "–60", "–80", "–100 %"]


def _draw(rows, path, fill, label):
    """One panel per criterion and data set, each filled by a function."""
    import matplotlib.pyplot as plt

    datasets = [name for name in NAMES if name in set(rows["dataset"])]
    figure, axes = plt.subplots(
        len(CRITERIA),
        len(datasets),
        figsize=(2.9 * len(datasets) + 1.2, 5.8),
        squeeze=False,
        layout="constrained",
    )
    for line, criterion in zip(axes, CRITERIA, strict=True):
        for ax, dataset in zip(line, datasets, strict=True):
            inside = (rows["dataset"] == dataset) & (rows["criterion"] == criterion)
            ax.set_title(f"{NAMES[dataset]}\n{criterion.replace('_', ' ')}", size=9)
            ax.spines[["top", "right"]].set_visible(False)
            fill(ax, rows[inside], criterion)
    figure.supxlabel(label, size=10)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    n_columns = 3 if len(datasets) > 1 else 1
    figure.legend(
        handles, labels, loc="outside upper center", ncols=n_columns, frameon=False
    )
    with atomic_write(path, "wb") as file:
        figure.savefig(file, format="png", dpi=110)
    plt.close(figure)


def _line(ax, rows, x, y, **style):
    """Mean over seeds with a band of one standard deviation."""
    grouped = rows.groupby(x)[y]
    mean, std = grouped.mean(), grouped.std(ddof=0)
    ax.plot(mean.index, mean, ms=3, **style)
    ax.fill_between(
        mean.index, mean - std, mean + std, color=style["color"], alpha=0.15, lw=0
    )


def draw_shares(rows, path):
    """Difference (solid) and lost average precision (dashed) against k."""
    rows = rows.assign(lost=1 - rows["AP"])

    def fill(ax, part, criterion):
        for settings, own in part.groupby("settings", sort=False):
            colour = SETTING_COLOURS[settings]
            for column, title, line, marker in (
                (DIFFERENCE[criterion], "difference", "-", "o"),
                ("lost", "1 − AP", "--", "s"),
            ):
                _line(
                    ax,
                    own,
                    "top_k",
                    column,
                    label=f"{settings}: {title}",
                    color=colour,
                    ls=line,
                    marker=marker,
                )
        ax.set_ylim(bottom=0)

    _draw(rows, path, fill, "share of the neurons held responsible")


def draw_discrimination(rows, path):
    """Discrimination by band of importance, before and after repair."""

    def fill(ax, part, criterion):
        for net, colour in (("unrepaired", "#D55E00"), ("repaired", "#0072B2")):
            own = part[part["net"] == net]
            _line(
                ax, own, "band", "discrimination", label=net, color=colour, marker="o"
            )
        ax.set_ylim(bottom=0)
        ax.set_xticks(*BAND_TICKS)

    rows = rows[rows["importance form"] == FORMS[0]]
    _draw(rows, path, fill, "neurons of a layer, most important first")


def draw_silenced(rows, path):
    """What silencing each band of the unrepaired net changes."""

    def fill(ax, part, criterion):
        ax.axhline(0, color="#d9d9d9", lw=1)
        for column, title, colour, marker in SILENCED:
            _line(ax, part, "band", column, label=title, color=colour, marker=marker)
        ax.set_xticks(*BAND_TICKS)

    inside = (rows["importance form"] == FORMS[0]) & (rows["net"] == "unrepaired")
    _draw(rows[inside], path, fill, "silenced neurons of a layer, most important first")
