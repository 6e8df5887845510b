"""Peak memory of `fit`, and its time per row, as the number of rows grows.

Each size is fitted by a process of its own, with default settings but for the number of
epochs. Memory is what the process holds at its peak beyond what it held after imports,
the data included; it is told as a multiple of the size of X.

    python -m benchmarks.memory [--quick] [--out DIR]
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from benchmarks._report import machine, write_table

N_FEATURES = 50
SIZES = (100_000, 300_000, 1_000_000)
QUICK_SIZES = (20_000, 60_000)


def resident(field):
    """Bytes of this process: "VmRSS", held now, or "VmHWM", held at the peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise OSError(f"/proc/self/status has no field {field!r}.")


def generate(n_samples):
    """Rows made in pieces, so that making them takes no memory beyond their own."""
    import numpy as np

    generator = np.random.default_rng(0)
    X = np.empty((n_samples, N_FEATURES), dtype=np.float32)
    y = np.empty(n_samples, dtype=np.int64)
    groups = generator.integers(0, 2, n_samples, dtype=np.int8)
    for start in range(0, n_samples, 10_000):
        rows = slice(start, start + 10_000)
        generator.standard_normal(dtype=np.float32, out=X[rows])
        X[rows, :5] += 0.3 * groups[rows, None]
        noise = generator.standard_normal(len(X[rows]), dtype=np.float32)
        y[rows] = X[rows, :10].sum(1) + 2 * noise > 0
    return X, y, groups


def fit_once(n_samples, epochs):
    """Fit in this process, and print what it took as JSON."""
    import torch

    from skfair_runner import RunnerFairClassifier

    torch.set_num_threads(1)
    # A fit of a few rows imports and allocates what every fit needs once.
    clf = RunnerFairClassifier(warmup_epochs=1, max_epochs=1, random_state=0)
    X, y, groups = generate(1000)
    clf.fit(X, y, sensitive_features=groups)
    level = resident("VmRSS")
    X, y, groups = generate(n_samples)
    clf.set_params(warmup_epochs=epochs, max_epochs=epochs)
    start = time.process_time()
    clf.fit(X, y, sensitive_features=groups)
    fitted = time.process_time()
    fit_peak = resident("VmHWM")
    clf.predict_proba(X)
    predicted = time.process_time()
    row = {
        "rows": n_samples,
        "X, MB": X.nbytes / 1e6,
        "fit peak, MB": (fit_peak - level) / 1e6,
        "fit peak / X": (fit_peak - level) / X.nbytes,
        "with predict_proba / X": (resident("VmHWM") - level) / X.nbytes,
        "fit, µs per row": 1e6 * (fitted - start) / n_samples,
        "predict_proba, µs per row": 1e6 * (predicted - fitted) / n_samples,
    }
    sys.stdout.write(json.dumps(row))


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="about a minute")
    parser.add_argument("--sizes", type=int, nargs="+", default=None)
    parser.add_argument("--epochs", type=int, default=1, help="of each phase")
    parser.add_argument("--out", default=None, help="folder for CSV files")
    parser.add_argument("--fit-once", type=int, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fit_once is not None:
        fit_once(options.fit_once, options.epochs)
        return
    rows = []
    for n_samples in options.sizes or (QUICK_SIZES if options.quick else SIZES):
        command = [sys.executable, "-m", "benchmarks.memory"]
        command += ["--fit-once", str(n_samples), "--epochs", str(options.epochs)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
    write_table(
        pd.DataFrame(rows).round(2),
        title=f"Default classifier, {N_FEATURES} float32 columns, one thread, "
        f"{options.epochs} + {options.epochs} epoch(s)",
        out=options.out,
        name="memory",
    )
    write_table(pd.DataFrame({"": [machine()]}), title="Machine")


if __name__ == "__main__":
    main()
