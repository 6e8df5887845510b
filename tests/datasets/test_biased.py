import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
)
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.linear_model import LogisticRegression

from skfair_runner.datasets import make_biased_classification
from skfair_runner.datasets._biased import _bayes_rates

SETTINGS = [
    {},
    {"n_groups": 3, "n_features": 3, "noise": 1.0, "intercept": 0.4},
    {"n_features": 9, "shift": -1.2, "group_proportions": [0.2, 0.8]},
    {"noise": 0.0, "shift": 0.3},
]


def score_from_columns(data, intercept):
    """The score, worked out again from the published table."""
    scales = {
        "experience": (15, 3),
        "skill_test": (60, 10),
        "hours_available": (38, 4),
        "interview": (5, 1),
    }
    unused = ["height", "commute", "education", "district", "gender", "group"]
    names = [name for name in data.columns if name not in unused]
    standardised = [
        (data[name] - scales.get(name, (0, 1))[0]) / scales.get(name, (0, 1))[1]
        for name in names
    ]
    effect = (
        data["education"]
        .astype(str)
        .map({"school": -0.4, "bachelor": 0, "master": 0.8})
    )
    return sum(standardised) / np.sqrt(len(names)) + effect + intercept


@pytest.mark.parametrize("settings", SETTINGS)
def test_closed_form_agrees_with_a_large_sample(settings):
    made = make_biased_classification(400_000, random_state=0, **settings)

    intercept = settings.get("intercept", -0.3)
    selected = (score_from_columns(made.data, intercept) > 0).astype(int)
    groups = made.sensitive_features[made.default_sensitive]
    hits, false_alarms = selected[made.target == 1], selected[made.target == 0]
    found = pd.DataFrame(
        {
            "proportion": groups.value_counts(normalize=True),
            "base_rate": made.target.groupby(groups).mean(),
            "selection_rate": selected.groupby(groups).mean(),
            "true_positive_rate": hits.groupby(groups).mean(),
            "false_positive_rate": false_alarms.groupby(groups).mean(),
        }
    )
    # Four standard errors of a rate over the smallest cell, about 20,000 samples.
    pd.testing.assert_frame_equal(
        found, made.group_rates, check_names=False, rtol=0, atol=0.014
    )
    assert np.mean(selected == made.target) == pytest.approx(
        made.bayes_accuracy, abs=0.003
    )
    pd.testing.assert_series_equal(made.base_rates, made.group_rates["base_rate"])


def test_differences_are_fairlearns():
    made = make_biased_classification(100_000, random_state=0)
    selected = (score_from_columns(made.data, -0.3) > 0).astype(int)
    groups = made.sensitive_features["gender"]

    assert made.demographic_parity_difference == pytest.approx(
        demographic_parity_difference(made.target, selected, sensitive_features=groups),
        abs=0.012,
    )
    assert made.equalized_odds_difference == pytest.approx(
        equalized_odds_difference(made.target, selected, sensitive_features=groups),
        abs=0.015,
    )
    assert made.base_rate_difference == pytest.approx(
        np.ptp(made.target.groupby(groups).mean()), abs=0.012
    )


@pytest.mark.parametrize("noise", [0.01, 0.5, 2.0])
def test_rates_agree_with_the_bivariate_normal_distribution(noise):
    means = np.array([[-1.1, -0.3, 0.0], [0.2, 0.9, 2.0]])
    shares = np.array([0.4, 0.4, 0.2])

    rates = _bayes_rates(means, noise)

    spread = np.sqrt(1 + noise**2)
    covariance = [[1, 1 / spread], [1 / spread, 1]]
    both = np.reshape(
        [
            multivariate_normal([0, 0], covariance).cdf([m, m / spread])
            for m in means.ravel()
        ],
        means.shape,
    )
    hit_rate = rates["true_positive_rate"] * rates["base_rate"]
    assert_allclose(hit_rate, both @ shares, atol=1e-6)
    false_alarm_rate = rates["false_positive_rate"] * (1 - rates["base_rate"])
    assert_allclose(hit_rate + false_alarm_rate, rates["selection_rate"])


