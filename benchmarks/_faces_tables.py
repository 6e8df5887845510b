"""Tables and figure of the benchmark of images: chosen settings, means over seeds."""

import pandas as pd

from benchmarks._report import mean_and_spread

# The column that a constraint is chosen by, and its name in tables.
CONSTRAINTS = {
    "demographic_parity": "demographic_parity_difference",
    "equalized_odds": "equalized_odds_sum",
}
AP_LOSS = 0.02
COLUMNS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "average_precision": "AP",
    "selection_rate": "selected",
    "demographic_parity_difference": "ΔDP",
    "equalized_odds_sum": "ΔEO (sum)",
}
# Order and colours of the figure.
METHODS = ("Vanilla", "RUNNER", "AdversarialDebiasing", "Oversampling")


def choose(tried, plain, measure):
    """Row of the setting chosen on the validation images of one seed.

    Parameters
    ----------
    tried : DataFrame
        One row for each setting.

    plain : Series
        Vanilla's row.

    measure : str
        The difference that is to be small.

    Returns
    -------
    row : Series
        Of those that lose at most .02 of Vanilla's average precision the one with the
        smallest difference; where all lose more, the one that loses least.
    """
    precision = tried["valid_average_precision"]
    kept = tried[precision >= plain["valid_average_precision"] - AP_LOSS]
    if kept.empty:
        return tried.loc[precision.idxmax()]
    return kept.loc[kept[f"valid_{measure}"].idxmin()]


def chosen_rows(part, constraint):
    """Rows that a table shows, under the names that it gives them.

    Parameters
    ----------
    part : DataFrame
        Rows of one task.

    constraint : str
        Whose table it is.

    Returns
    -------
    rows : DataFrame
        With ``shown``, the name, and ``within``, whether the average precision on the
        test images is at most .02 below Vanilla's of the same seed. Choices are there
        for the seeds of which all settings were run.
    """
    plain = part[part["method"] == "Vanilla"].set_index("seed")
    shown = []
    for method in ("Vanilla", "Oversampling"):
        shown.append(part[part["method"] == method].assign(shown=method))
    for method in ("AdversarialDebiasing", "RUNNER"):
        tried = part[(part["method"] == method) & (part["constraint"] == constraint)]
        for setting, rows in tried.groupby("setting", sort=False):
            shown.append(rows.assign(shown=f"{method}, {setting}"))
        chosen = [
            choose(rows, plain.loc[seed], CONSTRAINTS[constraint])
            for seed, rows in tried.groupby("seed")
            if len(rows) == tried["setting"].nunique()
        ]
        if chosen and tried["setting"].nunique() > 1:
            shown.append(pd.DataFrame(chosen).assign(shown=f"{method}, chosen"))
    rows = pd.concat(shown)
    base = rows["seed"].map(plain["average_precision"])
    return rows.assign(within=rows["average_precision"] >= base - AP_LOSS)


def make_table(rows):
    """Mean ± standard deviation over seeds.

    Parameters
    ----------
    rows : DataFrame
        From :func:`chosen_rows`.

    Returns
    -------
    table : DataFrame
        One row for each name.
    """
    grouped = rows.groupby("shown", sort=False)
    table = pd.DataFrame({"seeds": grouped.size()})
    for column, title in COLUMNS.items():
        table[title] = [mean_and_spread(values) for _, values in grouped[column]]
    table["AP within .02"] = grouped["within"].sum()
    table["constant"] = grouped["constant"].sum().astype(int)
    table["fit, CPU s"] = grouped["fit_cpu_seconds"].mean().map("{:.0f}".format)
    return table.rename_axis("method").reset_index()


def draw(results, titles, path):
    """Average precision by difference, a panel for each task and constraint.

    Parameters
    ----------
    results : DataFrame
        Rows of all tasks.

    titles : dict of str to str
        By task, in the order of the panels.

    path : path-like
        The picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    tasks = [name for name in titles if (results["task"] == name).any()]
    figure, axes = plt.subplots(
        len(tasks),
        len(CONSTRAINTS),
        figsize=(10, 4 * len(tasks)),
        squeeze=False,
        layout="constrained",
    )
    for row, task in zip(axes, tasks, strict=True):
        for ax, constraint in zip(row, CONSTRAINTS, strict=True):
            part = results[results["task"] == task]
            _draw_panel(ax, chosen_rows(part, constraint), constraint)
            ax.set_title(f"{titles[task]}\n{constraint.replace('_', ' ')}")
    axes[0, 0].legend(fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_panel(ax, rows, constraint):
    """Means over seeds with their standard deviations, and the settings."""
    x = CONSTRAINTS[constraint]
    plain = rows.loc[rows["shown"] == "Vanilla", "average_precision"].mean()
    ax.axhspan(plain - AP_LOSS, plain, color="0.92")
    kept = rows[~rows["shown"].str.endswith("chosen")]
    for k, method in enumerate(METHODS):
        part = kept[kept["method"] == method].groupby("setting", sort=False)
        means, spread = (
            part[[x, "average_precision"]].agg(how).fillna(0) for how in ("mean", "std")
        )
        ax.errorbar(
            means[x],
            means["average_precision"],
            xerr=spread[x],
            yerr=spread["average_precision"],
            fmt="osD^"[k],
            color=f"C{k}",
            capsize=2,
            label=method,
        )
        for setting, place in means.iterrows():
            text = setting.partition("=")[2]
            ax.annotate(
                text, place, xytext=(4, 4), textcoords="offset points", color=f"C{k}"
            )
    name = {"demographic_parity": "ΔDP", "equalized_odds": "ΔEO (sum)"}[constraint]
    ax.set(xlabel=f"{name}, test images", ylabel="AP, test images")
