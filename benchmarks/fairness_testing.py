"""How many discriminatory instances each search finds, on a small box and on Adult.

    python -m benchmarks.fairness_testing [--part recall|adult] [--seeds N] [--out DIR]

The recall is measured in a box of 4,096 instances whose discriminatory ones are all
known. On Adult, EIDIG runs with its published budget (1,000 seeds, 1,000 local steps)
on an MLP of twice 200 neurons. One thread; read Adult from SKFAIR_RUNNER_DATA.
"""

import argparse

import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from torch.nn import functional as F

from benchmarks._report import machine, write_table
from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.datasets import load_dataset
from skfair_runner.fairness_testing import (
    ADF,
    EIDIG,
    Aequitas,
    MLCheck,
    NeuronFair,
    Space,
    all_instances,
    discrimination_rate,
)
from skfair_runner.modules import MLP

METHODS = {
    "Aequitas random": Aequitas("random"),
    "Aequitas semi-directed": Aequitas("semi_directed"),
    "Aequitas fully directed": Aequitas(),
    "ADF": ADF(),
    "EIDIG-5": EIDIG(),
    "EIDIG-INF": EIDIG(refresh=float("inf")),
    "NeuronFair": NeuronFair(),
    "MLCheck tree": MLCheck(n_samples=3072, time_limit=120),
    "MLCheck net": MLCheck("net", n_samples=3072, time_limit=120),
}
SHARES = (0.125, 0.25, 0.5, 0.75)


def small_box(seed):
    """A trained net on four columns of eight values and a sensitive one of two."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.integers(0, 8, (3000, 4)), rng.integers(0, 2, 3000)])
    X = X.astype(np.float32)
    score = (X[:, :4] - 4) / 8 @ rng.normal(size=4) * 3 + 0.7 * np.sin(X[:, 0])
    score += 0.5 * (X[:, 4] - 0.5) + 0.3 * rng.normal(size=3000)
    torch.manual_seed(seed)
    net = MLP(5, hidden_layer_sizes=(32, 32))
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(score > 0).float()
    for _ in range(300):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(net(inputs)[:, 0], targets).backward()
        optimizer.step()
    return net.eval(), X, Space.from_data(X, sensitive_features=4)


def count_discriminatory(net, space):
    """By asking about every row of the box."""
    codes = all_instances(space)
    rates = discrimination_rate(net, space.decode(codes), space=space, n_samples=0)
    return int(rates.loc["data", "discriminatory"])


def recall_table(n_seeds):
    """Recall of each method that may try a share of the box; mean and std."""
    rows = []
    for seed in range(n_seeds):
        net, X, space = small_box(seed)
        known = count_discriminatory(net, space)
        for name, method in METHODS.items():
            for share in SHARES:
                budget = int(share * space.n_instances)
                if not isinstance(method, MLCheck):
                    method.set_params(budget=budget)
                # What MLCheck tries first does not depend on what it may try.
                if share == SHARES[0] or not isinstance(method, MLCheck):
                    method.set_params(random_state=seed)
                    result = method.search(net, X, space=space)
                found = result.tried_found[:budget].sum()
                rows.append((name, share, found / known, result.seconds))
    table = pd.DataFrame(rows, columns=["method", "share", "recall", "seconds"])
    grouped = table.groupby(["method", "share"], sort=False)["recall"]
    mean, std = grouped.mean().unstack(), grouped.std(ddof=0).unstack()
    shown = pd.DataFrame(
        {
            f"{share:.1%} of the box": [
                f"{mean.loc[name, share]:.3f} ± {std.loc[name, share]:.3f}"
                for name in METHODS
            ]
            for share in SHARES
        }
    )
    shown.insert(0, "method", list(METHODS))
    seconds = table.groupby("method")["seconds"].max()
    shown["seconds"] = [f"{seconds[name]:.1f}" for name in METHODS]
    return shown


def adult_table(n_seeds):
    """EIDIG at its published budget; one row per seed, then mean and std."""
    people = load_dataset("adult")
    X = people.data.drop(columns="fnlwgt")
    model = make_pipeline(
        make_table_preprocessor(),
        MaxAbsScaler(),
        RunnerFairClassifier(None, module=MLP, random_state=0),
    ).fit(X, people.target)
    rows = []
    for seed in range(n_seeds):
        result = EIDIG(random_state=seed).search(model, X, sensitive_features="sex")
        rates = result.rates["rate"]
        rows.append(
            {
                "seed": str(seed),
                "seconds": result.seconds,
                "tried": result.tried,
                "found": result.found,
                "found per tried": result.found / result.tried,
                "found per second": result.found / result.seconds,
                "rate on the data": rates["data"],
                "rate in the box": rates["box"],
            }
        )
    table = pd.DataFrame(rows)
    numbers = table.drop(columns="seed")
    summary = {"seed": "mean ± std"}
    for name in numbers:
        digits = 3 if numbers[name].max() < 10 else 0
        mean, std = numbers[name].mean(), numbers[name].std(ddof=0)
        summary[name] = f"{mean:,.{digits}f} ± {std:,.{digits}f}"
        table[name] = [f"{value:,.{digits}f}" for value in numbers[name]]
    if n_seeds > 1:
        table.loc[len(table)] = summary
    return table


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=["recall", "adult"], default=None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", default=None)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(machine())
    if options.part != "adult":
        write_table(
            recall_table(options.seeds),
            title=f"Recall in boxes of 4,096 instances, {options.seeds} nets",
            out=options.out,
            name="fairness_testing_recall",
        )
    if options.part != "recall":
        write_table(
            adult_table(options.seeds),
            title="EIDIG on Adult, sex, MLP of twice 200, published budget",
            out=options.out,
            name="fairness_testing_adult",
        )


if __name__ == "__main__":
    main()
