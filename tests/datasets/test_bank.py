import importlib

import pytest

from skfair_runner.datasets import fetch_bank

module = importlib.import_module("skfair_runner.datasets._bank")

HEADER = ";".join(f'"{name}"' for name in module.BANK_FILE.columns) + "\n"
ROW = (
    '{age};"services";"married";"unknown";"no";2143;"yes";"no";"unknown";5;"may";261;1;'
    '-1;0;"unknown";"{label}"\n'
)


@pytest.fixture
def home(tmp_path, stand_in):
    """A data home with clients at the edges of the age groups."""
    rows = [(24, "yes"), (25, "no"), (60, "no"), (61, "yes")]
    text = HEADER + "".join(ROW.format(age=age, label=label) for age, label in rows)
    stand_in(module, "BANK_FILE", text, 4)
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank" / "bank-full.csv").write_text(text)
    return tmp_path


def test_age_groups_include_25_and_60(home):
    bank = fetch_bank(data_home=home)

    rest = "under 25 or over 60"
    groups = bank.sensitive_features["age_group"].tolist()
    assert groups == [rest, "25 to 60", "25 to 60", rest]
    assert bank.target.tolist() == [1, 0, 0, 1]
    assert bank.sensitive_columns["age_group"] == ["age"]


def test_unknown_is_a_category_not_a_missing_value(home):
    assert fetch_bank(data_home=home).categories["education"] == ["unknown"]


def test_length_of_the_call_is_a_feature_on_request(home):
    assert "duration" not in fetch_bank(data_home=home).feature_names
    assert "duration" in fetch_bank(data_home=home, include_duration=True).feature_names


def test_real_rows_and_rates(real_data):
    bank = fetch_bank(data_home=real_data, download_if_missing=False)

    assert bank.data.shape == (45211, 15)
    assert bank.data.select_dtypes("number").shape[1] == 6
    assert not bank.data.isna().any(axis=None)
    assert bank.favourable_label == 1
    assert bank.target.mean() == pytest.approx(0.1170, abs=5e-5)
    rates = bank.target.groupby(bank.sensitive_features["age_group"]).mean()
    assert rates.round(3).to_dict() == {"25 to 60": 0.106, "under 25 or over 60": 0.355}
    assert bank.sensitive_features["marital"].nunique() == 3
