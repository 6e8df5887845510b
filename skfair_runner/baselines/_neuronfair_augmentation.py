"""Training again with pairs that NeuronFair found (Zheng et al., ICSE 2022)."""

import warnings
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.fairness_testing import (
    NeuronFair,
    Space,
    retrain_on_discriminatory,
)
from skfair_runner.fairness_testing._retrain import SHARES
from skfair_runner.fairness_testing._roles import complete_rows
from skfair_runner.fairness_testing._tables import to_frame
from skfair_runner.utils import Interval, SkfairRunnerWarning, fit_context
from skfair_runner.utils._columns import column_positions


class NeuronFairAugmentationClassifier(TrainsOneEstimator):
    """Net trained again with pairs of rows that it decided differently.

    After plain training, NeuronFair [1]_ searches for pairs of rows that are alike but
    for the sensitive columns, and that the net decides differently. Both rows of a pair
    get one label, the majority vote of classifiers that do not see these columns [2]_;
    they are added to the training rows, and the net is trained anew.

    **It is about individual discrimination, so the sensitive columns are features.** A
    net that never gets them decides both rows of every pair alike, and there is nothing
    to add. Predictions need these columns in X, though no `sensitive_features`. The
    difference between groups is not part of the method, and may shrink or grow.

    Parameters
    ----------
    estimator : RunnerFairClassifier, Pipeline or None, default=None
        With ``constraint=None``, or a pipeline that ends in such a net and prepares
        columns one by one, as :func:`~skfair_runner.make_table_preprocessor` does. None
        is ``RunnerFairClassifier(constraint=None)``. This classifier gets the table as
        it is: it stands around the pipeline, not at its end.

    sensitive_columns : str, int or list of str and int, default=None
        Columns of X whose values are exchanged, by name or position. Required; `fit`
        refuses None.

    budget : int or None, default=20000
        Number of distinct instances that the search may try; None sets no limit.

    n_local : int, default=100
        Number of steps from each pair that the search begins with.

    shares : sequence of float, default=(0.05, 0.1, 0.2, 0.4)
        Pairs to add, as shares of the training rows; each is tried.

    accuracy_tolerance : float, default=0.01
        How much accuracy on held-out rows may be lost, in [0, 1].

    validation_fraction : float, default=0.25
        Share of the rows that is held out to choose among the shares, in (0, 1).

    voters : list of estimator or None, default=None
        Who votes on labels; each takes X without the sensitive columns. None is five
        classifiers of different kinds, see
        :func:`~skfair_runner.fairness_testing.retrain_on_discriminatory`.

    pos_label : label or None, default=None
        The favourable label, which ``favourable_`` tells; training treats all labels
        alike.

    random_state : int, RandomState or None, default=None
        Seed of the search, of the held-out rows, and of `estimator` where its own is
        None. None takes fresh entropy in `fit`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.

    groups_ : list
        Names of the groups, tuples where several columns are crossed. Absent where
        `fit` got no groups.

    estimator_ : estimator
        The fitted net or pipeline: trained on all rows and the pairs of the share that
        was chosen, or plainly where none was.

    n_found_ : int
        Number of pairs that the search found.

    n_pairs_ : int
        Number of pairs in the training of ``estimator_``; 0 for the plain net.

    retraining_ : DataFrame
        One row per net that was compared on held-out rows, "before" first: added
        (rows), accuracy, data_rate and box_rate (discrimination rates), admissible and
        chosen. Empty where nothing was found.

    favourable_ : int
        Position of the favourable label in ``classes_``; the last where it is not told.

    seed_ : int
        The seed that was used.

    n_features_in_ : int
        Number of columns.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where X had string column names.

    See Also
    --------
    skfair_runner.fairness_testing.retrain_on_discriminatory : The same with pairs of
        any search.
    skfair_runner.fairness_testing.IndividualDiscrimination : Measures what it reduces.

    Notes
    -----
    The share is chosen on held-out rows: of those that lose no more accuracy than
    `accuracy_tolerance`, and raise neither discrimination rate, the one with the lowest
    rate on the rows. Where there is none, the plain net stays, with a warning. The
    vote, the shares and this choice are this package's, after [2]_; with the search,
    the votes and one training for each share it takes several times as long as plain
    training.

    Rows that lack a number take no part in the search, and do in the training.

    References
    ----------
    .. [1] H. Zheng, Z. Chen, T. Du, X. Zhang, Y. Cheng, S. Ji, J. Wang, Y. Yu, J. Chen,
       "NeuronFair: interpretable white-box fairness testing through biased neuron
       identification", ICSE 2022, arXiv:2112.13214.

    .. [2] L. Zhang, Y. Zhang, M. Zhang, "Efficient white-box fairness testing through
       gradient search", ISSTA 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skfair_runner import RunnerFairClassifier
    >>> from skfair_runner.baselines import NeuronFairAugmentationClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.integers(0, 20, (600, 2)), columns=["skill", "effort"])
    >>> X["sex"] = [0, 1] * 300
    >>> y = (X["skill"] + X["effort"] + 6 * X["sex"] > 22).astype(int)
    >>> net = RunnerFairClassifier(
    ...     constraint=None, warmup_epochs=5, max_epochs=5, batch_size=30, lr=0.02,
    ...     hidden_layer_sizes=(12,),
    ... )
    >>> clf = NeuronFairAugmentationClassifier(
    ...     net, sensitive_columns="sex", budget=1000, n_local=20, shares=[0.2],
    ...     voters=[LogisticRegression()], accuracy_tolerance=0.1, random_state=0,
    ... ).fit(X, y)
    >>> rates = clf.retraining_["data_rate"]
    >>> bool(rates[clf.retraining_["chosen"]].iloc[0] < rates["before"])
    True
    """

    _needs_groups = False
    _needs_columns = "exchanges the values of sensitive columns"

    _parameter_constraints: dict = {
        **TrainsOneEstimator._parameter_constraints,
        "sensitive_columns": [str, Integral, list, None],
        "budget": [Interval(Integral, 1, None, closed="left"), None],
        "n_local": [Interval(Integral, 1, None, closed="left")],
        "shares": ["array-like"],
        "accuracy_tolerance": [Interval(Real, 0, 1, closed="both")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "voters": [list, None],
    }

    def __init__(
        self,
        estimator=None,
        *,
        sensitive_columns=None,
        budget=20_000,
        n_local=100,
        shares=SHARES,
        accuracy_tolerance=0.01,
        validation_fraction=0.25,
        voters=None,
        pos_label=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.sensitive_columns = sensitive_columns
        self.budget = budget
        self.n_local = n_local
        self.shares = shares
        self.accuracy_tolerance = accuracy_tolerance
        self.validation_fraction = validation_fraction
        self.voters = voters
        self.pos_label = pos_label
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, *, sensitive_features=None):
        """Train plainly, search for pairs, and train again with them.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_samples, n_features)
            The table, sensitive columns included.

        y : array-like of shape (n_samples,)
            Two or more labels.

        sensitive_features : array-like of shape (n_samples,) or \
                (n_samples, n_columns), default=None
            The group of each sample. Checked where given, and not used: what is
            exchanged are columns of X.

        Returns
        -------
        self : NeuronFairAugmentationClassifier
            Fitted.

        Raises
        ------
        TypeError
            If `estimator` does not end in a RunnerFairClassifier; if X is sparse.

        ValueError
            If `sensitive_columns` names nothing, or no column of X; if there is no
            other column; if the net has a constraint; if the pipeline mixes columns; if
            there is one label only; if groups are misaligned or partly missing.

        Warns
        -----
        SkfairRunnerWarning
            Where no pairs are added, and why.
        """
        X, y, _ = self._read(X, y, sensitive_features)
        self._check_net()
        space, known = self._box(X)
        plain = self._base_estimator().fit(X, y)
        search = NeuronFair(
            n_local=self.n_local, budget=self.budget, random_state=self.seed_
        )
        found = search.search(plain, known, space=space)
        self.n_found_ = found.found
        self._augment(plain, X, y, found)
        return self

    def _augment(self, plain, X, y, found):
        """Choose the share of pairs, and keep the net that was trained with it."""
        self.estimator_, self.n_pairs_ = plain, 0
        self.retraining_ = pd.DataFrame()
        sensitive = " and ".join(map(repr, self._sensitive_names(found.space)))
        if not found.found:
            self._warn(
                f"NeuronFair tried {found.tried} instances and found none whose "
                f"decision changes with {sensitive} alone"
            )
            return
        retrained = retrain_on_discriminatory(
            plain,
            X,
            y,
            found,
            validation_fraction=self.validation_fraction,
            shares=self.shares,
            voters=self.voters,
            accuracy_tolerance=self.accuracy_tolerance,
            refit=True,
            random_state=self.seed_,
        )
        self.estimator_, self.retraining_ = retrained.model, retrained.table
        added = self.retraining_.loc[self.retraining_["chosen"], "added"]
        self.n_pairs_ = int(added.iloc[0]) // 2
        if not retrained.improved:
            self._warn(
                f"none of shares={self.shares} lowered the discrimination rate by "
                f"{sensitive} on held-out rows at a loss of accuracy of at most "
                f"{self.accuracy_tolerance:g}"
            )

    def _sensitive_names(self, space):
        return [space.names[position] for position in space.sensitive]

    def _warn(self, reason):
        warnings.warn(
            f"{type(self).__name__}.fit: {reason}. The plain net stays as it is.",
            SkfairRunnerWarning,
            stacklevel=4,
        )

    def _check_net(self):
        """Refuse anything that does not end in a net that trains plainly."""
        caller, last = f"{type(self).__name__}.fit", self._estimator_or_net()
        while isinstance(last, Pipeline):
            last = last.steps[-1][1]
        if not isinstance(last, RunnerFairClassifier):
            raise TypeError(
                f"{caller} follows the neurons of a net, so its estimator is a "
                "RunnerFairClassifier, or a pipeline that ends in one, but this one "
                f"ends in a {type(last).__name__}: pass "
                "RunnerFairClassifier(constraint=None)."
            )
        if last.constraint is not None:
            raise ValueError(
                f"{caller} trains its estimator in its own way, but that one has "
                f"constraint={last.constraint!r} and would be repaired, too: pass "
                "RunnerFairClassifier(constraint=None)."
            )

    def _box(self, X):
        """Values of all columns, and the rows that have all of their numbers."""
        caller = f"{type(self).__name__}.fit"
        frame = to_frame(X, caller)
        if self.sensitive_columns is None:
            raise ValueError(
                f"{caller} searches for rows whose decision changes with the sensitive "
                "columns alone, so these have to be features of the net, but "
                "sensitive_columns=None. Name them, as in sensitive_columns='sex'; a "
                "net that does not get them decides both rows of every pair alike, and "
                "there is nothing to add."
            )
        positions = column_positions(frame, self.sensitive_columns, caller)
        if len(positions) == frame.shape[1]:
            raise ValueError(
                f"{caller} looks for rows that differ in the sensitive columns alone, "
                f"but X has no other column (n_features={frame.shape[1]}): pass the "
                "features that decisions are made by, too."
            )
        complete = complete_rows(X, caller)
        if not complete.any():
            raise ValueError(
                f"{caller}: each of the {len(complete)} rows of X lacks a number, so "
                "there is none to search from: fill them first."
            )
        known = X[complete] if isinstance(X, pd.DataFrame) else np.asarray(X)[complete]
        space = Space.from_data(known, sensitive_features=positions.tolist())
        return space, known

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Values are exchanged column by column.
        tags.input_tags.sparse = False
        return tags
