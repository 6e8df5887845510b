import importlib

import pytest

from skfair_runner.datasets import fetch_credit, fetch_german

module = importlib.import_module("skfair_runner.datasets._german")

GERMAN_ROW = (
    "A11 6 A34 A43 1169 A65 A75 4 {status} A101 4 A121 {age} A143 A152 2 A173 1 A192 "
    "A201 {label}\n"
)
CREDIT_ROW = "0,24,2,0,13,4,2,4,{female},0,2,1,{decade},2,1,1,2,1,0,0,{label}\n"


@pytest.fixture
def german_home(tmp_path, stand_in):
    """A data home with one row for each code of personal status and sex."""
    text = "".join(
        GERMAN_ROW.format(status=f"A9{code}", age=23 + code, label=1 + code % 2)
        for code in range(1, 6)
    )
    stand_in(module, "GERMAN_FILE", text, 5)
    (tmp_path / "german").mkdir()
    (tmp_path / "german" / "german.data").write_text(text)
    return tmp_path


@pytest.fixture
def credit_home(tmp_path, stand_in):
    text = ",".join("abcdefghijklmnopqrstu") + "\n"
    text += CREDIT_ROW.format(female=1, decade=2, label=1)
    text += CREDIT_ROW.format(female=0, decade=3, label=0)
    stand_in(module, "CREDIT_FILE", text, 2)
    (tmp_path / "credit").mkdir()
    (tmp_path / "credit" / "credit_sample").write_text(text)
    return tmp_path


def test_german_sex_label_and_age_group_by_hand(german_home):
    german = fetch_german(data_home=german_home)

    # A91, A93 and A94 are men, A92 and A95 women; label 1 is good, 2 bad.
    sexes = ["male", "female", "male", "male", "female"]
    assert german.data["sex"].tolist() == sexes
    assert german.sensitive_features["sex"].tolist() == sexes
    assert german.target.tolist() == [0, 1, 0, 1, 0]
    assert german.data["age"].tolist() == [24, 25, 26, 27, 28]
    assert german.sensitive_features["age_group"].tolist() == (
        ["up to 25"] * 2 + ["over 25"] * 3
    )


def test_german_refuses_an_unknown_status(german_home):
    path = german_home / "german" / "german.data"
    path.write_text(path.read_text().replace("A92", "A99"))

    with pytest.raises(ValueError, match=r"'sex' of the german data .*\['A99'\]"):
        fetch_german(data_home=german_home)


def test_credit_by_hand(credit_home):
    credit = fetch_credit(data_home=credit_home)

    assert credit.data["sex"].tolist() == ["female", "male"]
    assert credit.sensitive_features.to_dict("list") == {
        "sex": ["female", "male"],
        "age_group": ["under 30", "30 or over"],
    }
    assert credit.target.tolist() == [1, 0]
    assert credit.data["savings_status"].tolist() == [4, 4]
    assert credit.data["credit_amount"].tolist() == [13, 13]


def test_real_german_rows_and_rates(real_data):
    german = fetch_german(data_home=real_data, download_if_missing=False)

    assert german.data.shape == (1000, 20)
    assert german.data.select_dtypes("number").shape[1] == 7
    assert german.target.mean() == 0.7
    rates = german.target.groupby(german.sensitive_features["sex"]).mean()
    assert rates.round(3).to_dict() == {"female": 0.648, "male": 0.723}


def test_real_credit_rows_are_balanced(real_data):
    credit = fetch_credit(data_home=real_data, download_if_missing=False)

    assert credit.data.shape == (600, 20)
    assert credit.target.value_counts().to_dict() == {0: 300, 1: 300}


def test_real_credit_rows_are_german_rows(real_data):
    """The columns and codes of Credit mean what the German ones do."""
    german, credit = (
        fetch_german(data_home=real_data),
        fetch_credit(data_home=real_data),
    )
    rows = german.data.assign(
        good=german.target,
        credit_amount=german.data["credit_amount"] // 100,
        age=german.data["age"] // 10,
    )
    for name in credit.categories.keys() - {"sex"}:
        codes = rows[name].astype(str).str.removeprefix("A").astype(int)
        base = 40 if name == "purpose" else codes.min()
        # A410 is the eleventh purpose.
        rows[name] = codes.where(codes != 410, 50) - base

    known = set(map(tuple, rows.astype(str).to_numpy()))
    found = credit.data.assign(good=credit.target).astype(str).to_numpy()
    assert all(tuple(row) in known for row in found)
