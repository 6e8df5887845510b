"""Search for people whom a model treats differently only because of who they are."""

from skfair_runner.fairness_testing._adf import ADF
from skfair_runner.fairness_testing._aequitas import Aequitas
from skfair_runner.fairness_testing._columns import Categories, Floats, Integers
from skfair_runner.fairness_testing._display import SearchDisplay
from skfair_runner.fairness_testing._eidig import EIDIG
from skfair_runner.fairness_testing._individual import IndividualDiscrimination
from skfair_runner.fairness_testing._mlcheck import MLCheck
from skfair_runner.fairness_testing._neuronfair import NeuronFair
from skfair_runner.fairness_testing._rate import discrimination_rate
from skfair_runner.fairness_testing._result import SearchResult
from skfair_runner.fairness_testing._retrain import (
    RetrainingResult,
    retrain_on_discriminatory,
)
from skfair_runner.fairness_testing._sampling import all_instances
from skfair_runner.fairness_testing._search import search
from skfair_runner.fairness_testing._space import Space

__all__ = [
    "ADF",
    "EIDIG",
    "Aequitas",
    "Categories",
    "Floats",
    "IndividualDiscrimination",
    "Integers",
    "MLCheck",
    "NeuronFair",
    "RetrainingResult",
    "SearchDisplay",
    "SearchResult",
    "Space",
    "all_instances",
    "discrimination_rate",
    "retrain_on_discriminatory",
    "search",
]
