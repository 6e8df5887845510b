"""German credit, and Credit, the balanced part of it used in neuron-level repair."""

import numpy as np

from ._base import DataFile, read_data_file, recode
from ._bunch import make_bunch

GERMAN_URL = (
    "https://archive.ics.uci.edu/ml/machine-learning-databases/statlog/german/"
    "german.data"
)
CREDIT_URL = (
    "https://raw.githubusercontent.com/pxzhang94/ADF/master/datasets/credit_sample"
)

# Attribute 9, personal status and sex, is the ninth and read as sex alone.
_FEATURES = (
    "checking_status",
    "duration",
    "credit_history",
    "purpose",
    "credit_amount",
    "savings_status",
    "employment",
    "installment_rate",
    "sex",
    "other_parties",
    "residence_since",
    "property",
    "age",
    "other_payment_plans",
    "housing",
    "existing_credits",
    "job",
    "num_dependents",
    "telephone",
    "foreign_worker",
)
_NUMERIC = frozenset(
    {
        "duration",
        "credit_amount",
        "installment_rate",
        "residence_since",
        "age",
        "existing_credits",
        "num_dependents",
    }
)
_SEX_OF_STATUS = {
    "A91": "male",
    "A92": "female",
    "A93": "male",
    "A94": "male",
    "A95": "female",
}

GERMAN_FILE = DataFile(
    dataset="german",
    name="german.data",
    url=GERMAN_URL,
    sha256="b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",
    n_rows=1000,
    columns=(*_FEATURES, "good_credit"),
    numeric=_NUMERIC | {"good_credit"},
    header=False,
    sep=" ",
)

_LETTERS = tuple("abcdefghijklmnopqrstu")
CREDIT_FILE = DataFile(
    dataset="credit",
    name="credit_sample",
    url=CREDIT_URL,
    sha256="93c2dd4d65375235b8cf7fae592d84eef2bf29a730b15b50c5581b420b301ab2",
    n_rows=600,
    columns=_LETTERS,
    numeric=frozenset(_LETTERS),
)

GERMAN_DESCR = """
German credit
-------------
Applicants for a loan at a German bank in the seventies, and whether the loan was
judged a good risk.

Rows: 1,000.
Features: 20, of which 7 are numeric. Categories keep the published codes (A11, ...),
explained at the source. Attribute 9 joins sex and personal status, and no code is
shared by women and men, so it is read as `sex` alone.
Target: 1 for a good risk (published as 1), 0 for a bad one (published as 2).
Favourable label: 1.
Sensitive features: sex (female, male; the default), age_group (up to 25, over 25).
Base rates: .700; women .648, men .723.

Source: Hofmann, H. (1994), Statlog (German credit data), UCI Machine Learning
Repository, https://doi.org/10.24432/C5NC77.
Terms: Creative Commons Attribution 4.0 (CC BY 4.0).
"""

CREDIT_DESCR = """
Credit (600 rows of German credit)
----------------------------------
A part of German credit with as many good as bad risks, coded as integers, as used by
ADF, FairNeuron and RUNNER.

Rows: 600, 300 of each label.
Features: 20, of which 7 are numeric; those of `fetch_german`, with `credit_amount` in
hundreds of marks and `age` in decades, both rounded down. Categories are the
published codes counted from zero (A11 is 0, A12 is 1; for `purpose` A410 is 10).
Target: 1 for a good risk, 0 for a bad one.
Favourable label: 1.
Sensitive features: sex (female, male; the default), age_group (under 30, 30 or over).
The balance was made by choosing rows, so base rates are those of no population.

Source: Zhang, P. et al. (2020), White-box fairness testing through adversarial
sampling (ADF), ICSE, https://github.com/pxzhang94/ADF; derived from Hofmann, H.
(1994), Statlog (German credit data), UCI Machine Learning Repository,
https://doi.org/10.24432/C5NC77.
Terms: Creative Commons Attribution 4.0 (CC BY 4.0), those of German credit.
"""


