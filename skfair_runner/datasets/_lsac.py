"""LSAC, the bar passage study of law students."""

from ._base import DataFile, read_data_file, recode
from ._bunch import make_bunch

LSAC_URL = (
    "https://raw.githubusercontent.com/tailequy/fairness_dataset/main/experiments/data/"
    "law_school_clean.csv"
)

_COLUMNS = (
    "decile1b",
    "decile3",
    "lsat",
    "ugpa",
    "zfygpa",
    "zgpa",
    "fulltime",
    "fam_inc",
    "male",
    "tier",
    "race",
    "pass_bar",
)

LSAC_FILE = DataFile(
    dataset="lsac",
    name="law_school_clean.csv",
    url=LSAC_URL,
    sha256="23c1b173f3480beb7afc4957b107a9917dfc4a8dc9d87ea6034ec35222152452",
    n_rows=20798,
    columns=_COLUMNS,
    numeric=frozenset(_COLUMNS) - {"race"},
)

DESCR = """
LSAC (bar passage of law students)
----------------------------------
Students who entered law schools of the United States in 1991, and whether they passed
the bar examination at the first attempt.

Rows: 20,798, cleaned by Le Quy et al.
Features: 11: grades of law school by decile in the first and third year (`decile1b`,
`decile3`), admission test (`lsat`), grades of college (`ugpa`), standardised grades of
the first year and over all (`zfygpa`, `zgpa`), full or part time (`fulltime`, 1 or 2),
family income (`fam_inc`, 1 to 5), tier of the school (`tier`, 1 to 6), `sex`
(published as `male`) and `race`. All are known before the examination.
Target: 1 for a pass at the first attempt, 0 otherwise.
Favourable label: 1.
Sensitive features: sex (Female, Male; the default), race (Non-White, White).
Base rates: .890; women .878, men .899; Non-White .723, White .921.

Source: Wightman, L. F. (1998), LSAC national longitudinal bar passage study; the table
is that of Le Quy, T. et al. (2022), A survey on datasets for fairness-aware machine
learning, WIREs Data Mining and Knowledge Discovery,
https://github.com/tailequy/fairness_dataset.
Terms: see the source, which offers the table for research on fairness.
"""


def fetch_lsac(
    *, data_home=None, download_if_missing=True, as_frame=True, return_X_y=False
):
    """Load LSAC: the bar passed at the first attempt, by sex and race.

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
        in the Bunch alone; ``sex`` and ``race`` are also in `data`.

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
    >>> from skfair_runner.datasets import fetch_lsac
    >>> lsac = fetch_lsac()  # doctest: +SKIP
    """
    frame = read_data_file(
        LSAC_FILE, data_home=data_home, download_if_missing=download_if_missing
    )
    target = recode(frame.pop("pass_bar"), {0: 0, 1: 1}, dataset="lsac")
    frame["male"] = recode(frame["male"], {0: "Female", 1: "Male"}, dataset="lsac")
    frame = frame.rename(columns={"male": "sex"})
    return make_bunch(
        frame,
        target,
        frame[["sex", "race"]],
        target_names=["not passed", "passed"],
        favourable_label=1,
        default_sensitive="sex",
        sensitive_columns={"sex": ["sex"], "race": ["race"]},
        descr=DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )
