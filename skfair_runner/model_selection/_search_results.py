"""Tables of a search: every trial, the front, and the rows nobody chose on."""

import warnings

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from skfair_runner.metrics import METRICS, resolve_metric
from skfair_runner.metrics.bootstrap import errors_of_decisions, half_width
from skfair_runner.model_selection._halving import judge
from skfair_runner.model_selection._promotion import front_ranks
from skfair_runner.utils import ConstantClassifierWarning

# The largest value of what is no difference of two rates.
_LARGEST = {"equalized_odds_sum": 2.0}


def make_cv_results(rounds, names):
    """Results of all rungs, in the form of scikit-learn's searches.

    Parameters
    ----------
    rounds : list of Round
        All rungs.

    names : tuple of (str, str)
        Names of utility and difference.

    Returns
    -------
    results : dict of str to ndarray of shape (n_trials,) or list
        Greater is better of every score, so that differences are negated.
    """
    candidates = [params for each in rounds for params in each.candidates]
    sizes = [len(each.candidates) for each in rounds]
    results = {
        "iter": np.repeat(np.arange(len(rounds)), sizes),
        "n_resources": np.repeat([each.n_resources for each in rounds], sizes),
    }
    for name in ("fit_time", "score_time"):
        values = np.concatenate([each.values(name) for each in rounds])
        results[f"mean_{name}"] = values.mean(axis=1)
        results[f"std_{name}"] = values.std(axis=1)
    results |= _parameter_columns(candidates)
    results["params"] = candidates
    for key, name in zip(("utility", "difference"), names, strict=True):
        values = np.concatenate([each.values(key) for each in rounds])
        # Not -values: a difference of 0 shall not read -0.0.
        values = values if key == "utility" else 0.0 - values
        for fold, column in enumerate(values.T):
            results[f"split{fold}_test_{name}"] = column
        mean = results[f"mean_test_{name}"] = values.mean(axis=1)
        results[f"std_test_{name}"] = values.std(axis=1)
        last = np.nan_to_num(mean, nan=np.nanmin(mean) - 1)
        ranks = rankdata(-last, method="min").astype(np.int32)
        results[f"rank_test_{name}"] = ranks
    results["constant"] = np.concatenate([judge(each)[2] for each in rounds])
    results["front_rank"] = np.concatenate([_ranks(each) for each in rounds])
    return results


def _parameter_columns(candidates):
    """A masked array per parameter, masked where a candidate does not have it."""
    names = sorted({name for params in candidates for name in params})
    columns = {}
    for name in names:
        column = np.ma.masked_all(len(candidates), dtype=object)
        for row, params in enumerate(candidates):
            if name in params:
                column[row] = params[name]
        columns[f"param_{name}"] = column
    return columns


def _ranks(done):
    """Rank of each candidate of a rung, by fronts."""
    utility, difference, constant = judge(done)
    return front_ranks(np.where(constant, np.nan, utility), difference)


def choosable(results, names):
    """Rows among which a candidate is chosen.

    Parameters
    ----------
    results : dict
        From :func:`make_cv_results`.

    names : tuple of (str, str)
        Names of utility and difference.

    Returns
    -------
    rows : ndarray of int
        Those with all resources, without those that failed, and without constant ones
        where there are others.

    Warns
    -----
    ConstantClassifierWarning
        If all are constant.
    """
    alive = results["iter"] == results["iter"].max()
    for name in names:
        alive &= ~np.isnan(results[f"mean_test_{name}"])
    kept = alive & ~results["constant"]
    if kept.any():
        return np.flatnonzero(kept)
    warnings.warn(
        f"All {alive.sum()} candidates with all resources are constant: on a fold at "
        "least, nearly all rows get the same decision. The chosen one has a small "
        "difference for no good reason.",
        ConstantClassifierWarning,
        stacklevel=7,
    )
    return np.flatnonzero(alive)


def make_table(results, names, chosen):
    """Rows of the results as a table of measures, differences as they are.

    Parameters
    ----------
    results : dict
        From :func:`make_cv_results`.

    names : tuple of (str, str)
        Names of utility and difference.

    chosen : int
        The row that was chosen.

    Returns
    -------
    table : DataFrame
        ``iter``, ``n_resources``, the parameters, mean and standard deviation of both
        measures, ``constant``, ``on_front`` and ``chosen``.
    """
    utility, difference = names
    table = pd.DataFrame(
        {
            "iter": results["iter"],
            "n_resources": results["n_resources"],
            **{
                name: column.filled(None)
                for name, column in results.items()
                if name.startswith("param_")
            },
            f"{utility}_mean": results[f"mean_test_{utility}"],
            f"{utility}_std": results[f"std_test_{utility}"],
            f"{difference}_mean": 0.0 - results[f"mean_test_{difference}"],
            f"{difference}_std": results[f"std_test_{difference}"],
            "constant": results["constant"],
        }
    )
    failed = table[[f"{utility}_mean", f"{difference}_mean"]].isna().any(axis=1)
    is_last = table["iter"] == table["iter"].max()
    first = results["front_rank"] == 1
    table["on_front"] = is_last & first & ~table["constant"] & ~failed
    table["chosen"] = table.index == chosen
    return table


def make_report(fitted, data, measures, chosen, *, n_bootstrap, level, seed):
    """Measures of the chosen classifier on rows that nothing was chosen on.

    Parameters
    ----------
    fitted : classifier
        The chosen one.

    data : Data
        The rows.

    measures : Measures
        What is measured.

    chosen : dict of str to float
        What it was chosen by, by the name of the measure.

    n_bootstrap : int
        Resamples of the rows, stratified over label × group.

    level : float
        Of the intervals, in (0, 1).

    seed : int
        Of the resamples.

    Returns
    -------
    report : DataFrame of shape (2, 4)
        ``value``, ``low``, ``high`` and ``validation`` of utility and difference.

    Warns
    -----
    ConstantClassifierWarning
        If nearly all rows get the same decision.
    """
    X, y, groups = data.take(np.arange(len(data.codes)))
    *values, constant = measures.of(fitted, X, y, groups)
    if constant:
        warnings.warn(
            f"Nearly all of the {len(y)} rows that were set aside get the same "
            "decision, so that their difference says nothing.",
            ConstantClassifierWarning,
            stacklevel=6,
        )
    rng = np.random.default_rng(seed)
    known = _errors_of_decisions(fitted, X, data, n_bootstrap, rng)
    if not _are_known(measures, known):
        drawn = _errors_by_measuring(fitted, data, measures, values, n_bootstrap, rng)
        known = dict(zip(measures.names, drawn, strict=True)) | (
            known if _are_known(measures, known, "difference") else {}
        )
    rows = {}
    for name, value in zip(measures.names, values, strict=True):
        width = half_width(known[name][None], np.zeros(1, dtype=int), level)
        low, high = value - width, value + width
        if name in METRICS or name in ("accuracy", "balanced_accuracy"):
            low, high = max(low, 0.0), min(high, _LARGEST.get(name, 1.0))
        rows[name] = [value, low, high, chosen[name]]
    columns = ["value", "low", "high", "validation"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _are_known(measures, known, which="both"):
    """Whether errors are known in closed form, of the difference or of both."""
    utility, difference = measures.names
    metric = resolve_metric(measures.difference)
    told = METRICS.get(difference) == metric and difference in known
    return told and (which != "both" or (measures.named and utility in known))


def _errors_of_decisions(fitted, X, data, n_bootstrap, rng):
    """Errors of the measures of decisions in every resample, by name."""
    n_classes = len(data.classes)
    code_of = {label: code for code, label in enumerate(data.classes.tolist())}
    decided = np.array(
        [code_of[label] for label in np.asarray(fitted.predict(X)).tolist()]
    )
    present, groups = np.unique(data.groups.codes, return_inverse=True)
    cells = (groups * n_classes + data.codes) * n_classes + decided
    shape = (len(present), n_classes, n_classes)
    counts = np.bincount(cells, minlength=np.prod(shape)).reshape(shape)
    compared = range(n_classes) if data.favourable is None else [data.favourable]
    return errors_of_decisions(counts, list(compared), n_bootstrap, rng)


def _errors_by_measuring(fitted, data, measures, values, n_bootstrap, rng):
    """Errors of utility and difference in every resample, each measured anew."""
    cells = data.codes * data.groups.n_groups + data.groups.codes
    members = [np.flatnonzero(cells == cell) for cell in np.unique(cells)]
    errors = np.empty((2, n_bootstrap))
    for number in range(n_bootstrap):
        rows = np.concatenate([rng.choice(each, len(each)) for each in members])
        found = measures.of(fitted, *data.take(rows))
        errors[:, number] = np.subtract(found[:2], values)
    return errors