def fetch_german(
    *, data_home=None, download_if_missing=True, as_frame=True, return_X_y=False
):
    """Load German credit: good and bad risks, by sex and age.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that holds one folder for each data set. None reads the environment
        variable ``SKFAIR_RUNNER_DATA``, then takes ``~/skfair_runner_data``.
        Files already there, plain or ``.gz``, are read as they are.

    download_if_missing : bool, default=True
        Whether an absent file is downloaded, which needs pooch.

    as_frame : bool, default=True
        Whether pandas objects or numpy arrays are returned.

    return_X_y : bool, default=False
        Whether ``(data, target)`` is returned instead of a Bunch. The groups are
        in the Bunch alone; ``sex`` is also in `data`.

    Returns
    -------
    bunch : Bunch
        Entries as documented by `fetch_adult`.

    Raises
    ------
    FileNotFoundError
        If the file is absent and `download_if_missing` is False.

    OSError
        If the download fails or has a wrong checksum.

    ValueError
        If the file is not the published one.

    See Also
    --------
    fetch_adult : Documents the entries of the Bunch.
    fetch_credit : A balanced part of this table.

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_german
    >>> german = fetch_german()  # doctest: +SKIP
    """
    frame = read_data_file(
        GERMAN_FILE, data_home=data_home, download_if_missing=download_if_missing
    )
    frame["sex"] = recode(frame["sex"], _SEX_OF_STATUS, dataset="german")
    target = recode(frame.pop("good_credit"), {2: 0, 1: 1}, dataset="german")
    age_group = np.where(frame["age"] > 25, "over 25", "up to 25")
    return _make_credit_bunch(
        frame,
        target,
        age_group,
        descr=GERMAN_DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )


def fetch_credit(
    *, data_home=None, download_if_missing=True, as_frame=True, return_X_y=False
):
    """Load Credit: 600 balanced rows of German credit, by sex and age.

    Parameters
    ----------
    data_home : str, path-like or None, default=None
        Folder that holds one folder for each data set. None reads the environment
        variable ``SKFAIR_RUNNER_DATA``, then takes ``~/skfair_runner_data``.
        Files already there, plain or ``.gz``, are read as they are.

    download_if_missing : bool, default=True
        Whether an absent file is downloaded, which needs pooch.

    as_frame : bool, default=True
        Whether pandas objects or numpy arrays are returned.

    return_X_y : bool, default=False
        Whether ``(data, target)`` is returned instead of a Bunch. The groups are
        in the Bunch alone; ``sex`` is also in `data`.

    Returns
    -------
    bunch : Bunch
        Entries as documented by `fetch_adult`.

    Raises
    ------
    FileNotFoundError
        If the file is absent and `download_if_missing` is False.

    OSError
        If the download fails or has a wrong checksum.

    ValueError
        If the file is not the published one.

    See Also
    --------
    fetch_adult : Documents the entries of the Bunch.
    fetch_german : The table that these rows come from.

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_credit
    >>> credit = fetch_credit()  # doctest: +SKIP
    """
    frame = read_data_file(
        CREDIT_FILE, data_home=data_home, download_if_missing=download_if_missing
    )
    frame.columns = [*_FEATURES, "good_credit"]
    frame["sex"] = recode(frame["sex"], {0: "male", 1: "female"}, dataset="credit")
    target = recode(frame.pop("good_credit"), {0: 0, 1: 1}, dataset="credit")
    codes = [name for name in _FEATURES if name not in _NUMERIC]
    age_group = np.where(frame["age"] >= 3, "30 or over", "under 30")
    return _make_credit_bunch(
        frame.astype(dict.fromkeys(codes, "category")),
        target,
        age_group,
        descr=CREDIT_DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )


def _make_credit_bunch(data, target, age_group, **options):
    sensitive_features = data[["sex"]].astype(str).assign(age_group=age_group)
    return make_bunch(
        data,
        target,
        sensitive_features,
        target_names=["bad risk", "good risk"],
        favourable_label=1,
        default_sensitive="sex",
        sensitive_columns={"sex": ["sex"], "age_group": ["age"]},
        **options,
    )
