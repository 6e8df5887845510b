"""What all classifiers are compared on, checked once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_consistent_length

from skfair_runner._inputs import encode_labels, favourable_code, read_samples
from skfair_runner.groups import (
    Groups,
    check_at_least_two,
    check_same_indexes,
    encode_groups,
)
from skfair_runner.utils._columns import take_rows


@dataclass(frozen=True)
class Data:
    """Features, labels and groups of all samples.

    Attributes
    ----------
    X : DataFrame, ndarray or CSR matrix of shape (n_samples, n_features), or images
        Features. Of lazy images, rows are taken without being read.

    codes : ndarray of shape (n_samples,)
        Code of each label among `classes`.

    classes : ndarray of shape (n_classes,)
        Labels, sorted.

    sensitive_features : Series, DataFrame or ndarray
        Groups, as they were passed.

    groups : Groups
        Groups, as codes.

    pos_label : label or None
        The favourable label; None compares every class with the rest.
    """

    X: Any
    codes: np.ndarray
    classes: np.ndarray
    sensitive_features: Any
    groups: Groups
    pos_label: Any

    @property
    def favourable(self) -> int | None:
        """Code of the favourable label, where there is one."""
        if self.pos_label is None:
            return None
        return self.classes.tolist().index(self.pos_label)

    def take(self, rows):
        """Features, labels and groups of some rows, for `fit` and `predict`."""
        return (
            take_rows(self.X, rows),
            self.classes[self.codes[rows]],
            take_rows(self.sensitive_features, rows),
        )

    def groups_of(self, rows) -> Groups:
        """Codes of the groups of some rows."""
        return Groups(self.groups.codes[rows], self.groups.names, self.groups.columns)


def read_data(X, y, sensitive_features, pos_label, caller):
    """Check what the user passed.

    Parameters
    ----------
    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features), or \
            images
        Features.

    y : array-like of shape (n_samples,)
        Labels.

    sensitive_features : array-like of shape (n_samples,) or (n_samples, n_columns)
        Groups.

    pos_label : label or None
        The favourable label.

    caller : str
        Who asks; begins the error messages.

    Returns
    -------
    data : Data
        Ready to be indexed by rows.

    Raises
    ------
    ValueError
        If lengths differ; if groups are missing, misaligned or fewer than two; if the
        favourable label is not known.
    """
    X, _ = read_samples(X, caller)
    X = X.tocsr() if sparse.issparse(X) else X
    check_consistent_length(X, y)
    check_same_indexes(X, caller, y=y, sensitive_features=sensitive_features)
    codes, classes = encode_labels(y)
    groups = encode_groups(sensitive_features, X, caller=caller)
    check_at_least_two(groups, caller)
    if pos_label is not None or len(classes) == 2:
        favourable = favourable_code(pos_label, classes, needed_by=caller)
        pos_label = classes.tolist()[favourable]
    if not isinstance(sensitive_features, pd.Series | pd.DataFrame):
        sensitive_features = np.asarray(sensitive_features)
    return Data(X, codes, classes, sensitive_features, groups, pos_label)
