import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler

from skfair_runner.baselines._weighted import check_takes_weights, fit_weighted
from skfair_runner.model_selection import SensitiveColumns

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = (X[:, 0] + RNG.normal(size=120) > 0).astype(int)
# Far from equal, so that a scaler that got them would scale otherwise.
WEIGHTS = np.where(X[:, 1] > 0, 5.0, 0.1)
STANDARDISED = (X - X.mean(axis=0)) / X.std(axis=0)
EXPECTED = (
    LogisticRegression().fit(STANDARDISED, Y, WEIGHTS).predict_proba(STANDARDISED)
)


def scaled(classifier=None):
    return make_pipeline(StandardScaler(), classifier or LogisticRegression())


@pytest.mark.parametrize(
    "estimator",
    [
        scaled(),
        scaled(make_pipeline("passthrough", LogisticRegression())),
        make_pipeline(
            make_column_transformer((StandardScaler(), [0, 1, 2])), LogisticRegression()
        ),
        GridSearchCV(scaled(), {"logisticregression__C": [1.0]}, cv=2),
        scaled(GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2)),
        SensitiveColumns(scaled()),
    ],
    ids=[
        "pipeline",
        "pipeline in a pipeline",
        "column transformer",
        "search around a pipeline",
        "search in a pipeline",
        "SensitiveColumns",
    ],
)
def test_the_last_step_alone_gets_the_weights(estimator, routing):
    """The scaler would take weights, too."""
    check_takes_weights(estimator, "fit")
    fitted = fit_weighted(estimator, X, Y, WEIGHTS)
    assert_allclose(fitted.predict_proba(X), EXPECTED, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: CalibratedClassifierCV(LogisticRegression(), cv=2),
        lambda: BaggingClassifier(LogisticRegression(), random_state=0),
        lambda: BaggingClassifier(random_state=0, n_estimators=3),
    ],
    ids=["calibrated", "bagging", "bagging of its default"],
)
def test_ensembles_hand_the_weights_on(make, routing):
    check_takes_weights(make(), "fit")
    weighted = fit_weighted(make(), X, Y, WEIGHTS).predict_proba(X)
    assert np.abs(weighted - make().fit(X, Y).predict_proba(X)).max() > 0.01


def test_a_transformer_that_requests_weights_gets_them():
    with config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        fitted = fit_weighted(
            make_pipeline(scaler, LogisticRegression()), X, Y, WEIGHTS
        )
    assert_allclose(fitted[0].mean_, np.average(X, axis=0, weights=WEIGHTS))


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(),
        make_pipeline(KBinsDiscretizer(), KNeighborsClassifier()),
        GridSearchCV(KNeighborsClassifier(), {}),
    ],
    ids=["estimator", "pipeline", "search"],
)
def test_an_estimator_without_weights_is_refused(estimator):
    with pytest.raises(
        TypeError, match=r"^Method.fit trains .* KNeighborsClassifier\.fit takes no"
    ):
        check_takes_weights(estimator, "Method.fit")
