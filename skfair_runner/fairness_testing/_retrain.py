"""Training again with discriminatory pairs that carry the same label."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler
from sklearn.tree import DecisionTreeClassifier

from skfair_runner._randomness import draw_seed
from skfair_runner.fairness_testing._models import BlackBox
from skfair_runner.fairness_testing._rate import measure_rates
from skfair_runner.fairness_testing._roles import complete_rows
from skfair_runner.fairness_testing._tables import to_frame
from skfair_runner.preprocessing import make_table_preprocessor

_BOX_SAMPLES = 2000
SHARES = (0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True, repr=False)
class RetrainingResult:
    """What :func:`retrain_on_discriminatory` returns.

    Attributes
    ----------
    model : estimator
        The chosen model: the one that was handed in where none was better.

    table : DataFrame
        One row per model, "before" first, on the held-out rows: added (rows), accuracy,
        data_rate and box_rate (discrimination rates), admissible (not worse than
        before) and chosen.

    improved : bool
        Whether another model than the one handed in was chosen.
    """

    model: object
    table: pd.DataFrame
    improved: bool

    def __repr__(self) -> str:
        return self.table.to_string()


def retrain_on_discriminatory(
    model,
    X,
    y,
    result,
    *,
    evaluation=None,
    validation_fraction=0.25,
    shares=SHARES,
    voters=None,
    accuracy_tolerance=0.01,
    groups_keyword=None,
    refit=False,
    random_state=None,
):
    """Train again with found pairs added, and keep the best model.

    Both rows of a pair are added with one label: the majority vote of an ensemble that
    was trained without the sensitive columns. Several shares of the pairs are tried.

    Parameters
    ----------
    model : estimator
        A fitted classifier or pipeline that takes X; it is cloned, not changed.

    X : DataFrame or array-like of shape (n_samples, n_columns)
        Training rows, sensitive columns included.

    y : array-like of shape (n_samples,)
        Labels.

    result : SearchResult
        Of a search on `model`.

    evaluation : tuple (X, y), default=None
        Rows that `model` was not trained on. None holds out some of X; the model it is
        compared with is then trained anew on the others.

    validation_fraction : float, default=0.25
        Share of the rows that is held out, in (0, 1).

    shares : sequence of float, default=(0.05, 0.1, 0.2, 0.4)
        Pairs to add, as shares of the training rows; at most as many as were found.

    voters : list of estimator, default=None
        The ensemble; each takes X without the sensitive columns. None: logistic
        regression, a tree, a forest, boosted trees and nearest neighbours.

    accuracy_tolerance : float, default=0.01
        How much accuracy on the held-out rows may be lost, in [0, 1].

    groups_keyword : str, default=None
        Keyword of `fit` that takes the sensitive columns, such as
        ``"sensitive_features"``, where the model needs them to train.

    refit : bool, default=False
        Whether a chosen model is trained once more, with its pairs, on the rows that
        were held out too. One that was handed in stays as it is.

    random_state : int, RandomState or None, default=None
        Seed of the split, of the pairs that are drawn and of the uniform rows.

    Returns
    -------
    result : RetrainingResult
        The model, and what all models achieved.

    Raises
    ------
    ValueError
        If `shares` is empty or holds a number that is not positive, or nothing was
        found that could be added.

    Notes
    -----
    A model is *worse* than the one before, and never chosen, if its accuracy is lower
    by more than `accuracy_tolerance`, or if either of its discrimination rates is
    higher, on the held-out rows or in the box. Of the others the one with the lowest
    rate on the rows is chosen, then with the lowest in the box, then the most accurate.

    The rates are those of the same held-out rows that chose the model, so they flatter
    a little: measure again on rows that took no part.

    References
    ----------
    .. [1] L. Zhang, Y. Zhang and M. Zhang, "Efficient white-box fairness testing
       through gradient search", ISSTA 2021, Section 5 (labels by an ensemble).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner.fairness_testing import retrain_on_discriminatory, search
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"skill": rng.integers(0, 10, 400), "sex": [0, 1] * 200})
    >>> y = (X["skill"] + 2 * X["sex"] > 5).astype(int)
    >>> model = LogisticRegression().fit(X, y)
    >>> found = search(
    ...     model, X, sensitive_features="sex", method="aequitas", n_local=20,
    ...     random_state=0,
    ... )
    >>> retrained = retrain_on_discriminatory(
    ...     model, X, y, found, voters=[LogisticRegression()], accuracy_tolerance=0.1,
    ...     random_state=0,
    ... )
    >>> rates = retrained.table["data_rate"]
    >>> bool(rates[retrained.table["chosen"]].iloc[0] <= rates["before"])
    True
    """
    _check_arguments(shares, result)
    rng = np.random.default_rng(draw_seed(random_state))
    space, as_frame = result.space, isinstance(X, pd.DataFrame)
    frame = to_frame(X, "retrain_on_discriminatory").reset_index(drop=True)
    y = np.asarray(y)
    before, everything = model, (frame, y)
    if evaluation is None:
        kept, held = train_test_split(
            np.arange(len(y)),
            test_size=validation_fraction,
            stratify=y,
            random_state=int(rng.integers(2**31)),
        )
        tests = (frame.iloc[held].reset_index(drop=True), y[held])
        frame, y = frame.iloc[kept].reset_index(drop=True), y[kept]
    else:
        tests = (to_frame(evaluation[0], "evaluation"), np.asarray(evaluation[1]))
    sensitive = [space.names[k] for k in space.sensitive]
    # Only as many pairs as the largest share takes are labelled, which takes long.
    order = rng.permutation(result.found)[: max(1, round(max(shares) * len(y)))]
    pairs = [side.iloc[order] for side in _pair_frames(result, space)]
    labels = vote(frame, y, pairs[0], sensitive, voters)

    def fitted(rows, targets):
        keywords = {}
        if groups_keyword is not None:
            groups = rows[sensitive]
            groups = groups if len(sensitive) > 1 else groups[sensitive[0]]
            keywords[groups_keyword] = groups
        rows = rows if as_frame else rows.to_numpy()
        return clone(model).fit(rows, targets, **keywords)

    def augmented(rows, targets, n_added):
        added = [side[:n_added] for side in pairs]
        both = pd.concat([rows, *added], ignore_index=True).astype(dict(rows.dtypes))
        return fitted(
            both, np.concatenate([targets, labels[:n_added], labels[:n_added]])
        )

    if evaluation is None:
        before = fitted(frame, y)
    seed = int(rng.integers(2**31))
    models = {"before": (model, 0, _measure(before, tests, space, as_frame, seed))}
    for share in shares:
        n_added = min(max(1, round(share * len(y))), len(labels))
        candidate = augmented(frame, y, n_added)
        measured = _measure(candidate, tests, space, as_frame, seed)
        models[f"with {n_added} pairs"] = (candidate, 2 * n_added, measured)
    chosen = _choose(models, accuracy_tolerance)
    if refit and chosen.improved and evaluation is None:
        n_added = int(chosen.table.loc[chosen.table["chosen"], "added"].iloc[0]) // 2
        return replace(chosen, model=augmented(*everything, n_added))
    return chosen


def vote(X, y, rows, sensitive, voters=None) -> np.ndarray:
    """Majority vote of classifiers that do not see the sensitive columns.

    Parameters
    ----------
    X : DataFrame of shape (n_samples, n_columns)
        Training rows.

    y : ndarray of shape (n_samples,)
        Labels.

    rows : DataFrame of shape (n_rows, n_columns)
        Rows to be labelled.

    sensitive : list of str
        Columns that are left out.

    voters : list of estimator, default=None
        Classifiers; None takes five of different kinds.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        Of equally frequent labels the first.
    """
    X, rows = X.drop(columns=sensitive), rows.drop(columns=sensitive)
    if voters is None:
        voters = [
            make_pipeline(make_table_preprocessor(sparse_output=False), *steps)
            for steps in (
                (MaxAbsScaler(), LogisticRegression(max_iter=1000)),
                (DecisionTreeClassifier(min_samples_leaf=20, random_state=0),),
                (RandomForestClassifier(50, min_samples_leaf=5, random_state=0),),
                (HistGradientBoostingClassifier(max_iter=50, random_state=0),),
                (MaxAbsScaler(), KNeighborsClassifier(15)),
            )
        ]
    classes = np.unique(y)
    counts = np.zeros((len(rows), len(classes)))
    for voter in voters:
        decided = np.asarray(clone(voter).fit(X, y).predict(rows))
        counts += decided[:, None] == classes
    return classes[counts.argmax(axis=1)]


def _check_arguments(shares, result) -> None:
    if not len(shares) or min(shares) <= 0:
        raise ValueError(
            f"shares={shares!r} adds nothing: pass positive shares of the training "
            "rows, such as (0.1, 0.2)."
        )
    if result.found == 0:
        raise ValueError(
            f"{result!r} has no pair that could be added: search with another method "
            "or a larger budget, or leave the model as it is."
        )


def _pair_frames(result, space):
    """Both rows of each pair, as DataFrames."""
    rows = (result.rows_a, result.rows_b)
    if space.as_frame:
        return rows
    return [pd.DataFrame(side, columns=space.names).infer_objects() for side in rows]


def _measure(model, tests, space, as_frame, seed) -> dict:
    """Accuracy on held-out rows, and rates on those that have all of their numbers."""
    X, y = tests
    rates = measure_rates(
        BlackBox(model, space),
        X[complete_rows(X, "retrain_on_discriminatory")],
        space,
        _BOX_SAMPLES,
        0.95,
        np.random.default_rng(seed),
    )
    decided = np.asarray(model.predict(X if as_frame else X.to_numpy()))
    return {
        "accuracy": float((decided == y).mean()),
        "data_rate": rates.loc["data", "rate"],
        "box_rate": rates.loc["box", "rate"],
    }


def _choose(models, accuracy_tolerance) -> RetrainingResult:
    """The least discriminating model that is not worse than the first."""
    table = pd.DataFrame(
        {name: {"added": n, **measured} for name, (_, n, measured) in models.items()}
    ).T
    first = table.loc["before"]
    table["admissible"] = (
        (table["accuracy"] >= first["accuracy"] - accuracy_tolerance - 1e-12)
        & (table["data_rate"] <= first["data_rate"])
        & (table["box_rate"] <= first["box_rate"])
    )
    ranked = table[table["admissible"]].assign(loss=-table["accuracy"])
    ranked = ranked.sort_values(["data_rate", "box_rate", "loss"], kind="stable")
    best = ranked.index[0]
    table["chosen"] = table.index == best
    table = table.astype({"added": int})
    return RetrainingResult(models[best][0], table, best != "before")
