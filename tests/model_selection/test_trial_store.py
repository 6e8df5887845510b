"""The file of a search: what comes back, and what is refused."""

import json
import sqlite3

import pytest
from sklearn.exceptions import ConvergenceWarning

from skfair_runner.model_selection._trial_store import open_trials
from skfair_runner.model_selection._trials import Trial

DATA = {"shape": "3 × 2", "X": "a"}
TRIAL = Trial(1 / 3, 0.25, True, 0.5, 0.125, warnings=[(ConvergenceWarning, "slow")])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file"
    with open_trials(path, DATA, "here") as trials:
        trials.put("key", TRIAL)
    return path


def read(path, key="key"):
    with open_trials(path, DATA, "here") as trials:
        return trials.get(key)


def test_a_trial_comes_back_as_it_was(path):
    assert read(path) == TRIAL
    assert read(path, "other") is None


def test_the_last_one_stays(path):
    with open_trials(path, DATA, "here") as trials:
        trials.put("key", Trial(1.0, 0.0, False, 0.5, 0.5))
    assert read(path).utility == 1.0


@pytest.mark.parametrize(
    ("facts", "match"),
    [
        ("{", r"here: an entry of .* is damaged \(Expecting"),
        ("{}", r"is damaged \('utility'\)"),
        (
            json.dumps(
                {
                    "utility": float("nan"),
                    "difference": 0,
                    "fit_time": 0,
                    "score_time": 0,
                }
            ),
            r"damaged \(it holds .*nan.* not all numbers\)",
        ),
    ],
)
def test_a_damaged_entry_is_refused(path, facts, match):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE trials SET facts = ?", (facts,))
    connection.close()
    with pytest.raises(ValueError, match=match):
        read(path)
