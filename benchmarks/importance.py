"""How well each form of importance ranks neurons, beside silencing every one of them.

The default network is trained plainly on real data, and its neurons are ranked by each
form. Exact ablation, the definition that the other forms approximate, silences one
neuron at a time and squares the change of the gap. The table holds Spearman's rank
correlation with it, per layer: mean ± standard deviation over the seeds. A neuron's
discrimination, which looks at the groups' activations but not at what the network does
with them, is there for comparison.

    python -m benchmarks.importance [--datasets adult ...] [--seeds 5] [--out DIR]
"""

import argparse

import pandas as pd
import torch
from scipy.stats import spearmanr

from benchmarks._report import machine, write_table
from benchmarks.effect import CRITERIA, GROUPS, split
from skfair_runner import RunnerFairClassifier, diagnose_neurons

FORMS = ("activation", "weight")
# Rows that the neurons are ablated on, so that data sets cost alike.
ROWS = 8192


def correlations(dataset, criterion, seed, data_home=None):
    """One row per form and layer: rank correlation with exact ablation."""
    (train, _, _), _ = split(dataset, seed, data_home)
    clf = RunnerFairClassifier(None, random_state=seed).fit(train[0], train[1])
    X, y, groups = (part[:ROWS] for part in train)

    def table(importance):
        found = diagnose_neurons(
            clf,
            X,
            y,
            sensitive_features=groups,
            constraint=criterion,
            importance=importance,
        )
        return found.sort_values(["layer", "neuron"])

    exact = table("ablation")
    tables = {form: table(form) for form in FORMS}
    columns = {form: found["importance"] for form, found in tables.items()}
    columns["discrimination alone"] = tables["activation"]["discrimination"]
    rows = []
    for form, values in columns.items():
        for layer, part in exact.groupby("layer", sort=True):
            inside = (exact["layer"] == layer).to_numpy()
            rank = spearmanr(part["importance"], values.to_numpy()[inside]).statistic
            rows.append(
                {
                    "data set": dataset,
                    "constraint": criterion.replace("_", " "),
                    "importance": form,
                    "layer": layer,
                    "seed": seed,
                    "correlation": rank,
                }
            )
    return rows


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", nargs="+", default=["adult", "compas", "lsac"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--out", default=None, help="folder for the table")
    parser.add_argument("--quick", action="store_true", help="generated data, one seed")
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
    torch.set_num_threads(1)
    found = pd.DataFrame(
        row
        for dataset in options.datasets
        for criterion in CRITERIA
        for seed in range(options.seeds)
        for row in correlations(dataset, criterion, seed, options.data_home)
    )
    keys = ["data set", "constraint", "importance", "layer"]
    grouped = found.groupby(keys, sort=False)["correlation"]
    spread = grouped.std(ddof=1).fillna(0)
    cells = [
        f"{mean:.3f} ± {std:.3f}"
        for mean, std in zip(grouped.mean(), spread, strict=True)
    ]
    cells = pd.Series(cells, index=spread.index).unstack("layer", sort=False)
    cells["seeds"] = options.seeds
    write_table(
        cells.reset_index(),
        title="Spearman correlation with exact ablation, by layer "
        f"({', '.join(f'{d}: {GROUPS[d]}' for d in options.datasets)}; {machine()})",
        out=options.out,
        name="importance",
    )


if __name__ == "__main__":
    main()
