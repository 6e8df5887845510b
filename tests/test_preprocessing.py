import datetime
import decimal
import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skfair_runner.preprocessing import make_table_preprocessor
from skfair_runner.utils import SkfairRunnerWarning


def encode(X, **params):
    """Fitted preprocessor, and its output as a DataFrame."""
    preprocessor = make_table_preprocessor(sparse_output=False, **params)
    values = preprocessor.fit_transform(X)
    assert values.dtype == np.float32
    return preprocessor, pd.DataFrame(
        values, columns=preprocessor.get_feature_names_out()
    )


@pytest.fixture
def people():
    return pd.DataFrame(
        {
            "age": [20.0, np.nan, 40.0, 60.0],
            "job": ["clerk", None, "nurse", "clerk"],
            "sex": ["F", "M", "F", "M"],
            "hours": [10, 20, 30, 40],
        },
        index=[3, 5, 7, 9],
    )


def test_numbers_are_kept_and_missing_ones_become_the_median_and_marked(people):
    _, out = encode(people)
    assert out["age"].tolist() == [20, 40, 40, 60]
    assert out["missingindicator_age"].tolist() == [0, 1, 0, 0]
    assert out["hours"].tolist() == [10, 20, 30, 40]
    assert "missingindicator_hours" not in out


def test_missing_is_a_level_of_its_own(people):
    _, out = encode(people)
    assert out["job_nan"].tolist() == [0, 1, 0, 0]
    assert out["job_clerk"].tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize("columns", ["sex", ["sex", "age"], 2, [-2]])
def test_sensitive_columns_are_left_out_and_may_be_absent_afterwards(people, columns):
    preprocessor, out = encode(people, sensitive_columns=columns)
    listed = columns if isinstance(columns, list) else [columns]
    names = [c if isinstance(c, str) else people.columns[c] for c in listed]
    assert not [c for c in out if c.split("_")[-1] in names or c.split("_")[0] in names]
    assert_array_equal(preprocessor.transform(people.drop(columns=names)), out)


def test_the_order_of_the_columns_does_not_matter(people):
    preprocessor, out = encode(people)
    assert_array_equal(preprocessor.transform(people[people.columns[::-1]]), out)


def test_levels_not_seen_before_are_zeros_or_join_the_rare_ones(people):
    new = people.assign(job="pilot")
    preprocessor, out = encode(people)
    columns = [c.startswith("job_") for c in out]
    assert not preprocessor.transform(new)[:, columns].any()

    preprocessor, out = encode(people[["job"]], min_frequency=2)
    assert out.columns.tolist() == ["job_clerk", "job_infrequent_sklearn"]
    assert out["job_infrequent_sklearn"].tolist() == [0, 1, 1, 0]
    assert preprocessor.transform(new)[:, 1].all()


def test_many_levels_share_the_last_column():
    X = pd.DataFrame({"town": [f"town {k % 100}" for k in range(350)]})
    _, out = encode(X, max_categories=10, min_frequency=None)
    assert out.shape == (350, 10)
    assert (out.sum(axis=1) == 1).all()


def test_the_default_pools_levels_in_less_than_one_row_of_a_thousand():
    X = pd.DataFrame({"town": ["a"] * 2996 + ["b"] * 3 + ["c"]})
    _, out = encode(X)
    assert out.columns.tolist() == ["town_a", "town_b", "town_infrequent_sklearn"]


