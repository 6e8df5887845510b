"""Discrimination rates as a measure of fitted classifiers, for comparisons."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from skfair_runner.fairness_testing._rate import discrimination_rate, read_space
from skfair_runner.fairness_testing._roles import complete_rows
from skfair_runner.fairness_testing._tables import to_frame
from skfair_runner.model_selection._routing import needs_groups_at_predict


class IndividualDiscrimination(BaseEstimator):
    """How often a classifier's decision changes with sensitive columns alone.

    A model metric for :func:`~skfair_runner.compare_classifiers`: called with a fitted
    classifier and rows, it returns the rates of :func:`discrimination_rate`.

    Parameters
    ----------
    sensitive_columns : str, int or list of str and int, default=None
        Columns of X whose values are exchanged; needed unless `space` is given.

    space : Space, default=None
        The box, where it is not to be read off X.

    n_samples : int, default=2000
        Number of uniform rows of the box; 0 leaves the box out.

    random_state : int or None, default=0
        Seed of these rows. With a number they are the same for every classifier that is
        compared.

    Notes
    -----
    Whole classifiers are asked, in the user's own columns: in a pipeline the column
    goes through all of its steps.

    **A classifier that does not get the columns has rate 0**, whatever it does to
    groups through other columns. One that needs groups to predict gets exchanged groups
    too, where each of its sensitive features is a column of X.

    Rows that lack a number are left out, since a missing number has no place in the
    box.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skfair_runner.fairness_testing import IndividualDiscrimination
    >>> X = pd.DataFrame({"skill": [1, 2, 3, 4] * 2, "sex": [0] * 4 + [1] * 4})
    >>> tree = DecisionTreeClassifier(random_state=0).fit(X, [0, 0, 0, 1, 0, 0, 1, 1])
    >>> IndividualDiscrimination("sex", n_samples=0)(tree, X)
    {'data': 0.25}
    """

    name = "individual_discrimination"
    greater_is_better = False
    meanings: ClassVar = {
        "data": "Share of the held-out people who would be decided otherwise if only "
        "the sensitive columns were different.",
        "box": "The same share of all combinations of values, drawn uniformly; most of "
        "them look like nobody.",
    }

    def __init__(
        self, sensitive_columns=None, *, space=None, n_samples=2000, random_state=0
    ):
        self.sensitive_columns = sensitive_columns
        self.space = space
        self.n_samples = n_samples
        self.random_state = random_state

    @property
    def about_zero(self):
        """What a rate of 0 says, and what it does not."""
        columns = self.sensitive_columns
        if self.space is not None:
            columns = [self.space.names[position] for position in self.space.sensitive]
        columns = columns if isinstance(columns, list | tuple) else [columns]
        return (
            f"no decision changed with {' and '.join(map(str, columns))} alone. So it "
            "is for every classifier that does not get the column, and it says nothing "
            "about differences between groups through other columns."
        )

    def prepare(self, X):
        """Read the box off all rows, so that it is one and the same for every fold.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_columns)
            Everything that is compared on.

        Returns
        -------
        metric : IndividualDiscrimination
            With its `space`.

        Raises
        ------
        TypeError
            If X is no table.

        ValueError
            If a column is unknown, no row has all of its numbers, or as
            :class:`Space`.
        """
        known = _complete(X, type(self).__name__)
        space = read_space(
            self.space, known, self.sensitive_columns, type(self).__name__
        )
        return clone(self).set_params(space=space, sensitive_columns=None)

    def __call__(self, classifier, X, *, sensitive_features=None):
        """Rates of a fitted classifier.

        Parameters
        ----------
        classifier : classifier or pipeline
            Fitted.

        X : DataFrame or array-like of shape (n_samples, n_columns)
            Rows to ask about.

        sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
            Their groups; looked at only for a classifier that needs them to predict.

        Returns
        -------
        rates : dict of str to float
            "data", the share of these rows, and "box", the share of uniform rows, whose
            decision depends on the sensitive columns.

        Raises
        ------
        ValueError
            If no row has all of its numbers; if the classifier needs groups to predict
            that are no columns of X; or as :func:`discrimination_rate`.
        """
        caller = type(self).__name__
        known = _complete(X, caller)
        space = read_space(self.space, known, self.sensitive_columns, caller)
        if needs_groups_at_predict(classifier):
            classifier = _ReadsGroups(classifier, X, sensitive_features, caller)
        rates = discrimination_rate(
            classifier,
            known,
            space=space,
            n_samples=self.n_samples,
            random_state=self.random_state,
        )
        return rates["rate"].to_dict()


class _ReadsGroups(ClassifierMixin, BaseEstimator):
    """A classifier that decides by group, with the groups read from columns of X."""

    def __init__(self, classifier, X, sensitive_features, caller):
        self.classifier = classifier
        frame = to_frame(X, caller).reset_index(drop=True)
        groups = pd.DataFrame(sensitive_features).reset_index(drop=True)
        self.positions = []
        for name, values in groups.items():
            found = [
                position
                for position, column in enumerate(frame.columns)
                if _same(frame.iloc[:, position], values)
                and (column == name or name not in frame.columns)
            ]
            if not found:
                raise ValueError(
                    f"{caller}: {type(classifier).__name__} decides by the sensitive "
                    f"feature {name!r}, which is no column of X, so nothing says what "
                    "an exchanged row would be told: keep it as a column of X."
                )
            self.positions.append(found[0])

    def predict(self, X):
        """Decisions, with the groups that the rows have now."""
        columns = self.positions if len(self.positions) > 1 else self.positions[0]
        groups = X.iloc[:, columns] if hasattr(X, "iloc") else X[:, columns]
        return self.classifier.predict(X, sensitive_features=groups)


def _same(column, values) -> bool:
    """Whether two columns have the same values, missing ones included."""
    column, values = column.astype(object), values.astype(object)
    return bool(((column == values) | (column.isna() & values.isna())).all())


def _complete(X, caller):
    """Rows of X that have all of their numbers, in the container they came in."""
    rows = complete_rows(X, caller)
    if not rows.any():
        raise ValueError(
            f"{caller}: each of the {len(rows)} rows of X lacks a number, which then "
            "has no place in the box: fill them first."
        )
    return X[rows] if isinstance(X, pd.DataFrame) else np.asarray(X)[rows]
