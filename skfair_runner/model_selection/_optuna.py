"""Candidates that optuna proposes, knowing how earlier ones did."""

import copy
from contextlib import contextmanager

import numpy as np

from skfair_runner.model_selection._candidates import as_key
from skfair_runner.utils import import_optional

# Distance to 0 and 1 at which distributions without bounds are still finite.
_EDGE = 1e-6


class OptunaProposals:
    """Candidates of an optuna study with two objectives.

    Parameters
    ----------
    space : dict or list of dict
        Values or distributions by parameter. Of a list one is chosen first.

    seed : int
        Of the sampler.

    sampler : optuna sampler or None, default=None
        None is optuna's ``TPESampler``, the multi-objective tree-structured Parzen
        estimator. Another is copied.

    Raises
    ------
    ImportError
        If optuna is not installed.

    ValueError
        If a distribution has no quantiles.
    """

    # The same whatever runs side by side, so that results do not depend on that.
    batch = 5

    def __init__(self, space, seed, sampler=None):
        self._optuna = import_optional(
            "optuna", extra="optuna", purpose="sampler='optuna'"
        )
        self._spaces = [space] if isinstance(space, dict) else list(space)
        for name, values in (pair for each in self._spaces for pair in each.items()):
            if hasattr(values, "rvs") and not hasattr(values, "ppf"):
                raise ValueError(
                    f"sampler='optuna' draws from distributions by their quantiles, "
                    f"but that of {name!r} has no method ppf: pass a distribution of "
                    "scipy.stats, or a list of values."
                )
        if sampler is None:
            sampler = self._optuna.samplers.TPESampler(seed=seed)
        with _quiet(self._optuna):
            self._study = self._optuna.create_study(
                directions=["maximize", "minimize"], sampler=copy.deepcopy(sampler)
            )
        self._asked = []
        self._known = {}

    def count(self, n_candidates):
        """How many there will be at most."""
        return n_candidates

    def ask(self, n_candidates):
        """Candidates that were not proposed before, at most as many as asked for."""
        self._asked, new = [], []
        for _ in range(n_candidates):
            trial = self._study.ask()
            params = self._draw(trial)
            key = as_key(params)
            if key not in self._known:
                self._known[key] = None
                new.append(params)
            self._asked.append((trial, key))
        return new

    def tell(self, utility, difference):
        """Say how the candidates of the last ask did; NaN where one failed.

        Parameters
        ----------
        utility, difference : sequence of float
            In the order of the candidates.
        """
        values = iter(zip(utility, difference, strict=True))
        for trial, key in self._asked:
            if self._known[key] is None:
                self._known[key] = next(values)
            told = [float(value) for value in self._known[key]]
            if np.isnan(told).any():
                fail = self._optuna.trial.TrialState.FAIL
                self._study.tell(trial, state=fail)
            else:
                self._study.tell(trial, told)

    def _draw(self, trial):
        """Parameters of one trial."""
        number = 0
        if len(self._spaces) > 1:
            number = trial.suggest_categorical("space", list(range(len(self._spaces))))
        params = {}
        for name, values in sorted(self._spaces[number].items()):
            label = f"{number}/{name}"
            if hasattr(values, "ppf"):
                # In quantiles every distribution is uniform, its own scale kept.
                share = trial.suggest_float(label, _EDGE, 1 - _EDGE)
                value = values.ppf(share)
                is_whole = hasattr(getattr(values, "dist", None), "pmf")
                params[name] = int(value) if is_whole else float(value)
            else:
                places = list(range(len(values)))
                params[name] = values[trial.suggest_categorical(label, places)]
        return params


@contextmanager
def _quiet(optuna):
    """Keep optuna from telling that a study was made."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
