import importlib

import pytest

from skfair_runner.datasets import fetch_adult

module = importlib.import_module("skfair_runner.datasets._adult")

ROW = (
    "39, {work}, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, "
    "White, {sex}, 2174, 0, 40, United-States, {income}\n"
)
TRAIN = ROW.format(work="State-gov", sex="Male", income=">50K") + ROW.format(
    work="?", sex="Male", income="<=50K"
)
TEST = "|1x3 Cross validator\n" + ROW.format(
    work="Private", sex="Female", income="<=50K."
)


@pytest.fixture
def home(tmp_path, stand_in):
    """A data home with two rows for training and one for testing."""
    for constant, name, text, n_rows in [
        ("ADULT_DATA", "adult.data", TRAIN, 2),
        ("ADULT_TEST", "adult.test", TEST, 1),
    ]:
        stand_in(module, constant, text, n_rows)
        (tmp_path / "adult").mkdir(exist_ok=True)
        (tmp_path / "adult" / name).write_text(text + "\n")
    return tmp_path


def test_test_rows_follow_the_training_rows_without_the_dot(home):
    adult = fetch_adult(data_home=home, drop_missing=False)

    assert adult.target.tolist() == [1, 0, 0]
    assert adult.sensitive_features["sex"].tolist() == ["Male", "Male", "Female"]
    assert adult.data["workclass"].isna().tolist() == [False, True, False]


def test_incomplete_rows_are_dropped_by_default(home):
    adult = fetch_adult(data_home=home)

    assert adult.data["workclass"].tolist() == ["State-gov", "Private"]
    assert adult.data.index.tolist() == adult.target.index.tolist() == [0, 1]


def test_unknown_label_is_refused(home):
    path = home / "adult" / "adult.test"
    path.write_text(path.read_text().replace("<=50K.", "rich"))

    with pytest.raises(ValueError, match=r"'income' of the adult data .*\['rich'\]"):
        fetch_adult(data_home=home)


def test_real_complete_rows_and_rates(real_data):
    adult = fetch_adult(data_home=real_data, download_if_missing=False)

    assert adult.data.shape == (45222, 14)
    assert not adult.data.isna().any(axis=None)
    assert adult.favourable_label == 1
    assert adult.target.mean() == pytest.approx(0.2478, abs=5e-5)
    rates = adult.target.groupby(adult.sensitive_features["sex"]).mean()
    assert rates.round(3).to_dict() == {"Female": 0.114, "Male": 0.312}
    assert adult.sensitive_features["race"].nunique() == 5
    assert adult.data.select_dtypes("number").shape[1] == 6


def test_real_rows_with_missing_values(real_data):
    adult = fetch_adult(data_home=real_data, drop_missing=False)

    assert adult.data.shape == (32561 + 16281, 14)
    assert adult.data.columns[adult.data.isna().any()].tolist() == [
        "workclass",
        "occupation",
        "native-country",
    ]
    complete = adult.data.notna().all(axis=1)
    assert (complete[:32561].sum(), complete[32561:].sum()) == (30162, 15060)
