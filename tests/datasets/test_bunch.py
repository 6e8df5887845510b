import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.preprocessing import OneHotEncoder

from skfair_runner.datasets._bunch import make_bunch

DATA = pd.DataFrame(
    {
        "age": [30, 40, 50],
        "job": ["cook", None, "actor"],
        "level": pd.Categorical([5, 3, 5]),
    },
    index=[7, 8, 9],
)


def bunch(as_frame=True, return_X_y=False, **more):
    return make_bunch(
        DATA,
        pd.Series([0, 1, 1], index=DATA.index, name="hired"),
        pd.DataFrame({"sex": ["f", "m", "f"]}, index=DATA.index),
        target_names=["no", "yes"],
        favourable_label=1,
        default_sensitive="sex",
        sensitive_columns={"sex": ["sex"]},
        descr="\nAbout\n",
        as_frame=as_frame,
        return_X_y=return_X_y,
        **more,
    )


def test_entries_of_a_bunch():
    made = bunch(further=3)

    assert sorted(made) == [
        "DESCR",
        "categories",
        "data",
        "default_sensitive",
        "favourable_label",
        "feature_names",
        "further",
        "sensitive_columns",
        "sensitive_features",
        "sensitive_names",
        "target",
        "target_names",
    ]
    assert made.feature_names == ["age", "job", "level"]
    assert made.sensitive_names == ["sex"]
    assert made.categories == {"job": ["actor", "cook"], "level": [3, 5]}
    assert made.DESCR == "About\n"
    assert made.further == 3


def test_text_becomes_categories_that_the_one_hot_encoder_takes():
    data = bunch().data

    assert data.dtypes.astype(str).tolist() == ["int64", "category", "category"]
    encoded = OneHotEncoder(sparse_output=False).fit_transform(data[["job", "level"]])
    # actor, cook, missing; 3, 5
    assert_array_equal(encoded, [[0, 1, 0, 0, 1], [0, 0, 1, 1, 0], [1, 0, 0, 0, 1]])


def test_arrays_hold_category_codes_and_nan():
    made = bunch(as_frame=False)

    assert made.data.dtype == np.float64
    assert_array_equal(made.data, [[30, 1, 1], [40, np.nan, 0], [50, 0, 1]])
    assert_array_equal(made.target, [0, 1, 1])
    assert_array_equal(made.sensitive_features, [["f"], ["m"], ["f"]])


@pytest.mark.parametrize("as_frame", [True, False])
def test_features_and_labels_alone_are_those_of_the_bunch(as_frame):
    X, y = bunch(as_frame=as_frame, return_X_y=True)

    made = bunch(as_frame=as_frame)
    assert type(X) is type(made.data)
    pd.testing.assert_frame_equal(pd.DataFrame(X), pd.DataFrame(made.data))
    assert_array_equal(y, made.target)


def test_the_given_table_is_not_changed():
    before = DATA.copy()

    bunch()
    bunch(as_frame=False)

    pd.testing.assert_frame_equal(DATA, before)
