"""Processes that decode: the same images, and none is left behind."""

import copy
import pickle
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from joblib.externals.loky import process_executor
from numpy.testing import assert_array_equal
from sklearn.base import clone
from torch import nn

from skfair_runner import RunnerFairClassifier, RunnerFrontier
from skfair_runner.images import LazyImages, opened, read_images

pytest.importorskip("PIL")
pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)
N = 24


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    import io
    import zipfile

    from PIL import Image

    path = tmp_path_factory.mktemp("images") / "images.zip"
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as file:
        for i in range(N):
            pixels = generator.integers(0, 200, (8, 8, 3)) + 50 * (i % 2)
            content = io.BytesIO()
            Image.fromarray(pixels.astype(np.uint8)).save(content, "PNG")
            file.writestr(f"{i}.png", content.getvalue())
        file.writestr("broken.png", b"no image")
    return path


def lazy(archive, names=None, **parameters):
    names = [f"{i}.png" for i in range(N)] if names is None else names
    return LazyImages(names, archive=archive, size=8, **parameters)


@pytest.fixture
def started(monkeypatch):
    """Every executor that was made."""
    made = []
    begin = process_executor.ProcessPoolExecutor.__init__

    def watch(self, *args, **kwargs):
        made.append(self)
        begin(self, *args, **kwargs)

    monkeypatch.setattr(process_executor.ProcessPoolExecutor, "__init__", watch)
    return made


def ended(executor):
    """Whether an executor took its processes with it."""
    return executor._flags.shutdown and not executor._processes


def fit(X, **parameters):
    y, groups = np.arange(len(X)) % 2, np.arange(len(X)) // 2 % 2
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1)
    )
    clf = RunnerFairClassifier(
        module=module,
        warmup_epochs=1,
        max_epochs=1,
        batch_size=8,
        random_state=0,
        **parameters,
    )
    return clf.fit(X, y, sensitive_features=groups)


@pytest.mark.slow
def test_processes_decode_what_threads_decode(archive, started):
    X = lazy(archive, n_workers=2, decode_with="processes")
    rows = np.array([5, 0, 23, 7, 5])
    expected = lazy(archive).load(rows)
    assert_array_equal(X[rows], expected)
    assert not started
    with X.opened(), X[3:].opened():
        assert len(started) == 1
        assert_array_equal(X[rows], expected)
        assert_array_equal(X[::-1].load(slice(0, 1)), expected[[2]])
    assert all(map(ended, started))


@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_a_fit_and_a_front_read_nothing_while_no_process_is_kept(archive, monkeypatch):
    kept, outside = [], []
    read = LazyImages.read

    @contextmanager
    def opened(self):
        kept.append(self)
        try:
            yield
        finally:
            kept.pop()

    def watched(self, rows):
        if not kept:
            outside.append(rows)
        return read(self, rows)

    monkeypatch.setattr(LazyImages, "opened", opened)
    monkeypatch.setattr(LazyImages, "read", watched)
    X = lazy(archive)
    y, groups = np.arange(len(X)) % 2, np.arange(len(X)) // 2 % 2
    told = {"sensitive_features": groups}
    clf = fit(X, difference_bound=0.0)
    front = RunnerFrontier(
        clone(clf), n_points=3, validation_fraction=0.5, random_state=0
    ).fit(X, y, **told)
    front.refine(X, y, weight=0.5, max_epochs=1, **told)
    assert not outside


@pytest.mark.slow
def test_a_fit_and_a_prediction_leave_no_process(archive, started):
    clf = fit(lazy(archive, n_workers=2, decode_with="processes"))
    expected = fit(lazy(archive))
    X = lazy(archive, n_workers=2, decode_with="processes")
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(lazy(archive)))
    assert len(started) == 2
    assert all(map(ended, started))


@pytest.mark.slow
def test_an_error_in_a_process_is_raised_here_and_leaves_none(archive, started):
    names = [f"{i}.png" for i in range(N - 1)] + ["broken.png"]
    X = lazy(archive, names, n_workers=2, decode_with="processes")
    with pytest.raises(ValueError, match=r"'broken.png' of .*, image 23"):
        fit(X)
    assert len(started) == 1
    assert ended(started[0])


@pytest.mark.slow
def test_an_interrupt_leaves_none(archive, started):

    class Diagnosing(RunnerFairClassifier):
        def _publish(self, *args):
            raise KeyboardInterrupt

    X = lazy(archive, n_workers=2, decode_with="processes")
    with pytest.raises(KeyboardInterrupt):
        y = np.arange(N) % 2
        module = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 1)
        )
        Diagnosing(None, module=module, max_epochs=1, random_state=0).fit(X, y)
    assert len(started) == 1
    assert ended(started[0])


class Squares:
    """A data set whose items are made by Python."""

    def __len__(self):
        return 10

    def __getitem__(self, i):
        return np.full((6, 6, 3), i, np.uint8), i


@pytest.mark.slow
def test_a_data_set_is_asked_by_processes(started):
    X = LazyImages.from_dataset(Squares(), n_workers=2)
    with opened(read_images(X, caller="here")):
        assert_array_equal(X[:, ...].load(slice(None))[:, 0, 0, 0], np.arange(10))
    assert len(started) == 1
    with pytest.raises(ValueError, match="n_workers=0"):
        LazyImages.from_dataset(Squares(), n_workers=0)


def test_copies_share_nothing_that_runs(archive):
    X = lazy(archive, n_workers=2, decode_with="processes")
    for other in (copy.deepcopy(X), pickle.loads(pickle.dumps(X))):
        assert other.decode_with == "processes"
        assert not other._processes.running


def test_an_unknown_way_is_refused(archive):
    with pytest.raises(ValueError, match="decode_with='greenlets'"):
        lazy(archive, decode_with="greenlets")
