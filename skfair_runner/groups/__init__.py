"""Sensitive features turned into integer group codes, and checks on the groups."""

from skfair_runner.groups.checks import (
    cell_counts,
    check_at_least_two,
    check_no_empty_cell,
)
from skfair_runner.groups.encoding import Groups, encode_groups
from skfair_runner.groups.reading import check_same_index, check_same_indexes

__all__ = [
    "Groups",
    "cell_counts",
    "check_at_least_two",
    "check_no_empty_cell",
    "check_same_index",
    "check_same_indexes",
    "encode_groups",
]
