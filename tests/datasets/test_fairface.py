import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skfair_runner.datasets import fetch_fairface
from skfair_runner.images import LazyImages

PIL_Image = pytest.importorskip("PIL.Image")

HEADER = "file,age,gender,race,service_test"
TRAIN = [
    "train/1.png,50-59,Male,East Asian,True",
    "train/2.png,more than 70,Female,Indian,False",
    "train/3.png,30-39,Female,Black,False",
]
VAL = ["val/1.png,0-2,Male,White,False"]


def write_images(folder):
    """Images (4, 4) whose brightness is their number."""
    for i, line in enumerate([*TRAIN, *VAL]):
        path = folder / line.partition(",")[0]
        path.parent.mkdir(exist_ok=True, parents=True)
        PIL_Image.fromarray(np.full((4, 4, 3), i + 1, "uint8")).save(path)


@pytest.fixture(params=["copy", "published", "folders"])
def home(request, tmp_path):
    folder = tmp_path / "fairface"
    write_images(folder)
    if request.param == "copy":
        lines = [HEADER, *TRAIN, *VAL]
        (folder / "labels.csv").write_text("\n".join(lines))
    else:
        for name, lines in (("train", TRAIN), ("val", VAL)):
            text = "\n".join([HEADER, *lines])
            (folder / f"fairface_label_{name}.csv").write_text(text)
    if request.param != "folders":
        name = "fairface_64x64.zip"
        if request.param == "published":
            name = "fairface-img-margin025-trainval.zip"
        with zipfile.ZipFile(folder / name, "w") as archive:
            for path in folder.glob("*/*.png"):
                archive.write(path, path.relative_to(folder))
                path.unlink()
        for part in ("train", "val"):
            (folder / part).rmdir()
    return tmp_path


def test_ages_by_hand(home):
    faces = fetch_fairface(data_home=home, size=4)
    assert isinstance(faces.data, LazyImages)
    assert faces.data.shape == (3, 4, 4, 3)
    assert_array_equal(np.asarray(faces.data)[:, 0, 0, 0], [1, 2, 3])
    assert faces.target.tolist() == [1, 1, 0]
    assert faces.target_names == ["younger than 40", "40 or older"]
    assert faces.sensitive_features.to_dict("list") == {
        "race": ["East Asian", "Indian", "Black"],
        "gender": ["Male", "Female", "Female"],
    }
    assert fetch_fairface(data_home=home, age_from=60).target.tolist() == [0, 1, 0]


def test_genders_and_parts_by_hand(home):
    faces = fetch_fairface(data_home=home, target="gender", subset="all", size=4)
    assert faces.target.tolist() == [0, 1, 1, 0]
    assert faces.sensitive_names == ["race", "age"]
    assert faces.partition.tolist() == ["train"] * 3 + ["val"]
    X, y = fetch_fairface(data_home=home, subset="val", return_X_y=True, size=4)
    assert (X[0][0, 0, 0], y.tolist()) == (4, [0])


def test_absent_files_are_named_with_how_to_obtain_them(home):
    with pytest.raises(
        FileNotFoundError, match=r"nowhere.*labels\.csv.*joojs/fairface"
    ):
        fetch_fairface(data_home=home / "nowhere")


def test_other_labels_are_refused(home):
    labels = home / "fairface" / "labels.csv"
    labels.write_text("\n".join([HEADER, *TRAIN, "val/1.png,60s,Male,White,False"]))
    with pytest.raises(ValueError, match=r"labels\.csv' holds '60s'"):
        fetch_fairface(data_home=home)
    labels.write_text("file,age,race\n")
    with pytest.raises(ValueError, match="no column 'gender'"):
        fetch_fairface(data_home=home)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"target": "race"}, r"target='race' .* \['age', 'gender'\]"),
        ({"age_from": 45}, r"age_from=45 .* \[3, 10, 20, 30, 40, 50, 60, 70\]"),
        ({"subset": "test"}, r"subset='test' .* \['train', 'val', 'all'\]"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        fetch_fairface(**parameters)


def test_real_photographs_and_rates(real_data):
    faces = fetch_fairface(data_home=real_data, subset="all")
    assert faces.data.shape == (8000, 64, 64, 3)
    assert faces.partition.value_counts().to_dict() == {"train": 4000, "val": 4000}
    assert faces.sensitive_features["race"].nunique() == 7
    # Counted in labels.csv: 970 + 586 + 255 + 67 of 8,000.
    assert faces.target.mean() == pytest.approx(1878 / 8000)
    some = np.asarray(faces.data[[0, 7999]])
    assert some.std() > 10
