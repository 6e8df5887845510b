"""What may be searched, and how much each candidate may use."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.linear_model import LogisticRegression, SGDClassifier

from skfair_runner.model_selection._candidates import (
    RandomProposals,
    as_key,
    check_space,
    largest_resource,
)


def test_draws_are_those_of_the_seed():
    space = {"C": loguniform(1e-3, 1), "tol": [1, 2]}
    first, again = (RandomProposals(space, 0).ask(4) for _ in range(2))
    assert first == again and len(first) == 4
    assert RandomProposals(space, 1).ask(4) != first


def test_a_small_space_is_counted():
    proposals = RandomProposals({"C": [1, 2], "tol": [3, 4]}, 0)
    assert proposals.count(10) == 4
    assert len({as_key(each) for each in proposals.ask(4)}) == 4


def checked(space, resource="n_samples"):
    check_space(space, LogisticRegression(), resource, "Search")


def test_distributions_and_lists_will_do_and_lists_of_these():
    checked({"C": loguniform(1e-3, 1), "tol": (1, 2)}, "max_iter")
    checked([{"C": [1]}, {"tol": np.array([1, 2])}])


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ValueError, match="Search: LogisticRegression has no .* 'D'"):
        checked([{"C": [1]}, {"D": [1]}])


def test_an_unknown_resource_is_refused():
    with pytest.raises(ValueError, match="LogisticRegression, which has no 'epochs'"):
        checked({"C": [1]}, "epochs")


def test_the_resource_cannot_be_searched_for():
    with pytest.raises(ValueError, match="'max_iter' is both the resource and"):
        checked({"max_iter": [1]}, "max_iter")


@pytest.mark.parametrize("values", [1.0, "lbfgs", None])
def test_what_cannot_be_drawn_from_is_refused(values):
    with pytest.raises(TypeError, match=f"maps 'C' to {values!r}, which is neither"):
        checked({"C": values})


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="Search: .* has no values for 'C'"):
        checked({"C": []})


def largest(given, resource, estimator=None):
    return largest_resource(
        given, estimator or SGDClassifier(max_iter=40), resource, 100, "Search"
    )


def test_all_rows_or_what_the_estimator_is_set_to():
    assert largest("auto", "n_samples") == 100
    assert largest(60, "n_samples") == 60
    assert largest("auto", "max_iter") == 40
    assert largest(500, "max_iter") == 500


def test_there_are_no_more_rows_than_there_are():
    with pytest.raises(ValueError, match="max_resources=101 rows, .* trains on 100"):
        largest(101, "n_samples")


@pytest.mark.parametrize("value", ["auto", None, True, 0.5, 0])
def test_a_resource_that_is_no_number_has_to_be_said(value):
    estimator = LogisticRegression(max_iter=value)
    with pytest.raises(ValueError, match=f"'max_iter' is {value!r}: say how much"):
        largest("auto", "max_iter", estimator)
