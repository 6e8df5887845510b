"""All data sets by name."""

from ._adult import fetch_adult
from ._bank import fetch_bank
from ._biased import make_biased_classification
from ._compas import fetch_compas
from ._german import fetch_credit, fetch_german
from ._lsac import fetch_lsac

DATASETS = {
    "adult": fetch_adult,
    "compas": fetch_compas,
    "german": fetch_german,
    "credit": fetch_credit,
    "lsac": fetch_lsac,
    "bank": fetch_bank,
    "biased": make_biased_classification,
}


def load_dataset(name, *, data_home=None, **options):
    """Load a data set by its name.

    Parameters
    ----------
    name : {"adult", "compas", "german", "credit", "lsac", "bank", "biased"}
        A key of `DATASETS`. ``"biased"`` is generated, the others are read.

    data_home : str, path-like or None, default=None
        Folder of the data sets, see `get_data_home`. The generated one needs none.

    **options : dict
        Handed to the function behind the name, such as ``drop_missing=False`` for
        `fetch_adult`. ``"biased"`` is drawn with ``random_state=0`` unless another
        is given.

    Returns
    -------
    bunch : Bunch
        Entries as documented by `fetch_adult`.

    Raises
    ------
    ValueError
        If there is no data set of that name.

    See Also
    --------
    make_biased_classification : What is behind ``"biased"``.

    Examples
    --------
    >>> from skfair_runner.datasets import load_dataset
    >>> hiring = load_dataset("biased")
    >>> hiring.default_sensitive
    'gender'
    >>> hiring.target_names[hiring.favourable_label]
    'hired'
    """
    if name not in DATASETS:
        raise ValueError(f"`name` must be one of {sorted(DATASETS)}; got {name!r}.")
    if name == "biased":
        return make_biased_classification(**{"random_state": 0, **options})
    return DATASETS[name](data_home=data_home, **options)