NUMBERS = {
    "Int64": pd.Series([1, None, 3], dtype="Int64"),
    "Float32": pd.Series([1, None, 3], dtype="Float32"),
    "objects": pd.Series([1, None, 3.0], dtype=object),
    "NA among objects": pd.Series([1, pd.NA, 3], dtype=object),
    "decimals": pd.Series([decimal.Decimal(1), None, decimal.Decimal(3)]),
    "sparse": pd.Series(pd.arrays.SparseArray([1.0, np.nan, 3.0])),
    "float16": pd.Series([1, np.nan, 3], dtype=np.float16),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_every_type_are_read(kind):
    _, out = encode(pd.DataFrame({"n": NUMBERS[kind]}))
    assert out.to_numpy().tolist() == [[1, 0], [2, 1], [3, 0]]


CATEGORIES = {
    "str": (pd.Series(["a", None, "b"]), ["a", "b", "nan"]),
    "string": (pd.Series(["a", None, "b"], dtype="string"), ["a", "b", "nan"]),
    "objects": (pd.Series(["a", None, "b"], dtype=object), ["a", "b", "nan"]),
    "category": (pd.Series([2, None, 1]).astype("category"), ["1", "2", "nan"]),
    "bool": (pd.Series([True, False, True]), ["False", "True"]),
    "boolean": (pd.Series([True, None, False], dtype="boolean"), None),
    "mixed": (pd.Series([1, "a", np.nan]), ["1", "a", "nan"]),
}


@pytest.mark.parametrize("kind", CATEGORIES)
def test_categories_of_every_type_are_encoded(kind):
    column, levels = CATEGORIES[kind]
    _, out = encode(pd.DataFrame({"c": column}))
    levels = levels or ["False", "True", "nan"]
    assert out.columns.tolist() == [f"c_{level}" for level in levels]
    assert (out.sum(axis=1) == 1).all()


def test_a_level_reads_alike_as_a_category_and_as_plain_text(people):
    preprocessor, out = encode(people)
    categories = people.assign(job=people["job"].astype("category"))
    assert_array_equal(preprocessor.transform(categories), out)


def test_a_code_reads_alike_with_and_without_missing_values():
    codes = pd.Series([2, 1, 2]).astype("category")
    floats = pd.Series([2, 1, None]).astype("category")
    preprocessor, out = encode(pd.DataFrame({"c": codes}))
    again = preprocessor.transform(pd.DataFrame({"c": floats}))
    assert_array_equal(again[:2], out[:2])


def test_empty_and_constant_columns_stay_finite():
    X = pd.DataFrame(
        {"nan": [np.nan] * 3, "none": [None] * 3, "one": 1, "x": ["x"] * 3}
    )
    preprocessor, out = encode(X)
    assert np.isfinite(out).all(axis=None)
    filled = preprocessor.transform(X.assign(nan=[1.0, 2.0, 3.0], none="a"))
    assert np.isfinite(filled).all()


def test_wide_one_hot_tables_come_as_csr():
    X = pd.DataFrame({"town": [f"town {k % 30}" for k in range(90)], "age": 1.0})
    out = make_table_preprocessor().fit_transform(X)
    assert sparse.issparse(out)
    assert out.format == "csr"
    assert out.dtype == np.float32
    _, dense = encode(X)
    assert_array_equal(out.toarray(), dense)


def test_pandas_output_keeps_the_index(people):
    preprocessor = make_table_preprocessor(sparse_output=False)
    out = preprocessor.set_output(transform="pandas").fit_transform(people)
    assert_array_equal(out.index, people.index)
    assert (out.dtypes == np.float32).all()
    assert_array_equal(out, encode(people)[1])


@pytest.mark.parametrize("as_list", [False, True])
def test_arrays_of_objects_are_judged_column_by_column(people, as_list):
    X = people.to_numpy(dtype=object)
    preprocessor, out = encode(X.tolist() if as_list else X, sensitive_columns=2)
    expected = encode(people, sensitive_columns="sex")[1]
    assert_array_equal(out, expected)
    assert out.columns[0] == "x0"


def test_numeric_arrays_and_sparse_matrices_pass_through():
    X = np.arange(12.0).reshape(4, 3)
    assert_array_equal(encode(X)[1], X)
    out = make_table_preprocessor().fit_transform(sparse.csr_array(X))
    assert_array_equal(out.toarray() if sparse.issparse(out) else out, X)


NEITHER = {
    "datetime64": (pd.Timestamp("2020-01-31"), r"X\['d'\].min\(\)\).dt.days"),
    "date": (datetime.date(2020, 1, 31), r"such as datetime.date\(2020, 1, 31\)"),
    "timedelta": (pd.Timedelta("1D"), "Turn it into columns of numbers or text"),
    "period": (pd.Period("2020"), r"such as Period\('2020'"),
    "complex": (2j, "such as .*2j"),
    "mixed": (["a", "b"], r"such as \['a', 'b'\]"),
}


@pytest.mark.parametrize("kind", NEITHER)
def test_a_column_of_neither_numbers_nor_categories_is_named(kind):
    value, remedy = NEITHER[kind]
    X = pd.DataFrame({"a": [1, 2], "d": [value, value]})
    with pytest.raises(ValueError, match=f"column 'd' .* but {kind}.*{remedy}"):
        make_table_preprocessor().fit(X)
    make_table_preprocessor(sensitive_columns="d").fit(X)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"sensitive_columns": "Sex"}, ValueError, "no column 'Sex'.*'age', 'job'"),
        ({"sensitive_columns": 4}, ValueError, "none at position 4"),
        ({"sensitive_columns": 1.5}, TypeError, "got 1.5"),
        (
            {"sensitive_columns": ["age", "job", "sex", "hours"]},
            ValueError,
            r"X has 4 feature\(s\), and sensitive_columns=\['age', .* every one",
        ),
        ({"max_categories": 0}, ValueError, "'max_categories' .* Got 0"),
        ({"min_frequency": 1.5}, ValueError, "'min_frequency' .* Got 1.5"),
    ],
)
def test_bad_parameters_are_named(people, params, error, message):
    with pytest.raises(error, match=message):
        make_table_preprocessor(**params).fit(people)


