import importlib

import pytest

from skfair_runner.datasets import fetch_lsac

module = importlib.import_module("skfair_runner.datasets._lsac")

TEXT = (
    "decile1b,decile3,lsat,ugpa,zfygpa,zgpa,fulltime,fam_inc,male,tier,race,pass_bar\n"
    "10.0,10.0,44.0,3.5,1.33,1.88,1.0,5.0,0.0,4.0,White,1.0\n"
    "1.0,1.0,33.0,3.1,-1.92,-1.5,1.0,3.0,1.0,3.0,Non-White,0.0\n"
)


def test_columns_by_hand(tmp_path, stand_in):
    stand_in(module, "LSAC_FILE", TEXT, 2)
    (tmp_path / "lsac").mkdir()
    (tmp_path / "lsac" / "law_school_clean.csv").write_text(TEXT)

    lsac = fetch_lsac(data_home=tmp_path)

    assert lsac.target.tolist() == [1, 0]
    assert lsac.target.dtype == "int64"
    assert lsac.sensitive_features.to_dict("list") == {
        "sex": ["Female", "Male"],
        "race": ["White", "Non-White"],
    }
    assert "pass_bar" not in lsac.feature_names


def test_real_rows_and_rates(real_data):
    lsac = fetch_lsac(data_home=real_data, download_if_missing=False)

    assert lsac.data.shape == (20798, 11)
    assert not lsac.data.isna().any(axis=None)
    assert lsac.favourable_label == 1
    assert lsac.target.mean() == pytest.approx(0.8897, abs=5e-5)
    by_race = lsac.target.groupby(lsac.sensitive_features["race"]).mean()
    assert by_race.round(3).to_dict() == {"Non-White": 0.723, "White": 0.921}
    by_sex = lsac.target.groupby(lsac.sensitive_features["sex"]).mean()
    assert by_sex.round(3).to_dict() == {"Female": 0.878, "Male": 0.899}
