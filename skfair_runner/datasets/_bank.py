"""Bank marketing, the term deposits of a Portuguese bank."""

import numpy as np

from ._base import DataFile, read_data_file, recode
from ._bunch import make_bunch

BANK_URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/00222/bank.zip"

BANK_FILE = DataFile(
    dataset="bank",
    name="bank-full.csv",
    url=BANK_URL,
    sha256="d1513ec63b385506f7cfce9f2c5caa9fe99e7ba4e8c3fa264b3aaf0f849ed32d",
    n_rows=45211,
    columns=(
        "age",
        "job",
        "marital",
        "education",
        "default",
        "balance",
        "housing",
        "loan",
        "contact",
        "day",
        "month",
        "duration",
        "campaign",
        "pdays",
        "previous",
        "poutcome",
        "y",
    ),
    numeric=frozenset(
        {"age", "balance", "day", "duration", "campaign", "pdays", "previous"}
    ),
    sep=";",
)

DESCR = """
Bank marketing
--------------
Clients of a Portuguese bank who were called between 2008 and 2010, and whether they
subscribed a term deposit.

Rows: 45,211.
Features: 15, of which 6 are numeric. The length of the call, `duration`, is left out
by default: it is known only once the outcome is.
Target: 1 if the client subscribed, 0 otherwise.
Favourable label: 1.
Sensitive features: age_group (25 to 60 years, both included, against the rest; the
default, as in Le Quy et al. 2022), marital (divorced, married, single).
Base rates: .117; 25 to 60 years .106, the rest .355.

Source: Moro, S., Rita, P. and Cortez, P. (2014), Bank marketing, UCI Machine Learning
Repository, https://doi.org/10.24432/C5K306.
Terms: Creative Commons Attribution 4.0 (CC BY 4.0).
"""


def fetch_bank(
    *,
    data_home=None,
    download_if_missing=True,
    as_frame=True,
    return_X_y=False,
    include_duration=False,
):
    """Load Bank marketing: term deposits, by age and marital status.

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
        in the Bunch alone; ``marital`` is also in `data`, and so is ``age``, from
        which the age group is read.

    include_duration : bool, default=False
        Whether the length of the call is among the features. It is known only
        after the outcome; many published figures include it.

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

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_bank
    >>> bank = fetch_bank()  # doctest: +SKIP
    >>> X = bank.data.drop(columns=bank.sensitive_columns["age_group"])
    ... # doctest: +SKIP
    """
    frame = read_data_file(
        BANK_FILE, data_home=data_home, download_if_missing=download_if_missing
    )
    target = recode(frame.pop("y"), {"no": 0, "yes": 1}, dataset="bank")
    if not include_duration:
        frame = frame.drop(columns="duration")
    working_age = frame["age"].between(25, 60)
    age_group = np.where(working_age, "25 to 60", "under 25 or over 60")
    return make_bunch(
        frame,
        target.rename("subscribed"),
        frame[["marital"]].assign(age_group=age_group)[["age_group", "marital"]],
        target_names=["not subscribed", "subscribed"],
        favourable_label=1,
        default_sensitive="age_group",
        sensitive_columns={"age_group": ["age"], "marital": ["marital"]},
        descr=DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )
