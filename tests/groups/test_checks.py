import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skfair_runner.groups import (
    cell_counts,
    check_at_least_two,
    check_no_empty_cell,
    encode_groups,
)


def test_a_single_group_is_named():
    groups = encode_groups(pd.Series(["Female"] * 3, name="sex"))
    message = r"fit compares groups, but all 3 .* 'Female' \(column: sex\)"
    with pytest.raises(ValueError, match=message):
        check_at_least_two(groups, "fit")


def test_a_single_crossed_group_is_named_by_all_its_values():
    groups = encode_groups(pd.DataFrame({"sex": ["Female"], "race": ["Black"]}))
    with pytest.raises(ValueError, match=r"'Female, Black' \(column: sex, race\)"):
        check_at_least_two(groups, "fit")


def test_one_present_group_among_several_known_ones_is_refused():
    groups = encode_groups(["b", "b"], names=("a", "b"))
    with pytest.raises(ValueError, match="partial_fit compares groups, .* 'b'"):
        check_at_least_two(groups, "partial_fit")


def test_two_groups_are_enough():
    check_at_least_two(encode_groups(["a", "b"]), "fit")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3))))
def test_cell_counts_are_those_of_a_cross_table(cells):
    labels, groups = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    expected = [[cells.count((row, column)) for column in range(4)] for row in range(3)]
    assert_array_equal(cell_counts(labels, groups, 3, 4), expected)


def test_codes_in_few_bits_do_not_overflow():
    labels = np.ones(1, dtype=np.int8)
    groups = np.full(1, 200, dtype=np.uint8)
    counts = cell_counts(labels, groups, 2, 300)
    assert counts[1, 200] == counts.sum() == 1


def test_an_empty_cell_is_named_by_group_and_label():
    counts = np.array([[4, 2], [3, 0]])
    names = encode_groups(pd.DataFrame({"sex": ["F", "M"], "race": ["B", "W"]})).names
    message = (
        "fit: constraint='equalized_odds' compares groups within each label, but "
        "group 'M, W' has no sample with label 'yes'. Merge this group"
    )
    with pytest.raises(ValueError, match=message):
        check_no_empty_cell(
            counts, np.array(["no", "yes"]), names, "fit", "constraint='equalized_odds'"
        )


def test_five_empty_cells_are_named_and_the_others_counted():
    with pytest.raises(ValueError, match="group 'e' has no .* 0 and 3 more. Merge"):
        check_no_empty_cell(np.zeros((1, 8)), [0], "abcdefgh", "fit", "equalized odds")


def test_the_remedy_is_that_of_the_rule():
    message = "fit: the rule draws from cells, but group 'b' .* or use another rule.$"
    with pytest.raises(ValueError, match=message):
        check_no_empty_cell(
            np.array([[1, 0]]),
            [0],
            ["a", "b"],
            "fit",
            "the rule",
            what="draws from cells",
            instead="another rule",
        )


def test_full_cells_pass():
    check_no_empty_cell(np.ones((2, 2)), [0, 1], ["a", "b"], "fit", "equalized odds")
