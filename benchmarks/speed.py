"""What training, diagnosis and prediction cost, beside a bare torch loop and skorch.

All contestants train the same network with the same optimizer on the same batches'
worth of data, on one thread. They take turns: each repetition lets every contestant
train for a few epochs, and ratios are formed within a repetition, so that whatever else
the machine is doing slows both sides. Processor time is compared rather than the clock,
for the same reason; the CSV holds both.

    python -m benchmarks.speed [--quick] [--out DIR]
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks._report import machine, write_table
from skfair_runner import RunnerFairClassifier
from skfair_runner.activations import record_activations
from skfair_runner.cells import Cells
from skfair_runner.gaps import CONSTRAINTS
from skfair_runner.modules import MLP
from skfair_runner.neurons import activation_importance
from skfair_runner.relaxations import positive_scores

N_FEATURES = 60
BATCH = 1000
LR = 1e-3
DECAY = 1e-2
DIAGNOSED_ROWS = 8192


def generate(n_samples, seed=0):
    """Normal features, a group that shifts some of them, and a noisy label."""
    generator = np.random.default_rng(seed)
    X = generator.standard_normal((n_samples, N_FEATURES), dtype=np.float32)
    groups = generator.integers(0, 2, n_samples)
    X[:, :5] += 0.3 * groups[:, None]
    noise = generator.standard_normal(n_samples)
    return X, (X[:, :10].sum(1) + 2 * noise > 0).astype(np.int64), groups


def estimator(constraint, epochs, **parameters):
    """Our classifier around the network that all contestants train."""
    return RunnerFairClassifier(
        constraint,
        module=MLP,
        batch_size=BATCH,
        lr=LR,
        random_state=0,
        **{"warmup_epochs": 0, "max_epochs": epochs, **parameters},
    )


def bare_loop(X, y, groups, epochs):
    """The loop that an expert would write by hand."""
    module = MLP(N_FEATURES)
    weights = [p for name, p in module.named_parameters() if "bias" not in name]
    biases = [p for name, p in module.named_parameters() if "bias" in name]
    optimizer = torch.optim.AdamW(
        [{"params": weights}, {"params": biases, "weight_decay": 0.0}],
        lr=LR,
        weight_decay=DECAY,
    )
    criterion = nn.BCEWithLogitsLoss()
    features, labels = torch.from_numpy(X), torch.from_numpy(y).float()

    def train():
        for _ in range(epochs):
            for rows in torch.randperm(len(features)).split(BATCH):
                optimizer.zero_grad()
                loss = criterion(module(features[rows])[:, 0], labels[rows])
                loss.backward()
                optimizer.step()

    return train


class _TwoLogits(nn.Module):
    """The same network with the two outputs that NeuralNetClassifier asks for."""

    def __init__(self):
        super().__init__()
        self.net = MLP(N_FEATURES, n_outputs=2)

    def forward(self, x):
        return self.net(x)


def plain_skorch(X, y, groups, epochs):
    """The net of skorch as it comes, with its DataLoader."""
    net = NeuralNetClassifier(
        _TwoLogits,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=DECAY,
        optimizer__param_groups=[("*bias", {"weight_decay": 0.0})],
        lr=LR,
        batch_size=BATCH,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    net.initialize()
    return lambda: net.partial_fit(X, y, epochs=epochs)


def own_loop(constraint, **parameters):
    """Our training loop alone: one phase of the net inside a fitted classifier."""

    def prepare(X, y, groups, epochs):
        clf = estimator(constraint, 0, **parameters)
        clf.fit(X, y, sensitive_features=groups)
        net = clf.net_
        train = net.dataset({"X": X, "groups": groups, "weights": None}, y)
        return lambda: net.train_phase("repair", train, None, epochs)

    return prepare


def own_fit(constraint, **parameters):
    """The whole of `fit`: checks, both diagnoses, training, tables."""

    def prepare(X, y, groups, epochs):
        warmup = epochs // 2
        clf = estimator(
            constraint,
            epochs - warmup,
            warmup_epochs=warmup,
            **parameters,
        )
        return lambda: clf.fit(X, y, sensitive_features=groups)

    return prepare


BARE, PLAIN = "bare torch loop", "ours, constraint=None"
CONTESTANTS = {
    BARE: bare_loop,
    "skorch with its DataLoader": plain_skorch,
    PLAIN: own_loop(None),
    "RUNNER, default schedule": own_loop("demographic_parity"),
    "RUNNER, diagnosis on every step": own_loop("demographic_parity", diagnose_every=1),
    "RUNNER (EO), default schedule": own_loop("equalized_odds"),
    "RUNNER (EO), diagnosis on every step": own_loop(
        "equalized_odds", diagnose_every=1
    ),
    "RUNNER as published, every step": own_loop(
        "demographic_parity",
        diagnose_every=1,
        difference_bound=None,
        importance="weight",
    ),
}
WHOLE_FITS = {
    BARE: bare_loop,
    PLAIN: own_fit(None),
    "RUNNER, default schedule": own_fit("demographic_parity"),
}


def seconds(function):
    """Processor time and time by the clock of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.process_time() - cpu, time.perf_counter() - wall


