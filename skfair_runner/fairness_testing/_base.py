"""What all searches share: reading the arguments, the budget, the final check."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator

from skfair_runner._randomness import draw_seed
from skfair_runner.fairness_testing._ledger import BudgetSpent, Ledger
from skfair_runner.fairness_testing._models import adapt
from skfair_runner.fairness_testing._rate import measure_rates, read_space
from skfair_runner.fairness_testing._result import make_result
from skfair_runner.utils import Interval

_RATE_SAMPLES = 2000
COUNT = [Interval(Integral, 1, None, closed="left")]
BUDGET = [Interval(Integral, 1, None, closed="left"), None]
# The search from each hit needs some of the budget, too.
GLOBAL_SHARE = 0.5


class Search(BaseEstimator):
    """Base of the searches. A subclass has `budget`, `random_state` and `_run`."""

    needs_gradients = False

    def search(self, model, X, *, sensitive_features=None, space=None):
        """Look for instances whose decision changes with the sensitive columns alone.

        Parameters
        ----------
        model : classifier, pipeline or torch.nn.Module
            The fitted model. It is not changed.

        X : DataFrame or array-like of shape (n_samples, n_columns)
            What the model is given to predict, sensitive columns included. The search
            starts from these rows, and they describe the box.

        sensitive_features : str, int or list of str and int, default=None
            Columns of X whose values are exchanged; needed unless `space` is given.

        space : Space, default=None
            The box, where it is not to be read off X.

        Returns
        -------
        result : SearchResult
            Pairs, each confirmed by the model; the trace; the discrimination rate.

        Raises
        ------
        TypeError
            If the model cannot decide, or has no gradients and the search needs them.

        ValueError
            If a parameter is out of range, the columns are not described, or as
            :class:`Space`.
        """
        self._validate_params()
        caller = type(self).__name__
        space = read_space(space, X, sensitive_features, caller)
        rng = np.random.default_rng(draw_seed(self.random_state))
        adapter = adapt(
            model, space, needs_gradients=self.needs_gradients, rng=rng, caller=caller
        )
        ledger = Ledger(space, adapter, self.budget)
        notes: list[str] = []
        try:
            self._run(ledger, space.encode(X), rng, notes)
        except BudgetSpent:
            notes.append(f"The budget of {self.budget:,} instances was used up.")
        rates = measure_rates(adapter, X, space, _RATE_SAMPLES, 0.95, rng)
        return make_result(caller, ledger, adapter, rates, notes)

    def _run(self, ledger, data, rng, notes):
        """Try instances through the ledger, until done or the budget is spent."""
        raise NotImplementedError
