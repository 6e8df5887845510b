import importlib

import pytest

from skfair_runner.datasets import fetch_compas

module = importlib.import_module("skfair_runner.datasets._compas")

HEADER = ",".join(module.COMPAS_FILE.columns) + ",decile_score\n"
ROW = "{sex},30,25 - 45,{race},0,0,0,1,{degree},{charge},{days},{recid},{score},1,9\n"
USUAL = {
    "sex": "Male",
    "race": "Caucasian",
    "degree": "F",
    "charge": "Battery",
    "days": 30,
    "recid": 1,
    "score": "Low",
}
ODD = [
    {},
    {"race": "African-American", "days": -30},
    {"race": "Asian"},
    {"charge": ""},
    {"days": 31},
    {"days": -31},
    {"days": ""},
    {"recid": -1},
    {"degree": "O"},
    {"score": "N/A"},
]
TEXT = HEADER + "".join(ROW.format(**{**USUAL, **odd}) for odd in ODD)


@pytest.fixture
def home(tmp_path, stand_in):
    """A data home with one row for each clause of the filter."""
    stand_in(module, "COMPAS_FILE", TEXT, len(ODD))
    (tmp_path / "compas").mkdir()
    (tmp_path / "compas" / "compas-scores-two-years.csv").write_text(TEXT)
    return tmp_path


def test_filter_and_races(home):
    two = fetch_compas(data_home=home)
    everybody = fetch_compas(data_home=home, races=None)
    one = fetch_compas(data_home=home, races="Asian")

    assert two.data["race"].tolist() == ["Caucasian", "African-American", "Caucasian"]
    assert two.categories["race"] == ["African-American", "Caucasian"]
    assert everybody.data["race"].tolist()[2] == "Asian"
    assert len(everybody.data) == 4
    assert one.data["race"].tolist() == ["Asian"]


def test_charge_description_is_a_feature_on_request(home):
    described = fetch_compas(data_home=home, include_charge_description=True)

    assert described.data["c_charge_desc"].tolist() == ["Battery", "Battery"]
    assert "c_charge_desc" not in fetch_compas(data_home=home).data


def test_nothing_recorded_later_and_no_score_is_a_feature(home):
    assert fetch_compas(data_home=home).feature_names == [
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


@pytest.mark.parametrize("races", [["Caucasian", "Martian"], "Martian", []])
def test_unknown_races_are_listed(home, races):
    with pytest.raises(
        ValueError, match=r"of \['African-American', .*; got .*"
    ) as info:
        fetch_compas(data_home=home, races=races)
    assert repr(races) in str(info.value)


def test_real_rows_of_propublicas_filter(real_data):
    compas = fetch_compas(data_home=real_data, races=None)

    assert compas.data.shape == (6172, 9)
    assert compas.favourable_label == 0
    assert compas.target.mean() == pytest.approx(0.4551, abs=5e-5)
    sizes = compas.sensitive_features["race"].value_counts()
    assert (sizes.size, sizes.iloc[2], sizes.min()) == (6, 509, 11)


def test_real_rows_with_a_charge_description(real_data):
    compas = fetch_compas(
        data_home=real_data, races=None, include_charge_description=True
    )

    assert compas.data.shape == (6167, 10)


def test_real_rows_and_rates_of_two_races(real_data):
    compas = fetch_compas(data_home=real_data, download_if_missing=False)

    assert compas.data.shape == (5278, 9)
    assert not compas.data.isna().any(axis=None)
    rates = compas.target.groupby(compas.sensitive_features["race"]).mean()
    assert rates.round(3).to_dict() == {"African-American": 0.523, "Caucasian": 0.391}
