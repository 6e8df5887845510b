"""Adult, the census income data."""

import pandas as pd

from ._base import DataFile, read_data_file, recode
from ._bunch import make_bunch

ADULT_URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/adult.data"
ADULT_TEST_URL = (
    "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/adult.test"
)

_COLUMNS = (
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
)
_NUMERIC = frozenset(
    {
        "age",
        "fnlwgt",
        "education-num",
        "capital-gain",
        "capital-loss",
        "hours-per-week",
    }
)

ADULT_DATA = DataFile(
    dataset="adult",
    name="adult.data",
    url=ADULT_URL,
    sha256="5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    n_rows=32561,
    columns=_COLUMNS,
    numeric=_NUMERIC,
    header=False,
)
ADULT_TEST = DataFile(
    dataset="adult",
    name="adult.test",
    url=ADULT_TEST_URL,
    sha256="a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
    n_rows=16281,
    columns=_COLUMNS,
    numeric=_NUMERIC,
    header=False,
    comment="|",
)

DESCR = """
Adult (census income)
---------------------
People of the 1994 census of the United States, and whether their income is above
50,000 dollars a year.

Rows: 48,842 (32,561 of the published training file, then 16,281 of the test file);
45,222 (30,162 and 15,060) without missing values, which is the default.
Features: 14, of which 6 are numeric. `fnlwgt` is a sampling weight, not a property
of the person.
Target: 0 for an income of at most 50,000 dollars, 1 for more.
Favourable label: 1.
Sensitive features: sex (Female, Male; the default), race (five groups).
Base rates in the complete rows: .248; women .114, men .312.

Source: Becker, B. and Kohavi, R. (1996), Adult, UCI Machine Learning Repository,
https://doi.org/10.24432/C5XW20.
Terms: Creative Commons Attribution 4.0 (CC BY 4.0).
"""


def fetch_adult(
    *,
    data_home=None,
    download_if_missing=True,
    as_frame=True,
    return_X_y=False,
    drop_missing=True,
):
    """Load Adult: income above 50,000 dollars, by sex and race.

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
        in the Bunch alone; a sensitive column such as ``sex`` is also in `data`.

    drop_missing : bool, default=True
        Whether rows with a missing value are left out.

    Returns
    -------
    bunch : Bunch
        With the entries

        data : DataFrame or ndarray of shape (n_samples, n_features)
            Features, sensitive ones included; leave `sensitive_columns` out to
            train without them. Text columns are categories; in the array they
            are codes, indexes into `categories`, and missing values NaN.
        target : Series or ndarray of shape (n_samples,)
            Labels 0 and 1.
        sensitive_features : DataFrame or ndarray of shape (n_samples, n_sensitive)
            Names of each sample's groups, on the index of `data`.
        feature_names, sensitive_names : list of str
            Columns of `data` and of `sensitive_features`.
        target_names : list of str
            What the labels 0 and 1 mean.
        favourable_label : {0, 1}
            The label that is better to receive.
        default_sensitive : str
            Column of `sensitive_features` to use where none is named.
        sensitive_columns : dict of str to list of str
            For each column of `sensitive_features`, the columns of `data` that
            it was read from.
        categories : dict of str to list
            Categories of each text column of `data`.
        DESCR : str
            Source, terms, contents.

    Raises
    ------
    FileNotFoundError
        If a file is absent and `download_if_missing` is False.

    OSError
        If a download fails or has a wrong checksum.

    ValueError
        If a file is not the published one.

    Notes
    -----
    The training and the test file follow one another. Labels of the latter end in
    a dot, which is taken off.

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_adult
    >>> adult = fetch_adult()  # doctest: +SKIP
    >>> X, y = adult.data.drop(columns="sex"), adult.target  # doctest: +SKIP
    >>> groups = adult.sensitive_features["sex"]  # doctest: +SKIP
    """
    parts = [
        read_data_file(
            file, data_home=data_home, download_if_missing=download_if_missing
        )
        for file in (ADULT_DATA, ADULT_TEST)
    ]
    frame = pd.concat(parts, ignore_index=True)
    if drop_missing:
        frame = frame.dropna(ignore_index=True)
    labels = frame.pop("income").str.rstrip(".")
    return make_bunch(
        frame,
        recode(labels, {"<=50K": 0, ">50K": 1}, dataset="adult"),
        frame[["sex", "race"]],
        target_names=["<=50K", ">50K"],
        favourable_label=1,
        default_sensitive="sex",
        sensitive_columns={"sex": ["sex"], "race": ["race"]},
        descr=DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )
