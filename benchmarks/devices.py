"""Images a second of training, and what diagnosis and penalty add, on one device.

A ResNet-18 is trained on bytes in memory by plain training and by the repair with its
default schedule, in single and in half precision. Repetitions go round all of them, so
that a change of the machine's speed meets each alike. What is timed is the second of
two epochs, a multiple of ten steps, from loading the batches to the optimizer's step.

    python -m benchmarks.devices [--device cpu|cuda] [--out DIR]
"""

import argparse

import numpy as np
import pandas as pd
import torch

from benchmarks._report import machine, write_table
from skfair_runner import RunnerFairClassifier
from skfair_runner.modules import ResNet18

SIDE = 64
METHODS = {"plain training": None, "repair": "demographic_parity"}
PRECISIONS = {"float32": None, "bfloat16": "bfloat16"}


def make_images(n_images):
    """Noise, brighter for one label than for the other."""
    generator = np.random.default_rng(0)
    y, groups = np.arange(n_images) % 2, np.arange(n_images) // 2 % 2
    X = (
        generator.integers(0, 200, (n_images, SIDE, SIDE, 3))
        + 50 * y[:, None, None, None]
    )
    return X.astype(np.uint8), y, groups


def images_per_second(X, y, groups, constraint, mixed_precision, batch_size, device):
    """Of the second epoch."""
    torch.manual_seed(0)
    clf = RunnerFairClassifier(
        constraint,
        module=ResNet18(),
        warmup_epochs=0,
        max_epochs=2,
        batch_size=batch_size,
        mixed_precision=mixed_precision,
        device=device,
        random_state=0,
    )
    clf.fit(X, y, sensitive_features=groups)
    return len(X) / clf.history_["dur"].iloc[-1]


def summary(rows):
    """Median images a second, and the median overhead of pairs of one repetition."""
    wide = rows.pivot(
        index=["repetition", "precision"], columns="method", values="images/s"
    )
    wide["overhead, %"] = 100 * (wide["plain training"] / wide["repair"] - 1)
    table = wide.groupby("precision", sort=False).median().round(1)
    low, high = (
        wide["overhead, %"].groupby("precision").agg(f) for f in ("min", "max")
    )
    table["least, %"], table["largest, %"] = low.round(1), high.round(1)
    return table.rename(
        columns={
            "plain training": "plain training, images/s",
            "repair": "repair, images/s",
        }
    ).reset_index()


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch-size", type=int, default=None)
    parser.add_argument("--steps", type=int, default=None, help="a multiple of 10")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", default=None, help="folder for CSV files")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    on_cuda = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if on_cuda else machine()
    batch_size = options.batch_size or (256 if on_cuda else 16)
    steps = options.steps or (50 if on_cuda else 10)
    if not on_cuda:
        torch.set_num_threads(1)
    X, y, groups = make_images(batch_size * steps)
    rows = []
    # The first round warms up.
    for repetition in range(options.repeat + 1):
        for precision, mixed_precision in PRECISIONS.items():
            for method, constraint in METHODS.items():
                speed = images_per_second(
                    X, y, groups, constraint, mixed_precision, batch_size, device
                )
                rows.append((repetition, precision, method, speed))
    columns = ["repetition", "precision", "method", "images/s"]
    measured = pd.DataFrame(rows, columns=columns).query("repetition > 0")
    table = summary(measured)
    table.insert(0, "device", name)
    write_table(
        table,
        title=(
            f"ResNet-18, images of {SIDE} × {SIDE}, batches of {batch_size}, "
            f"{options.repeat} repetitions"
        ),
        out=options.out,
        name=f"devices_{device.type}",
    )


if __name__ == "__main__":
    main()
