"""The split: parts that are disjoint, in proportion, and in their own containers."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skfair_runner import RunnerFairClassifier
from skfair_runner.frontier._held_out import hold_out
from skfair_runner.utils import SkfairRunnerWarning
from skfair_runner.utils._columns import take_rows


def split(X, y, groups, constraint="demographic_parity", fraction=0.25, **options):
    clf = RunnerFairClassifier(constraint, **options)
    return hold_out(clf, X, y, groups, fraction=fraction, seed=0, caller="me")


def test_both_parts_hold_every_row_once_in_proportion():
    rng = np.random.default_rng(0)
    X, y = np.arange(1200.0)[:, None], rng.integers(0, 2, 1200)
    groups = rng.choice(["a", "b", "c"], 1200, p=[0.6, 0.3, 0.1])
    parts = split(X, y, groups)
    (train, y_train, groups_train), held_out = parts.train, parts.held_out
    assert sorted([*train[:, 0], *held_out.X[:, 0]]) == list(range(1200))
    assert len(held_out.y) == 300
    for label in (0, 1):
        for code, name in enumerate("abc"):
            whole = ((y == label) & (groups == name)).sum()
            out = (held_out.y == label) & (held_out.groups.codes == code)
            assert abs(out.sum() - whole / 4) <= 1
            assert out.sum() + ((y_train == label) & (groups_train == name)).sum() == (
                whole
            )
    rows = held_out.X[:, 0].astype(int)
    assert (held_out.classes[held_out.y] == y[rows]).all()
    assert (np.array(list("abc"))[held_out.groups.codes] == groups[rows]).all()
    assert parts.pos_label == 1


def test_containers_stay_what_they_were(people):
    X, y, groups = people
    parts = split(X, y, groups)
    kept_X, kept_y, kept_groups = parts.train
    assert list(kept_X.columns) == list(X.columns)
    assert kept_X.index.equals(kept_y.index) and kept_X.index.equals(kept_groups.index)
    pd.testing.assert_frame_equal(kept_X, X.loc[kept_X.index])
    assert parts.features["n_features_in_"] == X.shape[1]
    assert list(parts.features["feature_names_in_"]) == list(X.columns)

    parts = split(sparse.csr_matrix(X), list(y), list(groups))
    assert sparse.issparse(parts.train[0]) and sparse.issparse(parts.held_out.X)
    assert isinstance(parts.train[1], list) and isinstance(parts.train[2], list)


def test_a_list_keeps_the_types_of_what_it_holds():
    assert take_rows([1, "a", None], [2, 0]) == [None, 1]


def test_nothing_stays_nothing():
    assert take_rows(None, [0]) is None


def test_more_than_two_labels_have_no_favourable_one():
    rng = np.random.default_rng(0)
    y, groups = rng.integers(0, 3, 300), rng.integers(0, 2, 300)
    assert split(rng.random((300, 2)), y, groups).pos_label is None


def test_the_favourable_label_is_the_one_that_was_told(people):
    X, y, groups = people
    y = np.where(y == 1, "hired", "declined")
    parts = split(X, y, groups, "true_positive_rate_parity", pos_label="declined")
    assert parts.pos_label == "declined"


def test_the_estimator_is_not_changed(people):
    clf = RunnerFairClassifier()
    before = dict(vars(clf))
    hold_out(clf, *people, fraction=0.2, seed=0, caller="me")
    assert vars(clf) == before


def few(n_rare, label=None):
    """100 rows of group a, and some of group b, all of one label if that is given."""
    groups = np.array(["a"] * 100 + ["b"] * n_rare)
    y = np.arange(100 + n_rare) % 2
    if label is not None:
        y[100:] = label
        y[100] = 1 - label
        y[101] = 1 - label
    return np.random.default_rng(0).random((len(y), 2)), y, groups


def test_few_held_out_rows_of_a_group_are_told():
    with pytest.warns(
        SkfairRunnerWarning,
        match=r"me: only 5 held-out rows of group 'b' tell .* about 120 held-out rows "
        r"in place of 30: more rows, or a larger validation_fraction",
    ):
        split(*few(20))


def test_a_label_that_a_group_lacks_is_told_once():
    X, y, groups = few(90, label=0)
    y[groups == "b"] = 0
    with pytest.warns(SkfairRunnerWarning) as told:
        split(X, y, groups, fraction=0.5)
    (message,) = [str(w.message) for w in told]
    assert message.startswith(
        "me: no held-out row of group 'b' is with the label 1, so"
    )


def test_rows_of_the_label_that_matters_are_counted():
    X, y, groups = few(90, label=0)
    with pytest.warns(
        SkfairRunnerWarning,
        match="only 1 held-out rows of group 'b' with the label 1 tell",
    ):
        split(X, y, groups, "true_positive_rate_parity", fraction=0.5)
    X, y, groups = np.tile(X, (3, 1)), np.tile(y, 3), np.tile(groups, 3)
    split(X, y, groups, "false_positive_rate_parity", fraction=0.5)  # no warning


def test_a_group_of_which_no_row_can_be_held_out_is_named():
    with pytest.raises(
        ValueError,
        match=r"me: with validation_fraction=0.25 no row of group 'b' .* to hold out",
    ):
        split(*few(1))


def test_a_cell_of_which_no_row_can_be_trained_on_is_named():
    X, y, groups = few(8, label=0)
    with pytest.raises(
        ValueError, match=r"validation_fraction=0.95 no row of group 'b' .* to train on"
    ):
        split(X, y, groups, "equalized_odds", fraction=0.95)


def split_as_given(people, *given, constraint="equalized_odds", **options):
    """Parts of all rows to train on and those given to measure on."""
    X, y, groups = people
    clf = RunnerFairClassifier(constraint, **options)
    return hold_out(
        clf, X, y, groups, fraction=0.25, seed=0, caller="me", given=tuple(given)
    )


def test_rows_that_are_given_are_measured_on_and_all_others_trained_on(people):
    X, y, groups = people
    backwards = slice(None, None, -2)
    given = X[backwards], y[backwards], groups[backwards]

    parts = split_as_given(people, *given)

    assert all(kept is whole for kept, whole in zip(parts.train, people, strict=True))
    held_out = parts.held_out
    np.testing.assert_array_equal(held_out.X, np.float32(X[backwards]))
    assert (held_out.classes[held_out.y] == y[backwards]).all()
    names = np.array(held_out.groups.names)
    assert (names[held_out.groups.codes] == groups[backwards]).all()


def test_rows_that_are_given_may_hold_their_groups_in_a_column(people):
    X, y, groups = people
    table = X.assign(sex=groups)
    clf = RunnerFairClassifier(sensitive_columns="sex")
    rows = table.iloc[:80], y.iloc[:80], None
    parts = hold_out(
        clf, table, y, None, fraction=0.25, seed=0, caller="me", given=rows
    )
    assert parts.held_out.X.shape == (80, X.shape[1])
    assert parts.held_out.groups.labels == sorted(set(groups))


@pytest.mark.parametrize("missing", [0, 1])
def test_features_and_labels_are_given_together(people, missing):
    given = list(people)
    given[missing] = None
    with pytest.raises(ValueError, match=f"me: .* but {'Xy'[missing]}_val is None"):
        split_as_given(people, *given)


def test_groups_of_the_given_rows_are_asked_for(people):
    X, y, _ = people
    with pytest.raises(ValueError, match="me: sensitive_features_val is None"):
        split_as_given(people, X, y, None)


def test_what_is_wrong_with_the_given_rows_is_said_of_them(people):
    X, y, groups = people
    for given in ((X.iloc[:, :2], y, groups), (X, y[:-1], groups), (X, y + 5, groups)):
        with pytest.raises(ValueError) as caught:
            split_as_given(people, *given)
        assert "me: this is about X_val, y_val" in caught.value.__notes__[0]


def test_groups_without_rows_to_measure_on_are_refused(people):
    X, y, groups = people
    kept = groups == sorted(set(groups))[0]
    lost = sorted(set(groups))[1]
    with pytest.raises(ValueError, match=f"me: no row of X_val is of group '{lost}'"):
        split_as_given(people, X[kept], y[kept], groups[kept])


def test_an_unknown_group_among_the_given_rows_is_refused(people):
    X, y, groups = people
    renamed = ["stranger", *list(groups)[1:]]
    with pytest.raises(ValueError, match="stranger"):
        split_as_given(people, X, y, renamed)


def test_few_given_rows_are_warned_of(people):
    X, y, groups = people
    cells = y.astype(str) + groups.astype(str)
    few = [np.flatnonzero(cells == cell)[:5] for cell in sorted(set(cells))]
    rows = np.concatenate(few)
    with pytest.warns(SkfairRunnerWarning, match="only 5 held-out .* rows in X_val"):
        split_as_given(people, X.iloc[rows], y.iloc[rows], groups.iloc[rows])
