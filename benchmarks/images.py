"""Peak memory of `fit` on images in a zip archive, as the archive grows tenfold.

Each size is fitted by a process of its own: noise of 64 × 64 pixels as JPEG, written
before memory is looked at, decoded batch by batch into a small network. Memory is what
the process holds at its peak beyond what it held after imports and a first small fit.

    python -m benchmarks.images [--out DIR]
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks._report import machine, write_table
from benchmarks.memory import resident

SIZES = (1_000, 10_000)
SIDE = 64


def write_archive(path, n_images):
    """Images, brighter for one label than for the other."""
    from PIL import Image

    generator = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(n_images):
            pixels = generator.integers(0, 200, (SIDE, SIDE, 3)) + 50 * (i % 2)
            file = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG")
            archive.writestr(f"{i}.jpg", file.getvalue())


def fit_once(path, n_images):
    """Fit in this process, and print what it took as JSON."""
    import torch
    from torch import nn

    from skfair_runner import RunnerFairClassifier
    from skfair_runner.images import LazyImages

    torch.set_num_threads(1)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 8, stride=8), nn.ReLU(), nn.Flatten(), nn.Linear(256, 1)
    )
    clf = RunnerFairClassifier(
        module=module, warmup_epochs=1, max_epochs=1, batch_size=64, random_state=0
    )
    y, groups = np.arange(n_images) % 2, np.arange(n_images) // 2 % 2
    files = [f"{i}.jpg" for i in range(n_images)]
    images = LazyImages(files, archive=path, size=SIDE)
    clf.fit(images[:200], y[:200], sensitive_features=groups[:200])
    level = resident("VmRSS")
    start = time.perf_counter()
    clf.fit(images, y, sensitive_features=groups)
    clf.predict_proba(images)
    row = {
        "images": n_images,
        "archive, MB": Path(path).stat().st_size / 1e6,
        "decoded, MB": n_images * SIDE**2 * 3 / 1e6,
        "peak of fit and predict_proba, MB": (resident("VmHWM") - level) / 1e6,
        "seconds": time.perf_counter() - start,
    }
    sys.stdout.write(json.dumps(row))


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", default=None, help="folder for CSV files")
    parser.add_argument("--fit-once", nargs=2, default=None, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fit_once is not None:
        fit_once(options.fit_once[0], int(options.fit_once[1]))
        return
    rows = []
    for n_images in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/images.zip"
            write_archive(path, n_images)
            command = [sys.executable, "-m", "benchmarks.images"]
            command += ["--fit-once", path, str(n_images)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
    write_table(
        pd.DataFrame(rows).round(1),
        title=f"Lazy images of {SIDE} × {SIDE} pixels, 1 + 1 epoch, batches of 64",
        out=options.out,
        name="images_memory",
    )
    write_table(pd.DataFrame({"": [machine()]}), title="Machine")


if __name__ == "__main__":
    main()
