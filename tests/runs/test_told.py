"""Warnings that are kept while fits run."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning

from skfair_runner._runs.told import category_of, recording
from skfair_runner.utils import BoundNotMetWarning


def test_warnings_are_kept_with_their_class():
    told = []
    with recording(told):
        warnings.warn("slow", ConvergenceWarning, stacklevel=1)
    assert told == [(ConvergenceWarning, "slow")]


def test_what_is_an_error_outside_is_one_inside():
    told = []
    with pytest.raises(RuntimeWarning, match="overflow"), recording(told):
        warnings.warn("overflow", RuntimeWarning, stacklevel=1)


@pytest.mark.parametrize(
    "category", [ConvergenceWarning, BoundNotMetWarning, RuntimeWarning, UserWarning]
)
def test_a_class_is_found_by_its_name(category):
    assert category_of(category.__name__) is category


def test_an_unknown_class_is_told_as_the_plainest():
    assert category_of("ResourceWarning") is UserWarning
