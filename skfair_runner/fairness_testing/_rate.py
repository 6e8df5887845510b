"""How often a change of the sensitive columns alone changes the decision."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import beta

from skfair_runner._randomness import draw_seed
from skfair_runner.fairness_testing._models import BlackBox
from skfair_runner.fairness_testing._sampling import sample_box
from skfair_runner.fairness_testing._space import Space
from skfair_runner.fairness_testing._tables import to_frame


def clopper_pearson(count, n, confidence_level=0.95):
    """Exact interval of a probability, from independent draws.

    Parameters
    ----------
    count : int
        How many of them had the property.

    n : int
        Number of draws; with none the interval is [0, 1].

    confidence_level : float, default=0.95
        Probability, in (0, 1), that the interval covers the truth, at least.

    Returns
    -------
    low, high : float
        In [0, 1].

    References
    ----------
    .. [1] C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits
       illustrated in the case of the binomial", Biometrika 1934.

    Examples
    --------
    >>> low, high = clopper_pearson(0, 100)
    >>> low, round(high, 4)
    (0.0, 0.0362)
    """
    tail = (1 - confidence_level) / 2
    low = 0.0 if count == 0 else float(beta.ppf(tail, count, n - count + 1))
    high = 1.0 if count == n else float(beta.ppf(1 - tail, count + 1, n - count))
    return low, high


def discrimination_rate(
    model,
    X,
    *,
    sensitive_features=None,
    space=None,
    n_samples=2000,
    confidence_level=0.95,
    random_state=None,
):
    """Share of people whose decision depends on their sensitive columns alone.

    Each row is decided with every combination of sensitive values; it counts if the
    decisions are not all the same.

    Parameters
    ----------
    model : classifier, pipeline or torch.nn.Module
        Any fitted model with `predict`, or a network that takes numbers.

    X : DataFrame or array-like of shape (n_samples, n_columns)
        What the model is given to predict, sensitive columns included.

    sensitive_features : str, int or list of str and int, default=None
        Columns of X whose values are exchanged; needed unless `space` is given.

    space : Space, default=None
        The box, where it is not to be read off X.

    n_samples : int, default=2000
        Number of uniform rows of the box; 0 leaves the box out.

    confidence_level : float, default=0.95
        Of the Clopper-Pearson intervals, in (0, 1).

    random_state : int, RandomState or None, default=None
        Seed of the uniform rows.

    Returns
    -------
    rates : DataFrame
        Rows "data" (the rows of X, as they are) and "box" (uniform rows); columns
        discriminatory and examined (counts), rate, low and high.

    Raises
    ------
    TypeError
        If the model cannot decide.

    ValueError
        If `confidence_level` is out of range, or as :class:`Space`.

    Notes
    -----
    The two rows answer different questions: how many of these people, and how much of
    all that is possible. The interval of the data speaks of the population that X is a
    random sample of.

    For every combination the model gets the same rows in the same order. One that draws
    its decisions by lot, with a seed, so draws the same for each, and what is counted
    is the change of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skfair_runner.fairness_testing import discrimination_rate
    >>> X = pd.DataFrame({"skill": [1, 2, 3, 4] * 2, "sex": [0] * 4 + [1] * 4})
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X, [0, 0, 0, 1, 0, 0, 1, 1])
    >>> rates = discrimination_rate(tree, X, sensitive_features="sex", random_state=0)
    >>> rates.loc["data", ["discriminatory", "examined", "rate"]].tolist()
    [2.0, 8.0, 0.25]
    """
    if not 0 < confidence_level < 1:
        raise ValueError(
            f"discrimination_rate: confidence_level={confidence_level!r} is not "
            "between 0 and 1."
        )
    space = read_space(space, X, sensitive_features, "discrimination_rate")
    rng = np.random.default_rng(draw_seed(random_state))
    adapter = BlackBox(model, space)
    return measure_rates(adapter, X, space, n_samples, confidence_level, rng)


def measure_rates(model, X, space, n_samples, confidence_level, rng) -> pd.DataFrame:
    """The table of :func:`discrimination_rate`, for an adapter of a model.

    Parameters
    ----------
    model : BlackBox
        Adapter.

    X : DataFrame or array-like of shape (n_samples, n_columns)
        The data.

    space : Space
        The box.

    n_samples : int
        Number of uniform rows.

    confidence_level : float
        Of the intervals.

    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    rates : DataFrame
        Rows "data" and "box".
    """
    counts = {"data": data_answers(model, X, space)}
    if n_samples:
        drawn = space.decode(sample_box(space, n_samples, rng))
        counts["box"] = data_answers(model, drawn, space)
    rows = {}
    for name, discriminatory in counts.items():
        count, n = int(discriminatory.sum()), len(discriminatory)
        low, high = clopper_pearson(count, n, confidence_level)
        rows[name] = {
            "discriminatory": count,
            "examined": n,
            "rate": count / max(n, 1),
            "low": low,
            "high": high,
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def data_answers(model, X, space) -> np.ndarray:
    """Whether each row of the data, as it is, is discriminatory.

    Parameters
    ----------
    model : BlackBox
        Adapter.

    X : DataFrame or array-like of shape (n_samples, n_columns)
        The data; numbers are not moved to the grid.

    space : Space
        The box.

    Returns
    -------
    discriminatory : ndarray of shape (n_samples,), dtype bool
        One per row.
    """
    frame = to_frame(X, "discrimination_rate")
    names = [space.names[position] for position in space.sensitive]
    codes = np.zeros((len(space.combinations), len(space.names)), dtype=np.int64)
    codes[:, space.sensitive] = space.combinations
    decoded = {
        name: space._values(position, codes[:, position])
        for name, position in zip(names, space.sensitive, strict=True)
    }
    decisions = []
    for combination in range(len(codes)):
        take = np.full(len(frame), combination)
        changed = frame.copy()
        for name, values in decoded.items():
            changed[name] = values.take(take)
        changed = changed if space.as_frame else changed.to_numpy()
        decisions.append(model.predict(changed))
    labels = np.stack(decisions, axis=1)
    allowed = space.valid_combinations(space.encode(frame))
    first = labels[np.arange(len(frame)), allowed.argmax(axis=1)]
    return ((labels != first[:, None]) & allowed).any(axis=1)


def read_space(space, X, sensitive_features, caller):
    """The box that the user passed, or that X describes.

    Parameters
    ----------
    space : Space or None
        What the user passed.

    X : DataFrame or array-like
        The data.

    sensitive_features : str, int, list or None
        What the user passed.

    caller : str
        Who asks, for messages.

    Returns
    -------
    space : Space
        The box.

    Raises
    ------
    ValueError
        If neither, or both, say which columns are sensitive.
    """
    if (space is None) == (sensitive_features is None):
        got = "neither" if space is None else "both"
        raise ValueError(
            f"{caller} exchanges the values of sensitive columns, which "
            "sensitive_features=['sex'] or space=Space(...) name, but it got "
            f"{got}: pass one of them."
        )
    if space is not None:
        return space
    return Space.from_data(X, sensitive_features=sensitive_features)
