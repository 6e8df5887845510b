"""COMPAS, recidivism within two years."""

from ._base import DataFile, read_data_file, recode
from ._bunch import make_bunch

COMPAS_URL = (
    "https://raw.githubusercontent.com/propublica/compas-analysis/master/"
    "compas-scores-two-years.csv"
)

_FEATURES = [
    "sex",
    "age",
    "age_cat",
    "race",
    "juv_fel_count",
    "juv_misd_count",
    "juv_other_count",
    "priors_count",
    "c_charge_degree",
]

COMPAS_FILE = DataFile(
    dataset="compas",
    name="compas-scores-two-years.csv",
    url=COMPAS_URL,
    sha256="c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d",
    n_rows=7214,
    columns=(
        *_FEATURES,
        "c_charge_desc",
        "days_b_screening_arrest",
        "is_recid",
        "score_text",
        "two_year_recid",
    ),
    numeric=frozenset(
        {
            "age",
            "juv_fel_count",
            "juv_misd_count",
            "juv_other_count",
            "priors_count",
            "days_b_screening_arrest",
            "is_recid",
            "two_year_recid",
        }
    ),
)

DESCR = """
COMPAS (recidivism within two years)
------------------------------------
People arrested in Broward County, Florida, and screened in 2013 and 2014 with the
COMPAS tool, and whether they were charged with another crime within two years.

Rows: 7,214, of which ProPublica's filter keeps 6,172: screened within 30 days of the
arrest, recidivism known, not an ordinary traffic offence, a COMPAS score present.
By default only the two largest groups by race are kept, 5,278 rows: the other four
have 11 to 509 people, too few for a difference between all groups to mean much.
Features: 9. The COMPAS scores are left out, since they are the prediction that the
data were published to examine, and so is everything recorded after the screening.
Target: 0 if not charged again, 1 if charged again within two years.
Favourable label: 0. Recidivism is the unfavourable outcome.
Sensitive features: race (the default), sex, age_cat.
Base rates of recidivism in the 6,172 rows: .455; African-American .523,
Caucasian .391. Arrests are not crimes: the label carries the bias of policing.

Source: Larson, J., Mattu, S., Kirchner, L. and Angwin, J. (2016), How we analyzed the
COMPAS recidivism algorithm, ProPublica,
https://github.com/propublica/compas-analysis.
Terms: published by ProPublica for re-analysis. The published file names the people;
only the columns above are read.
"""


def fetch_compas(
    *,
    data_home=None,
    download_if_missing=True,
    as_frame=True,
    return_X_y=False,
    races=("African-American", "Caucasian"),
    include_charge_description=False,
):
    """Load COMPAS: another charge within two years, by race, sex and age.

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
        in the Bunch alone; a sensitive column such as ``race`` is also in `data`.

    races : sequence of str or None, default=("African-American", "Caucasian")
        Races whose rows are kept; None keeps all six.

    include_charge_description : bool, default=False
        Whether the charge in words, a column of several hundred categories, is
        among the features. Rows without one are then left out.

    Returns
    -------
    bunch : Bunch
        Entries as documented by `fetch_adult`. `favourable_label` is 0.

    Raises
    ------
    FileNotFoundError
        If the file is absent and `download_if_missing` is False.

    OSError
        If the download fails or has a wrong checksum.

    ValueError
        If the file is not the published one, or `races` names one that is not in
        it.

    See Also
    --------
    fetch_adult : Documents the entries of the Bunch.

    Examples
    --------
    >>> from skfair_runner.datasets import fetch_compas
    >>> everybody = fetch_compas(races=None)  # doctest: +SKIP
    """
    frame = read_data_file(
        COMPAS_FILE, data_home=data_home, download_if_missing=download_if_missing
    )
    # ProPublica writes an absent score as N/A, which is read as a missing value.
    kept = (
        frame["days_b_screening_arrest"].abs().le(30)
        & frame["is_recid"].ne(-1)
        & frame["c_charge_degree"].ne("O")
        & frame["score_text"].notna()
    )
    if races is not None:
        kept &= frame["race"].isin(_known_races(races, frame["race"]))
    features = _FEATURES
    if include_charge_description:
        kept &= frame["c_charge_desc"].notna()
        features = [*_FEATURES, "c_charge_desc"]
    frame = frame[kept].reset_index(drop=True)
    return make_bunch(
        frame[features],
        recode(frame["two_year_recid"], {0: 0, 1: 1}, dataset="compas"),
        frame[["race", "sex", "age_cat"]],
        target_names=["not charged again", "charged again"],
        favourable_label=0,
        default_sensitive="race",
        sensitive_columns={
            "race": ["race"],
            "sex": ["sex"],
            "age_cat": ["age", "age_cat"],
        },
        descr=DESCR,
        as_frame=as_frame,
        return_X_y=return_X_y,
    )


def _known_races(races, column):
    """The races asked for, as a list, after a check that the data has them."""
    chosen = [races] if isinstance(races, str) else list(races)
    known = sorted(column.unique())
    unknown = [race for race in chosen if race not in known]
    if unknown or not chosen:
        raise ValueError(
            f"`races` takes one or more of {known}, or None for all; got {races!r}."
        )
    return chosen
