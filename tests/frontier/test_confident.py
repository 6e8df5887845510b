"""Points whose interval, not only whose estimate, is good enough."""

import numpy as np
import pytest

from skfair_runner.utils import SkfairRunnerWarning


def weight_of(front, **asked):
    """Weight of the point that `at` hands out, told from its module."""
    clf = front.at(**asked)
    given = clf.net_.module_.state_dict()
    for weight in front.frontier_["weight"]:
        own = front.at(weight=weight).net_.module_.state_dict()
        if all((own[name] == given[name]).all() for name in own):
            return weight
    raise AssertionError("no measured point is the one that was handed out")


def test_the_upper_end_of_the_difference_is_within_the_bound(front):
    table = front.frontier_[~front.frontier_["constant"]]
    high = table[f"{front.difference_}_high"]
    bound = float(high.sort_values().iloc[len(high) // 2])
    within = table[high <= bound]
    expected = within["weight"].iloc[np.argmax(within["accuracy_low"])]

    assert weight_of(front, difference=bound, confident=True) == expected


def test_the_lower_end_of_the_accuracy_is_enough(front):
    table = front.frontier_[~front.frontier_["constant"]]
    low = table["accuracy_low"]
    least = float(low.sort_values().iloc[len(low) // 2])
    enough = table[low >= least]
    high = enough[f"{front.difference_}_high"]

    found = weight_of(front, accuracy=least, confident=True)

    assert found == enough["weight"].iloc[np.argmin(high)]


def test_confidence_never_takes_a_larger_difference(front):
    known = front.frontier_.set_index("weight")[front.difference_]
    high = front.frontier_.loc[
        ~front.frontier_["constant"], f"{front.difference_}_high"
    ]
    for bound in (float(high.min()), float(high.max())):
        sure = weight_of(front, difference=bound, confident=True)
        assert known[sure] <= bound


def test_where_no_interval_is_within_it_is_told(front):
    message = r"RunnerFrontier.at with confident=True: no point of the"
    with pytest.warns(SkfairRunnerWarning, match=message):
        front.at(difference=0.0, confident=True)
