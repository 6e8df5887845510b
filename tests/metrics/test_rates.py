import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.groups import Groups, encode_groups
from skfair_runner.metrics.rates import check_weights, compute_rates, present_groups


def compute(y_true, groups, sample_weight=None):
    return compute_rates(y_true, y_true, groups, sample_weight, None, "metric")


def test_groups_that_no_sample_has_are_left_out():
    groups = encode_groups(["b", "d", "b"], names=("a", "b", "c", "d"))
    present = present_groups(groups)
    assert present.names == ("b", "d")
    assert_array_equal(present.codes, [0, 1, 0])


def test_samples_of_weight_zero_are_marked_as_not_kept():
    rates = compute([0, 1, 0, 1, 1], list("aabbc"), [1, 1, 2, 3, 0])
    assert_array_equal(rates.kept, [True, True, True, True, False])
    assert_array_equal(rates.weights, [1, 1, 2, 3])
    assert rates.groups.names == ("a", "b")
    assert_array_equal(rates.n, [2, 2])
    assert_array_equal(rates.base_rate, [[0.5], [0.6]])


def test_one_group_of_positive_weight_is_refused():
    with pytest.raises(ValueError, match="metric compares groups, .* group, 'a'"):
        compute([0, 1, 1], list("aab"), [1, 1, 0])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1], r"shape \(3,\), one weight per sample, got shape \(2,\)"),
        ([[1], [1], [1]], r"got shape \(3, 1\)"),
        ([1, -2, 1], "finite and not negative, got -2.0"),
        ([1, np.nan, 1], "got nan"),
        ([1, np.inf, 1], "got inf"),
        ([0, 0, 0], "all 3 sample weights are 0"),
    ],
)
def test_weights_that_do_not_weigh_are_refused(weights, message):
    with pytest.raises(ValueError, match=f"metric: .*{message}"):
        check_weights(weights, 3, "metric")


def test_another_number_of_groups_than_of_labels_is_refused():
    message = "metric: `sensitive_features` has 2 rows, y_true has 3"
    with pytest.raises(ValueError, match=message):
        compute([0, 1, 1], ["a", "b"])
    with pytest.raises(ValueError, match=message):
        compute([0, 1, 1], Groups(np.array([0, 1]), ("a", "b"), ("sex",)))


def test_misaligned_indexes_are_refused():
    y_true = pd.Series([0, 1], index=[4, 5])
    with pytest.raises(ValueError, match="row 0: 4 in y_true, 5 in `sensitive_feat"):
        compute(y_true, pd.Series(["a", "b"], index=[5, 4]))