def race(contestants, data, epochs, repetitions):
    """Seconds per repetition and contestant, who take turns; the first turn is dropped.

    Each repetition starts with another contestant.
    """
    running = {name: prepare(*data, epochs) for name, prepare in contestants.items()}
    names = list(running)
    rows = []
    for repetition in range(-1, repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            cpu, wall = seconds(running[name])
            if repetition >= 0:
                rows.append((repetition, name, cpu, wall))
    return pd.DataFrame(rows, columns=["repetition", "contestant", "cpu_s", "wall_s"])


def compare(times, n_steps):
    """Milliseconds per step and ratios to both references, with their spread."""
    rows = []
    cpu = times.pivot(index="repetition", columns="contestant", values="cpu_s")
    wall = times.pivot(index="repetition", columns="contestant", values="wall_s")
    for name in times["contestant"].unique():
        row = {"contestant": name, "ms/step": 1e3 * cpu[name].median() / n_steps}
        for reference, title in ((BARE, "× bare"), (PLAIN, "× None")):
            ratios = cpu[name] / cpu[reference]
            low, high = ratios.quantile([0.1, 0.9])
            row[title] = f"{ratios.median():.2f} ({low:.2f}–{high:.2f})"
            clock = (wall[name] / wall[reference]).median()
            row[f"{title}, clock"] = f"{clock:.2f}"
        rows.append(row)
    return pd.DataFrame(rows).round({"ms/step": 2})


def time_diagnosis(data, hidden_layer_sizes, repetitions):
    """Seconds of one diagnosis by first order and by ablation of every neuron."""
    X, y, groups = (part[:DIAGNOSED_ROWS] for part in data)
    clf = estimator(
        "demographic_parity", 2, module__hidden_layer_sizes=hidden_layer_sizes
    )
    net = clf.fit(X, y, sensitive_features=groups).net_
    train = net.dataset({"X": X, "groups": groups, "weights": None}, y)
    subject = net.subject(train)
    inputs = torch.from_numpy(X)
    cells = Cells(torch.from_numpy(y), torch.from_numpy(groups), 2, 2)
    gap_of = CONSTRAINTS["demographic_parity"].gap

    def importance_alone():
        with record_activations(net.module_, subject.layers) as activations:
            logits = net.module_(inputs)
        gap = gap_of(positive_scores(logits), cells)
        activation_importance(gap, activations, subject.layers)

    ways = {
        "importance alone, with its forward pass": (importance_alone, repetitions),
        "diagnose(..., 'activation')": (
            lambda: net.diagnose(train, "activation"),
            repetitions,
        ),
        "diagnose(..., 'weight')": (lambda: net.diagnose(train, "weight"), repetitions),
        "diagnose(..., 'ablation')": (lambda: net.diagnose(train, "ablation"), 2),
    }
    rows = []
    for name, (function, times) in ways.items():
        function()
        cpu = np.median([seconds(function)[0] for _ in range(times)])
        rows.append({"diagnosis": name, "ms": 1e3 * cpu})
    table = pd.DataFrame(rows)
    table["ablation takes ×"] = (table["ms"].iloc[-1] / table["ms"]).round(0)
    return table.round({"ms": 1})


def time_prediction(data, repetitions):
    """Microseconds per row of `predict_proba`."""
    X, y, groups = data
    modules = {
        "MLP 200-200": estimator(None, 1),
        "default (encoding, 128-128)": RunnerFairClassifier(
            None, warmup_epochs=0, max_epochs=1, random_state=0
        ),
    }
    rows = []
    for name, clf in modules.items():
        clf.fit(X, y)
        clf.predict_proba(X)
        cpu = [
            seconds(lambda clf=clf: clf.predict_proba(X)) for _ in range(repetitions)
        ]
        rows.append(
            {
                "predict_proba": name,
                "µs per row": 1e6 * np.median(cpu, 0)[0] / len(X),
                "rows": len(X),
            }
        )
    return pd.DataFrame(rows).round(2)


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="about a minute")
    parser.add_argument("--repetitions", type=int, default=None)
    parser.add_argument("--out", default=None, help="folder for CSV files")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    n_samples, repetitions, hidden = 40_000, 15, (200, 200)
    if options.quick:
        n_samples, repetitions, hidden = 8_000, 5, (50, 50)
    repetitions = options.repetitions or repetitions
    data = generate(n_samples)
    n_batches = -(-n_samples // BATCH)
    size = f"{n_samples:,} × {N_FEATURES}, batch {BATCH}, MLP 200-200"

    epochs = 2
    times = race(CONTESTANTS, data, epochs, repetitions)
    write_table(
        compare(times, epochs * n_batches),
        title=f"Training loop ({size}, {repetitions} repetitions of {epochs} epochs)",
        out=options.out,
        name="speed_loop",
    )
    epochs, fits = 16, max(3, repetitions // 5)
    times = race(WHOLE_FITS, data, epochs, fits)
    write_table(
        compare(times, epochs * n_batches),
        title=f"Whole fit, half of it warm-up ({size}, {fits} repetitions of {epochs} "
        "epochs)",
        out=options.out,
        name="speed_fit",
    )
    write_table(
        time_diagnosis(data, hidden, repetitions),
        title=f"One diagnosis of an MLP {hidden[0]}-{hidden[1]} over "
        f"{min(n_samples, DIAGNOSED_ROWS):,} rows",
        out=options.out,
        name="speed_diagnosis",
    )
    write_table(
        time_prediction(data, repetitions),
        title="Prediction",
        out=options.out,
        name="speed_prediction",
    )
    write_table(pd.DataFrame({"": [machine()]}), title="Machine")


if __name__ == "__main__":
    main()
