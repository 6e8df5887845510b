import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skfair_runner.datasets import (
    DATASETS,
    get_data_home,
    load_dataset,
    make_biased_classification,
)


def load(name, request):
    """A data set by name; where it is not at hand, the test is skipped."""
    if name == "biased":
        return load_dataset(name)
    return load_dataset(name, data_home=request.getfixturevalue("real_data"))


def test_every_name_is_listed():
    assert list(DATASETS) == [
        "adult",
        "compas",
        "german",
        "credit",
        "lsac",
        "bank",
        "biased",
    ]


def test_unknown_name_is_answered_by_the_known_ones():
    with pytest.raises(ValueError, match=r"one of \['adult', 'bank',.*got 'iris'"):
        load_dataset("iris")


@pytest.mark.parametrize("name", sorted(set(DATASETS) - {"biased"}))
def test_data_home_and_options_reach_the_fetcher(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=str(get_data_home(tmp_path) / name)):
        load_dataset(name, data_home=tmp_path, download_if_missing=False)


def test_generated_data_is_the_same_each_time_unless_asked_otherwise():
    first, second = load_dataset("biased"), load_dataset("biased", data_home="nowhere")
    other = load_dataset("biased", random_state=1, n_samples=50)

    pd.testing.assert_frame_equal(first.data, second.data)
    expected = make_biased_classification(50, random_state=1)
    pd.testing.assert_frame_equal(other.data, expected.data)


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_entries_agree_with_one_another(name, request):
    bunch = load(name, request)

    index = bunch.data.index
    assert bunch.target.index.equals(index)
    assert bunch.sensitive_features.index.equals(index)
    assert index.equals(pd.RangeIndex(len(index)))
    assert bunch.feature_names == bunch.data.columns.tolist()
    assert bunch.sensitive_names == bunch.sensitive_features.columns.tolist()
    assert bunch.default_sensitive == bunch.sensitive_names[0]
    assert list(bunch.sensitive_columns) == bunch.sensitive_names
    assert set().union(*bunch.sensitive_columns.values()) <= set(bunch.feature_names)
    assert not bunch.sensitive_features.isna().any(axis=None)
    assert sorted(bunch.target.unique()) == [0, 1]
    assert bunch.favourable_label in {0, 1}
    assert len(bunch.target_names) == 2
    assert all(word in bunch.DESCR for word in ("Favourable label", "erms"))
    assert f"Favourable label: {bunch.favourable_label}." in bunch.DESCR


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_table_goes_through_scikit_learns_encoders(name, request):
    bunch = load(name, request)
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(), make_column_selector(dtype_include="category")),
            (StandardScaler(), make_column_selector(dtype_include="number")),
        ),
        LogisticRegression(max_iter=1000),
    )
    X = bunch.data.sample(min(len(bunch.data), 2000), random_state=0)
    y = bunch.target[X.index]

    model.fit(X, y)

    assert roc_auc_score(y, model.predict_proba(X)[:, 1]) > 0.7
