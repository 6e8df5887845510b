"""Data sets: fetchers of public tables and images, and generated ones."""

from ._adult import fetch_adult
from ._bank import fetch_bank
from ._base import get_data_home
from ._biased import make_biased_classification
from ._celeba import fetch_celeba
from ._compas import fetch_compas
from ._digits import make_biased_digits
from ._fairface import fetch_fairface
from ._german import fetch_credit, fetch_german
from ._lsac import fetch_lsac
from ._registry import DATASETS, load_dataset

__all__ = [
    "DATASETS",
    "fetch_adult",
    "fetch_bank",
    "fetch_celeba",
    "fetch_compas",
    "fetch_credit",
    "fetch_fairface",
    "fetch_german",
    "fetch_lsac",
    "get_data_home",
    "load_dataset",
    "make_biased_classification",
    "make_biased_digits",
]
