"""The box: codes and rows, sensitive combinations, constraints."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from skfair_runner.fairness_testing import Floats, Integers, Space

SENSITIVE = ["sex", "race"]


def test_rows_come_back_in_their_own_columns_and_dtypes(people):
    space = Space.from_data(
        people, sensitive_features=SENSITIVE, columns={"income": Floats(0, 50, 0.01)}
    )
    back = space.decode(space.encode(people))
    assert_frame_equal(back, people, check_exact=False, rtol=1e-9)
    assert back.dtypes.equals(people.dtypes)


def test_an_array_comes_back_as_an_array():
    X = np.array([[1, 0], [5, 1]])
    space = Space.from_data(X, sensitive_features=1)
    np.testing.assert_array_equal(space.decode(space.encode(X)), X)
    assert space.names == ["x0", "x1"]


def test_an_array_of_objects_keeps_numbers_and_words():
    X = np.array([[1, "f"], [5, "m"]], dtype=object)
    space = Space.from_data(X, sensitive_features=1)
    assert space.decode([[2, 1]]).tolist() == [[3, "m"]]


def test_a_long_column_is_decoded_without_a_table(people):
    columns = {"income": Integers(0, 10**6), "age": Floats(0, 1, 1e-5)}
    space = Space.from_data(people, sensitive_features="sex", columns=columns)
    codes = space.encode(people)
    codes[:, 2], codes[:, 0] = 123_456, 7
    decoded = space.decode(codes)
    assert decoded["income"].unique().tolist() == [123_456.0]


def test_every_combination_of_several_sensitive_columns_is_tried(people):
    space = Space.from_data(people, sensitive_features=SENSITIVE)
    rows = space.expand(space.encode(people)[:3])
    assert rows.shape == (3, 6, 7)
    decoded = space.decode(rows[1])
    assert len(decoded[SENSITIVE].drop_duplicates()) == 6
    assert (decoded.drop(columns=SENSITIVE).nunique() == 1).all()
    own = space.combination_of(space.encode(people))
    assert_frame_equal(
        space.decode(space.expand(space.encode(people))[np.arange(200), own]),
        space.decode(space.encode(people)),
    )


def test_constraints_hold_for_tuples_and_functions(people):
    space = Space.from_data(
        people,
        sensitive_features="sex",
        constraints=[("age", ">=", "school", 15), lambda t: t["job"] != "smith"],
    )
    codes = space.encode(people)
    expected = (people["age"] >= people["school"] + 15) & (people["job"] != "smith")
    np.testing.assert_array_equal(space.valid(codes), expected)


def test_a_constraint_on_a_sensitive_column_leaves_combinations_out():
    X = pd.DataFrame({"age": [10, 20, 30], "school": [1, 2, 3]})
    space = Space.from_data(
        X, sensitive_features="age", constraints=[("age", ">=", "school", 8)]
    )
    allowed = space.valid_combinations(space.encode(X))
    assert allowed[2].argmax() == 1  # 11 years, for 3 at school


def test_the_table_of_columns_tells_roles(people):
    space = Space.from_data(
        people.assign(country="here"), sensitive_features="sex", immutable=["race"]
    )
    roles = space.describe()["role"]
    assert roles[["sex", "race", "country", "age"]].tolist() == [
        "sensitive",
        "immutable",
        "constant",
        "free",
    ]
    assert "sensitive ['sex']" in repr(space)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"sensitive_features": []}, ValueError, "names no column"),
        ({"sensitive_features": "sexx"}, ValueError, "'sexx'"),
        ({"columns": {"sexx": Integers(0, 1)}}, ValueError, "describes 'sexx'"),
        ({"columns": {"age": "old"}}, TypeError, "'age' is described by 'old'"),
        ({"columns": {"sex": Integers(1, 1)}}, ValueError, "'sex' has one value"),
        ({"immutable": "sex"}, ValueError, "'sex' is both sensitive and immutable"),
        ({"max_levels": 1}, ValueError, "max_levels=1"),
    ],
)
def test_a_box_that_makes_no_sense_is_refused(people, arguments, error, match):
    arguments = {"sensitive_features": "sex", **arguments}
    with pytest.raises(error, match=match):
        Space.from_data(people, **arguments)


def test_a_box_in_which_nothing_can_be_changed_is_refused(people):
    with pytest.raises(ValueError, match=r"\['age', 'sex'\] all are sensitive"):
        Space.from_data(
            people[["age", "sex"]], sensitive_features="sex", immutable="age"
        )
    with pytest.raises(ValueError, match="'colour', which is not a column"):
        Space({"a": Integers(0, 1)}, sensitive_features="colour")
    with pytest.raises(ValueError, match="X has 0 rows"):
        Space.from_data(people[:0], sensitive_features="sex")


def test_rows_without_a_column_are_refused(people):
    space = Space.from_data(people, sensitive_features="sex")
    with pytest.raises(ValueError, match="no column 'age'"):
        space.encode(people.drop(columns="age"))