def test_no_classifier_learnt_from_the_table_is_more_accurate():
    """The group and its proxies tell nothing that the qualifications do not."""
    made = make_biased_classification(100_000, random_state=0)
    X = pd.get_dummies(made.data, drop_first=True).astype(float)
    X = (X - X.mean()) / X.std()

    model = LogisticRegression().fit(X, made.target)

    assert model.score(X, made.target) == pytest.approx(made.bayes_accuracy, abs=0.004)
    coefficients = pd.Series(model.coef_[0], X.columns)
    group_only = ["height", "commute", "gender_male", *X.filter(like="district")]
    assert coefficients[group_only].abs().max() < 0.1 * coefficients.abs().max()


def test_the_group_can_be_read_off_its_proxies():
    made = make_biased_classification(20_000, random_state=0)
    X = pd.get_dummies(made.data.drop(columns="gender")).astype(float)
    X = (X - X.mean()) / X.std()
    gender = made.sensitive_features["gender"]

    assert LogisticRegression().fit(X, gender).score(X, gender) > 0.7


def test_districts_are_spread_over_the_groups_in_opposite_order():
    made = make_biased_classification(90_000, n_groups=3, random_state=0)

    shares = pd.crosstab(made.data["group"], made.data["district"], normalize="index")
    assert_allclose(
        shares[["north", "east", "south", "west"]],
        [[0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4]],
        atol=0.012,
    )


def test_default_difference_is_clear():
    made = make_biased_classification(random_state=0)

    assert 0.2 < made.demographic_parity_difference < 0.3
    assert 0.2 < made.base_rate_difference < 0.3


def test_no_shift_makes_equal_groups():
    made = make_biased_classification(shift=0, n_groups=4, random_state=0)

    assert made.demographic_parity_difference == 0
    assert made.equalized_odds_difference == 0


def test_no_noise_makes_the_optimal_classifier_perfect():
    made = make_biased_classification(noise=0, random_state=0)

    assert_allclose(made.group_rates["true_positive_rate"], 1)
    assert_allclose(made.group_rates["false_positive_rate"], 0, atol=1e-12)
    assert made.bayes_accuracy == pytest.approx(1)


def test_names_and_number_of_columns():
    two = make_biased_classification(50, n_features=8, random_state=0)
    many = make_biased_classification(50, n_features=3, n_groups=11, random_state=0)

    assert two.feature_names == [
        "experience",
        "skill_test",
        "hours_available",
        "interview",
        "skill_4",
        "skill_5",
        "height",
        "commute",
        "education",
        "district",
        "gender",
    ]
    assert many.feature_names == [
        "experience",
        "height",
        "commute",
        "education",
        "district",
        "group",
    ]
    assert set(many.data["group"]) == {f"group_{code}" for code in range(11)}
    assert list(many.categories) == ["education", "district", "group"]


def test_seed_repeats_the_draw():
    first = make_biased_classification(100, random_state=3)
    again = make_biased_classification(100, random_state=np.random.RandomState(3))
    other = make_biased_classification(100, random_state=4)

    pd.testing.assert_frame_equal(first.data, again.data)
    assert_array_equal(first.target, again.target)
    assert not first.data["experience"].equals(other.data["experience"])


def test_arrays_and_tuple():
    X, y = make_biased_classification(
        60, as_frame=False, return_X_y=True, random_state=0
    )

    assert X.shape == (60, 9)
    assert X.dtype == np.float64
    assert set(y) == {0, 1}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("n_samples", 1, ValueError),
        ("n_features", 2, ValueError),
        ("n_groups", 1, ValueError),
        ("n_groups", 2.0, TypeError),
        ("noise", -0.1, ValueError),
        ("noise", float("nan"), ValueError),
        ("shift", "large", TypeError),
        ("shift", float("inf"), ValueError),
        ("intercept", float("nan"), ValueError),
    ],
)
def test_parameters_out_of_range_are_named(name, value, error):
    with pytest.raises(error, match=name):
        make_biased_classification(**{name: value})


@pytest.mark.parametrize("value", [[0.5], [0.5, 0.6], [1.0, 0.0], [np.nan, 1.0]])
def test_proportions_must_be_positive_and_sum_to_one(value):
    with pytest.raises(ValueError, match="2 positive numbers of sum 1.*got") as info:
        make_biased_classification(group_proportions=value)
    assert repr(value) in str(info.value)
