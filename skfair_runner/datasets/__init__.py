"""Data sets: fetchers of public ones, and a generated one with a known difference."""

from ._adult import fetch_adult
from ._bank import fetch_bank
from ._base import get_data_home
from ._biased import make_biased_classification
from ._compas import fetch_compas
from ._german import fetch_credit, fetch_german
from ._lsac import fetch_lsac
from ._registry import DATASETS, load_dataset

__all__ = [
    "DATASETS",
    "fetch_adult",
    "fetch_bank",
    "fetch_compas",
    "fetch_credit",
    "fetch_german",
    "fetch_lsac",
    "get_data_home",
    "load_dataset",
    "make_biased_classification",
]