@pytest.mark.parametrize("value", [np.inf, 1e300])
def test_what_float32_cannot_hold_is_refused(people, value):
    with pytest.raises(ValueError, match="infinity or a value too large for .*float32"):
        make_table_preprocessor().fit(people.assign(hours=[1.0, 2.0, 3.0, value]))


def test_pickles_and_clones(people):
    preprocessor, out = encode(people, sensitive_columns="sex")
    again = pickle.loads(pickle.dumps(preprocessor))
    assert_array_equal(again.transform(people), out)
    assert_array_equal(clone(preprocessor).fit_transform(people), out)
    assert "columns of kind 'number' without 'sex'" in repr(preprocessor)
    assert "columns of kind 'category')" in repr(make_table_preprocessor())


PAYS = [f"{k},5" for k in range(20)]
NUMBERS_AS_TEXT = {
    "decimal commas": PAYS,
    "decimal points": [f" -{k}.5e3" for k in range(20)],
    "thousands": [f"1.{k:03d},5" for k in range(20)],
    "and missing ones": [*PAYS, None, np.nan],
    "and one that is none": [*PAYS, "28,5 EUR"],
    "and numbers": [*PAYS, 1, 2.5],
}


@pytest.mark.parametrize("kind", NUMBERS_AS_TEXT)
def test_text_that_is_mostly_numbers_is_warned_of(kind):
    pay = pd.Series(NUMBERS_AS_TEXT[kind], dtype=object)
    table = pd.DataFrame({"pay": pay, "job": "clerk"})
    with pytest.warns(SkfairRunnerWarning, match=r"numbers in the column 'pay', and"):
        make_table_preprocessor().fit(table)
    for silent in (table.astype({"pay": "category"}), table[["job"]]):
        make_table_preprocessor().fit(silent)
    make_table_preprocessor(sensitive_columns="pay").fit(table)


def test_many_columns_of_numbers_as_text_are_cut_short():
    table = pd.DataFrame({f"pay {k}": PAYS for k in range(12)})
    with pytest.warns(SkfairRunnerWarning, match="columns 'pay 0', .*'pay 9' and 2 mo"):
        make_table_preprocessor().fit(table)


CODES_AND_TEXTS = {
    "few codes": [str(k) for k in range(10)] * 3,
    "some numbers": [*PAYS, "a", "b", "c"],
    "dates": [f"{k}.12.2020" for k in range(1, 20)],
    "ranges": [f"{k}-{k + 5}" for k in range(20)],
    "signs": [".", ",", "-", "+", "e", "1e", "", *map(chr, range(97, 107))],
}


@pytest.mark.parametrize("kind", CODES_AND_TEXTS)
def test_codes_and_texts_are_not_warned_of(kind):
    make_table_preprocessor().fit(pd.DataFrame({"code": CODES_AND_TEXTS[kind]}))


@pytest.mark.parametrize("routing", [False, True])
def test_works_in_a_search_over_its_own_settings(routing):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(list("xyz"), 60)})
    pipe = make_pipeline(make_table_preprocessor(), LogisticRegression())
    grid = {"columntransformer__categories__onehotencoder__max_categories": [2, 3]}
    with config_context(enable_metadata_routing=routing):
        search = GridSearchCV(pipe, grid, cv=2, n_jobs=2, error_score="raise")
        search.fit(X, rng.integers(0, 2, 60))
    assert search.best_estimator_.predict(X).shape == (60,)
