import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from fairlearn.adversarial import AdversarialFairnessClassifier
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.baselines import FairlearnAdversarialClassifier, _base
from skfair_runner.baselines._fairlearn_adversarial import _adversary
from skfair_runner.model_selection import SensitiveColumns


def plain_net(**parameters):
    """A small net, trained for a few epochs."""
    quick = {
        "warmup_epochs": 1,
        "max_epochs": 2,
        "batch_size": 50,
        "lr": 0.02,
        "hidden_layer_sizes": (8,),
        "module__dropout": 0.0,
    }
    return RunnerFairClassifier(constraint=None, **{**quick, **parameters})


def quick(constraint="demographic_parity", net=None, **parameters):
    parameters = {"random_state": 0, **parameters}
    return FairlearnAdversarialClassifier(net or plain_net(), constraint, **parameters)


class AgainstDerivedGroups(FairlearnAdversarialClassifier):
    """Alternates between two groups, so that scikit-learn can check it."""

    def fit(self, X, y):
        n_samples = X.shape[0] if hasattr(X, "shape") else np.asarray(X).shape[0]
        return super().fit(X, y, sensitive_features=np.arange(n_samples) % 2)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # fairlearn's projection takes from every step more than it should.
        tags.classifier_tags.poor_score = True
        return tags


# From check_estimator itself, where it casts infinite values.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_the_common_checks_of_scikit_learn_pass():
    check_estimator(AgainstDerivedGroups(plain_net(), random_state=0))


@pytest.mark.parametrize("constraint", ["demographic_parity", "equalized_odds"])
@pytest.mark.parametrize("n_groups", [2, 4])
def test_training_is_fairlearns(constraint, n_groups, people, monkeypatch):
    """Whole batches and constant rates, so that neither order nor schedule counts."""
    X, y, gender = people
    groups = gender if n_groups == 2 else gender + (X["height"] > 0).astype(str)
    settings = {"batch_size": 300, "lr_schedule": "constant", "optimizer": "adam"}
    clf = quick(constraint, plain_net(**settings), alpha=0.7, adversary_lr=0.01)
    start = quick(constraint, plain_net(warmup_epochs=0, max_epochs=0, **settings))
    start.fit(X, y, sensitive_features=groups)
    made = []

    def remember(*args):
        made.append(_adversary(*args))
        copy = pickle.dumps(made[0])  # before it is trained
        made.append(pickle.loads(copy))
        return made[0]

    path = "skfair_runner.baselines._fairlearn_adversarial._adversary"
    monkeypatch.setattr(path, remember)
    clf.fit(X, y, sensitive_features=groups)

    with torch.random.fork_rng():
        theirs = AdversarialFairnessClassifier(
            backend="torch",
            predictor_model=nn.Sequential(start.estimator_.net_.module_, nn.Sigmoid()),
            adversary_model=made[1],
            predictor_optimizer=lambda module: torch.optim.Adam(
                module.parameters(), lr=0.02
            ),
            adversary_optimizer=lambda module: torch.optim.Adam(
                module.parameters(), lr=0.01
            ),
            constraints=constraint,
            alpha=0.7,
            epochs=3,
            batch_size=300,
            random_state=0,
        ).fit(
            X.to_numpy(),
            (y == "hired").to_numpy().astype(int),
            sensitive_features=groups.to_numpy(),
        )

    assert clf.n_epochs_ == clf.n_iter_ == theirs.n_iter_ == 3
    expected = theirs.backendEngine_.evaluate(X.to_numpy())[:, 0]
    assert_allclose(clf.predict_proba(X)[:, 1], expected, atol=1e-4)
    drawn = theirs.predict(X.to_numpy())
    assert_array_equal(clf.predict(X), np.where(drawn == 1, "hired", "declined"))


def test_epochs_and_batches_are_those_of_the_estimator(people):
    X, y, gender = people
    clf = quick().fit(X, y, sensitive_features=gender)
    assert (clf.n_epochs_, clf.n_iter_) == (3, 18)
    assert isinstance(clf.estimator_, RunnerFairClassifier)
    assert not hasattr(clf, "history_")
    assert not clf.needs_groups_at_predict and not clf.is_randomised


def test_the_default_net_is_trained_without_an_estimator(people, monkeypatch):
    X, y, gender = people
    monkeypatch.setattr(_base, "RunnerFairClassifier", lambda constraint: plain_net())
    clf = FairlearnAdversarialClassifier(random_state=0)
    clf.fit(X, y, sensitive_features=gender)
    expected = quick().fit(X, y, sensitive_features=gender)
    assert_array_equal(clf.predict_proba(X), expected.predict_proba(X))


