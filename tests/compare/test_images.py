"""Comparisons on images, in memory and lazy ones."""

import io
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import OversamplingClassifier, UnmitigatedClassifier
from skfair_runner.compare import compare_classifiers, sweep_tradeoff
from skfair_runner.datasets import make_biased_digits
from skfair_runner.images import ImageArray, LazyImages

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::skfair_runner.utils.{name}")
    # Few epochs on few images.
    for name in ("ConstantClassifierWarning", "SkfairRunnerWarning")
]


class SmallNet(nn.Module):
    """One convolution."""

    def __init__(self, n_channels, n_outputs, image_size=None):
        super().__init__()
        self.conv, self.relu = nn.Conv2d(n_channels, 6, 3), nn.ReLU()
        self.output = nn.Linear(6, n_outputs)

    def forward(self, x):
        return self.output(self.relu(self.conv(x)).mean((2, 3)))


PLAIN = RunnerFairClassifier(None, module=SmallNet, warmup_epochs=1, max_epochs=1)
METHODS = {
    "vanilla": UnmitigatedClassifier(PLAIN),
    "oversampling": OversamplingClassifier(PLAIN),
}


@pytest.fixture(scope="module")
def digits():
    return make_biased_digits(160, strength=0.6, random_state=0)


def write_files(digits, folder):
    """One lossless file for each digit."""
    image = pytest.importorskip("PIL.Image")
    paths = [folder / f"{k}.png" for k in range(len(digits.data))]
    for path, pixels in zip(paths, digits.data, strict=True):
        image.fromarray(pixels).save(path)
    return paths


def write_archive(digits, path):
    """Members of a zip archive."""
    image = pytest.importorskip("PIL.Image")
    names = [f"{k}.png" for k in range(len(digits.data))]
    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in zip(names, digits.data, strict=True):
            file = io.BytesIO()
            image.fromarray(pixels).save(file, "png")
            archive.writestr(name, file.getvalue())
    return names


def compare(X, digits, classifiers=METHODS, **options):
    return compare_classifiers(
        classifiers,
        X,
        digits.target,
        sensitive_features=digits.sensitive_features,
        cv=2,
        random_state=0,
        n_bootstrap=0,
        **options,
    )


def measured(comparison):
    """What does not depend on the clock."""
    return comparison.table.filter(regex="^(accuracy|balanced|demographic|equalized)")


def test_every_container_of_images_gives_the_same_table(digits, tmp_path):
    expected = measured(compare(digits.data, digits))
    assert (expected["accuracy_mean"] > 0).all()
    lazy = LazyImages(write_files(digits, tmp_path), size=8, n_workers=1)
    for X in (ImageArray(digits.data, "last"), lazy):
        pd.testing.assert_frame_equal(measured(compare(X, digits)), expected)


def test_rates_of_groups_on_images(digits):
    table = compare(digits.data, digits).by_group(as_frame=True)
    counts = digits.sensitive_features["colour"].value_counts().to_dict()
    assert table.loc["vanilla", "count"].to_dict() == counts


def test_a_sweep_on_images(digits):
    found = sweep_tradeoff(
        RunnerFairClassifier(module=SmallNet, warmup_epochs=1),
        {"max_epochs": [1, 2]},
        digits.data,
        digits.target,
        sensitive_features=digits.sensitive_features,
        random_state=0,
    )
    assert not found.table.empty


def test_what_was_run_on_lazy_images_is_not_run_again(digits, tmp_path, monkeypatch):
    names = write_archive(digits, tmp_path / "digits.zip")
    archive = tmp_path / "digits.zip"
    file = tmp_path / "results.sqlite"
    lazy = LazyImages(names, archive=archive, size=8, n_workers=1)
    first = compare(lazy, digits, results=file)

    def read(self, rows):
        raise AssertionError(f"{len(rows)} images are decoded")

    monkeypatch.setattr(LazyImages, "read", read)
    # Another object for the same archive, elsewhere, is the same data.
    moved = archive.rename(tmp_path / "moved.zip")
    again = LazyImages(names, archive=moved, size=8)
    pd.testing.assert_frame_equal(
        measured(compare(again, digits, results=file)), measured(first)
    )


def test_lazy_images_are_told_from_others_without_being_decoded(digits, tmp_path):
    paths = write_files(digits, tmp_path)
    lazy = LazyImages(paths, size=8)
    assert lazy[:9].identity() != lazy[1:10].identity()
    assert lazy.identity()[0] != LazyImages(paths, size=9).identity()[0]
    before = lazy[[3]].identity()[-1]
    os.utime(paths[3], ns=(0, 0))
    assert (lazy[[3]].identity()[-1] != before).any()


@pytest.mark.parametrize("kind", ["archive", "array", "data set"])
def test_results_of_other_images_are_refused(digits, tmp_path, kind):
    other = make_biased_digits(160, strength=0.6, random_state=1)

    def images(bunch, name):
        if kind == "archive":
            path = tmp_path / name
            return LazyImages(write_archive(bunch, path), archive=path, size=8)
        if kind == "data set":
            return LazyImages.from_dataset(list(bunch.data))
        return ImageArray(bunch.data, "last")

    file = tmp_path / "results.sqlite"
    one = {"vanilla": METHODS["vanilla"]}
    compare(images(digits, "a.zip"), digits, one, results=file)
    with pytest.raises(ValueError, match=r"other data .*different: X\)"):
        compare(images(other, "b.zip"), digits, one, results=file)


def test_images_of_nobody_knows_which_layout_are_refused(digits):
    X = np.zeros((160, 4, 4, 3), "uint8")
    match = r"compare_classifiers cannot tell from the shape \(160, 4, 4, 3\)"
    with pytest.raises(ValueError, match=match):
        compare(X, digits)
