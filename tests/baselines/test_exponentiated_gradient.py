import numpy as np
import pytest
from fairlearn.reductions import (
    DemographicParity,
    EqualizedOdds,
    ExponentiatedGradient,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfair_runner.baselines import ExponentiatedGradientClassifier
from skfair_runner.baselines._exponentiated_gradient import bound_on_each_group
from skfair_runner.metrics import demographic_parity_difference


# The wrapper silences what pandas says about fairlearn 0.15.
@pytest.mark.filterwarnings("ignore::DeprecationWarning:fairlearn")
@pytest.mark.parametrize(
    ("constraint", "moment"),
    [("demographic_parity", DemographicParity), ("equalized_odds", EqualizedOdds)],
)
def test_it_is_fairlearns_mixture(constraint, moment, people):
    X, y, gender = people
    clf = ExponentiatedGradientClassifier(
        LogisticRegression(), constraint, max_iter=5, random_state=3
    ).fit(X, y, sensitive_features=gender)
    theirs = ExponentiatedGradient(
        LogisticRegression(),
        moment(difference_bound=clf.bound_on_each_group_),
        eps=0.01,
        max_iter=5,
    ).fit(X, (y == "hired").astype(int), sensitive_features=gender)

    assert_allclose(clf.predict_proba(X), theirs._pmf_predict(X), atol=1e-12)
    drawn = np.where(theirs.predict(X, random_state=3) == 1, "hired", "declined")
    assert_array_equal(clf.predict(X), drawn)
    assert clf.n_oracle_calls_ == theirs.n_oracle_calls_
    assert clf.n_iter_ == theirs.last_iter_ + 1
    assert_allclose(clf.weights_.sum(), 1)
    assert len(clf.weights_) == len(clf.estimators_)


@pytest.mark.parametrize("difference_bound", [0.02, 0.1])
def test_the_difference_on_the_training_data_keeps_to_the_bound(
    difference_bound, people
):
    X, y, gender = people
    clf = ExponentiatedGradientClassifier(
        LogisticRegression(),
        difference_bound=difference_bound,
        max_iter=30,
        random_state=0,
    ).fit(X, y, sensitive_features=gender)

    # Of the probabilities, since decisions are drawn.
    rates = [clf.predict_proba(X)[gender == name, 1].mean() for name in clf.groups_]
    assert abs(rates[0] - rates[1]) <= difference_bound + 0.01
    plain = LogisticRegression().fit(X, y).predict(X)
    assert demographic_parity_difference(
        y, plain, sensitive_features=gender, pos_label="hired"
    ) > 2 * abs(rates[0] - rates[1])


@pytest.mark.parametrize("sizes", [(30, 10), (25, 25)])
def test_a_difference_at_our_bound_is_at_fairlearns(sizes):
    """Worked by hand: rates .4 and .5, of groups with the given sizes."""
    rates = np.array([0.4, 0.5])
    overall = np.average(rates, weights=sizes)
    bound = bound_on_each_group(0.1, np.array([sizes, sizes]), None)
    assert_allclose(np.abs(rates - overall).max(), bound)


def test_the_stricter_label_decides_fairlearns_bound():
    counts = np.array([[90, 10], [60, 40]])
    assert bound_on_each_group(0.1, counts, (0,)) == pytest.approx(0.09)
    assert bound_on_each_group(0.1, counts, (1,)) == pytest.approx(0.06)
    assert bound_on_each_group(0.1, counts, (0, 1)) == pytest.approx(0.06)


def test_of_three_groups_none_is_farther_from_another_than_the_bound():
    bound = bound_on_each_group(0.1, np.array([[1, 2, 3], [4, 5, 6]]), None)
    assert bound == 0.05


@pytest.mark.parametrize("max_iter", [1, 2, 4])
def test_iterations_cap_how_often_the_estimator_is_fitted(max_iter, people):
    X, y, gender = people
    clf = ExponentiatedGradientClassifier(
        LogisticRegression(), max_iter=max_iter, random_state=0
    ).fit(X, y, sensitive_features=gender)
    assert clf.n_iter_ <= max_iter
    assert max_iter <= clf.n_oracle_calls_ <= 9 * max_iter


def test_a_pipeline_gets_its_weights_at_its_last_step(people):
    X, y, gender = people
    inner = make_pipeline(StandardScaler(), make_pipeline(LogisticRegression()))
    clf = ExponentiatedGradientClassifier(inner, max_iter=2, random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    scaled = (X - X.mean()) / X.std(ddof=0)
    expected = ExponentiatedGradientClassifier(
        LogisticRegression(), max_iter=2, random_state=0
    ).fit(scaled, y, sensitive_features=gender)
    assert_allclose(clf.predict_proba(X), expected.predict_proba(scaled))


def test_features_are_not_kept_in_the_fitted_classifier(people):
    X, y, gender = people
    clf = ExponentiatedGradientClassifier(LogisticRegression(), max_iter=1)
    clf.fit(X, y, sensitive_features=gender)
    assert not any(value is X for value in vars(clf).values())
    assert all(isinstance(each, LogisticRegression) for each in clf.estimators_)


def test_an_estimator_without_weights_is_refused(people):
    X, y, gender = people
    clf = ExponentiatedGradientClassifier(make_pipeline(KNeighborsClassifier()))
    with pytest.raises(TypeError, match=r"KNeighborsClassifier\.fit takes no sample_w"):
        clf.fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize("pos_label", ["hired", "declined"])
def test_a_group_without_a_label_is_refused_where_labels_are_compared(
    pos_label, people
):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    clf = ExponentiatedGradientClassifier(
        LogisticRegression(), "equalized_odds", max_iter=1, pos_label=pos_label
    )
    with pytest.raises(ValueError, match="'female' has no sample with label 'hired'"):
        clf.fit(X[kept], y[kept], sensitive_features=gender[kept])
    clf.set_params(constraint="demographic_parity")
    clf.fit(X[kept], y[kept], sensitive_features=gender[kept])