def test_the_learning_rate_follows_the_nets_schedule(people, monkeypatch):
    X, y, gender = people
    rates = []
    step = torch.optim.AdamW.step

    def watched(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    watched.hooked = True  # torch would run the hooks around it, too
    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    quick().fit(X, y, sensitive_features=gender)
    adversarial, rates[:] = list(rates), []
    plain_net(warmup_epochs=3, max_epochs=0, random_state=0).fit(X, y)
    assert len(adversarial) == 18
    assert_allclose(adversarial, rates)


def test_no_epoch_leaves_the_net_as_it_was_built(people):
    X, y, gender = people
    net = plain_net(warmup_epochs=0, max_epochs=0, random_state=0)
    clf = quick(net=net).fit(X, y, sensitive_features=gender)
    assert clf.n_iter_ == 0
    assert_array_equal(clf.predict_proba(X), net.fit(X, y).predict_proba(X))


def test_a_stronger_adversary_brings_scores_of_the_groups_together(people):
    X, y, gender = people
    apart = []
    for alpha in (0.0, 3.0):
        clf = quick(net=plain_net(max_epochs=40), alpha=alpha, adversary_lr=0.05)
        scores = clf.fit(X, y, sensitive_features=gender).predict_proba(X)[:, 1]
        means = pd.Series(scores, X.index).groupby(gender).mean()
        apart.append(abs(means.iloc[0] - means.iloc[1]))
    assert apart[1] < apart[0] / 2


def test_an_adversary_may_have_hidden_layers(people):
    X, y, gender = people
    layers = list(_adversary(2, (5, 3), 2))
    assert [layer.out_features for layer in layers[::2][:-1]] == [5, 3]
    assert isinstance(layers[-1], nn.Sigmoid)
    assert isinstance(_adversary(1, (), 3)[-1], nn.Linear)
    clf = quick(adversary_hidden_layer_sizes=(5,)).fit(X, y, sensitive_features=gender)
    assert len(clf.predict(X)) == 300


def test_the_seed_decides_and_global_states_stay_as_they_were(people):
    """fairlearn 0.15 seeds torch with 0 whatever it is told."""
    X, y, gender = people
    net = plain_net(random_state=0, module__dropout=0.2)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1]
    one = quick(net=net).fit(X, y, sensitive_features=gender).predict_proba(X)
    assert_array_equal(torch.get_rng_state(), torch_state)
    assert_array_equal(np.random.get_state()[1], numpy_state)
    two = quick(net=net).fit(X, y, sensitive_features=gender).predict_proba(X)
    assert_array_equal(one, two)
    other = quick(net=net, random_state=1).fit(X, y, sensitive_features=gender)
    assert np.abs(other.predict_proba(X) - one).max() > 1e-4


def test_a_module_that_emits_probabilities_gets_no_second_sigmoid(people):
    X, y, gender = people
    net = plain_net(module=nn.Sequential(nn.Linear(6, 1), nn.Sigmoid()))
    net.set_params(hidden_layer_sizes=(128, 128))
    del net._skorch_parameters["module__dropout"]
    clf = quick(net=net, alpha=0).fit(X, y, sensitive_features=gender)
    module = clf.estimator_.net_.module_
    with torch.no_grad():
        scores = module(torch.from_numpy(X.to_numpy(np.float32)))[:, 0]
    assert_allclose(clf.predict_proba(X)[:, 1], scores, atol=1e-6)
    assert not isinstance(module[0], nn.Sequential)


