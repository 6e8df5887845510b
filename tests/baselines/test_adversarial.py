import numpy as np
import pytest

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import AdversarialDebiasingClassifier
from skfair_runner.datasets import make_biased_classification
from skfair_runner.metrics import (
    demographic_parity_difference,
    equalized_odds_difference,
)


def net(**parameters):
    quick = {"warmup_epochs": 10, "max_epochs": 20, "hidden_layer_sizes": (16,)}
    return RunnerFairClassifier(None, **{**quick, "lr": 0.01, **parameters})


@pytest.fixture(scope="module")
def applicants():
    bunch = make_biased_classification(n_samples=1600, shift=1.5, random_state=0)
    X = bunch.data.select_dtypes("number")
    gender = bunch.sensitive_features["gender"]
    # `height` tells the group; the label follows the group beyond the other columns.
    hired = bunch.target.where(gender == "male", bunch.target * (X["height"] > 160))
    train, test = slice(0, 1000), slice(1000, None)
    return [(X[part], hired[part], gender[part]) for part in (train, test)]


@pytest.mark.parametrize(
    ("constraint", "difference"),
    [
        ("demographic_parity", demographic_parity_difference),
        ("equalized_odds", equalized_odds_difference),
    ],
)
def test_the_difference_shrinks(constraint, difference, applicants):
    (X, y, gender), (X_test, y_test, gender_test) = applicants
    plain = net(random_state=0).fit(X, y)
    clf = AdversarialDebiasingClassifier(net(), constraint, alpha=3, random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    before, after = (
        difference(y_test, each.predict(X_test), sensitive_features=gender_test)
        for each in (plain, clf)
    )
    assert after < 0.6 * before
    assert clf.score(X_test, y_test) > 0.6
    assert 0.05 < np.mean(clf.predict(X_test)) < 0.95


def test_the_history_tells_the_adversarys_loss_and_the_gap(applicants):
    (X, y, gender), _ = applicants
    clf = AdversarialDebiasingClassifier(net(), random_state=0)
    history = clf.fit(X, y, sensitive_features=gender).history_
    loss, gap = history["adversary_loss"], history["train_gap"]
    warm, last = (history["phase"] == "warm-up").to_numpy().nonzero()[0][-1], -1
    assert loss.iloc[warm] < loss.iloc[0]  # it learns the groups
    assert loss.iloc[last] > loss.iloc[warm]  # until it is fought
    assert gap.iloc[last] < gap.iloc[warm]
    assert history["train_difference"].between(0, 1).all()


def test_the_adversary_is_gone_after_training(people):
    X, y, gender = people
    clf = AdversarialDebiasingClassifier(net(max_epochs=1, warmup_epochs=1))
    clf.fit(X, y, sensitive_features=gender)
    assert clf.estimator_.net_.opponent_ is None


@pytest.mark.parametrize("n_groups", [3, 5])
def test_there_may_be_many_groups(n_groups):
    people = make_biased_classification(
        n_samples=600, n_groups=n_groups, random_state=0
    )
    X = people.data.select_dtypes("number")
    clf = AdversarialDebiasingClassifier(net(max_epochs=1, warmup_epochs=1))
    clf.fit(X, people.target, sensitive_features=people.sensitive_features)
    assert len(clf.groups_) == n_groups
    # At a loss, the adversary guesses one in n_groups.
    assert clf.history_["adversary_loss"].iloc[0] == pytest.approx(
        np.log(n_groups), abs=0.3
    )


def test_early_stopping_is_refused(people):
    X, y, gender = people
    clf = AdversarialDebiasingClassifier(net(early_stopping=True))
    with pytest.raises(ValueError, match=r"Classifier\.fit: early_stopping=True keeps"):
        clf.fit(X, y, sensitive_features=gender)


def test_a_third_label_is_refused(people):
    X, y, gender = people
    y = y.where(X["height"] > -0.5, "undecided")
    clf = AdversarialDebiasingClassifier(net())
    with pytest.raises(ValueError, match=r"3 labels \['declined', 'hired', 'undeci"):
        clf.fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize(("name", "value"), [("alpha", -1), ("adversary_lr", 0)])
def test_numbers_out_of_range_are_refused(name, value, people):
    X, y, gender = people
    clf = AdversarialDebiasingClassifier(**{name: value})
    with pytest.raises(ValueError, match=f"'{name}' .* Got {value} instead"):
        clf.fit(X, y, sensitive_features=gender)