def test_a_pickled_classifier_decides_alike(people):
    X, y, gender = people
    clf = quick().fit(X, y, sensitive_features=gender)
    copy = pickle.loads(pickle.dumps(clf))
    assert_array_equal(copy.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize("container", [sparse.csr_matrix, np.asarray, list])
def test_x_comes_in_any_container(container, people):
    X, y, gender = people
    other = X.to_numpy().tolist() if container is list else container(X.to_numpy())
    expected = quick().fit(X.to_numpy(), y, sensitive_features=gender.to_numpy())
    clf = quick().fit(other, y.to_list(), sensitive_features=gender.to_list())
    assert_allclose(
        clf.predict_proba(other), expected.predict_proba(X.to_numpy()), atol=1e-6
    )


def test_several_sensitive_columns_are_crossed(people):
    """fairlearn's own fails on two columns."""
    X, y, gender = people
    table = pd.DataFrame({"gender": gender, "tall": X["height"] > 0})
    clf = quick("equalized_odds").fit(X, y, sensitive_features=table)
    assert clf.groups_[0] == ("female", False) and len(clf.groups_) == 4
    assert set(clf.predict(X)) <= {"declined", "hired"}


def test_pipelines_hand_the_groups_on(people, routing):
    X, y, gender = people
    clf = make_pipeline(StandardScaler(), quick())
    prefix = "" if routing else f"{clf.steps[-1][0]}__"
    clf.fit(X, y, **{f"{prefix}sensitive_features": gender})
    assert clf.predict_proba(X).shape == (300, 2)


def test_searches_find_its_parameters(people, routing):
    X, y, gender = people
    clf = SensitiveColumns(make_pipeline(StandardScaler(), quick()), "gender")
    name = f"estimator__{clf.estimator.steps[-1][0]}__alpha"
    search = GridSearchCV(clf, {name: [0.0, 1.0]}, cv=2, error_score="raise")
    search.fit(X.assign(gender=gender), y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_tensor_without_gradient_of_the_adversary_is_left_alone(people):
    """fairlearn 0.15 divides zero by zero there, and every score becomes nan."""
    X, y, gender = people
    dead = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        dead[0].bias.fill_(-1e6)
    net = RunnerFairClassifier(constraint=None, module=dead, max_epochs=2)
    clf = quick(net=net).fit(X, y, sensitive_features=gender)
    trained = clf.estimator_.net_.module_
    assert_array_equal(trained[0].weight.detach(), dead[0].weight.detach())
    assert trained[2].bias.item() != dead[2].bias.item()


def test_training_that_diverges_is_refused(people):
    X, y, gender = people
    net = plain_net(lr=1e30, optimizer="sgd")
    clf = quick(net=net, alpha=3.0)
    with pytest.raises(ValueError, match=r"training diverged, .* alpha=3\.0"):
        clf.fit(X, y, sensitive_features=gender)


def test_errors_of_torch_are_not_hidden(people):
    X, y, gender = people
    net = RunnerFairClassifier(constraint=None, module=nn.Linear(6, 1), max_epochs=1)

    class Breaks(nn.Linear):
        def forward(self, x):
            if self.training:
                raise RuntimeError("breaks in training")
            return super().forward(x)

    net.set_params(module=Breaks(6, 1))
    with pytest.raises(RuntimeError, match="breaks in training"):
        quick(net=net).fit(X, y, sensitive_features=gender)


@pytest.mark.parametrize(
    ("name", "value"),
    [("sampling", "group"), ("early_stopping", True), ("callbacks", [("a", "b")])],
)
def test_settings_that_fairlearn_does_not_follow_are_refused(name, value, people):
    X, y, gender = people
    clf = quick(net=plain_net().set_params(**{name: value}))
    with pytest.raises(ValueError, match=f"does not follow the estimator's {name}="):
        clf.fit(X, y, sensitive_features=gender)


def test_another_estimator_is_refused(people):
    X, y, gender = people
    clf = FairlearnAdversarialClassifier(LogisticRegression())
    with pytest.raises(TypeError, match="RunnerFairClassifier, not a LogisticRegres"):
        clf.fit(X, y, sensitive_features=gender)


def test_an_estimator_with_a_constraint_is_refused(people):
    X, y, gender = people
    clf = FairlearnAdversarialClassifier(RunnerFairClassifier("equalized_odds"))
    with pytest.raises(ValueError, match="constraint='equalized_odds' and would be"):
        clf.fit(X, y, sensitive_features=gender)


def test_a_constraint_that_fairlearn_does_not_have_is_refused(people):
    X, y, gender = people
    with pytest.raises(ValueError, match="Got 'true_positive_rate_parity' instead"):
        quick("true_positive_rate_parity").fit(X, y, sensitive_features=gender)


def test_a_group_without_a_label_is_refused_where_labels_are_compared(people):
    X, y, gender = people
    kept = (gender == "male") | (y == "declined")
    with pytest.raises(ValueError, match="'female' has no sample with label 'hired'"):
        quick("equalized_odds").fit(X[kept], y[kept], sensitive_features=gender[kept])


def test_features_that_are_no_numbers_are_refused(people):
    X, y, gender = people
    with pytest.raises(ValueError, match="hands the features to fairlearn .* 'gender'"):
        quick().fit(X.assign(gender=gender), y, sensitive_features=gender)
