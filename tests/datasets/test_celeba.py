import zipfile

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skfair_runner import (
    RunnerFairClassifier,
    compare_classifiers,
    diagnose_neurons,
)
from skfair_runner.datasets import fetch_celeba
from skfair_runner.modules import ResNet18

PIL_Image = pytest.importorskip("PIL.Image")

N = 48


@pytest.fixture(params=["folder", "zip"])
def home(request, tmp_path):
    """The published layout with few images; men are redder, and called attractive."""
    folder = tmp_path / "celeba"
    images = folder / "img_align_celeba"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = [f"{i:06d}.png" for i in range(1, N + 1)]
    male, wavy = rng.integers(0, 2, (2, N)) * 2 - 1
    lines = [str(N), "Attractive Male Wavy_Hair"]
    for name, man, hair in zip(names, male, wavy, strict=True):
        lines.append(f"{name} {man:2d} {man:2d} {hair:2d}")
        pixels = rng.integers(0, 150, (10, 8, 3))
        pixels[..., 0] += 50 * (man + 1)
        PIL_Image.fromarray(pixels.astype("uint8")).save(images / name)
    (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
    parts = [f"{name} {min(i // 40, 1) + i // 44}" for i, name in enumerate(names)]
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    if request.param == "zip":
        with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
            for name in names:
                archive.write(images / name, f"img_align_celeba/{name}")
                (images / name).unlink()
        images.rmdir()
    return tmp_path


def rows(home):
    lines = (home / "celeba" / "list_attr_celeba.txt").read_text().splitlines()[2:]
    return np.array([line.split()[1:] for line in lines], dtype=int)


def test_attributes_and_parts_by_hand(home):
    faces = fetch_celeba(data_home=home, target="Wavy_Hair", subset="all", size=8)
    assert faces.data.shape == (N, 8, 8, 3)
    assert_array_equal(faces.target, rows(home)[:, 2] > 0)
    men = faces.sensitive_features["Male"] == "Male"
    assert_array_equal(men, rows(home)[:, 1] > 0)
    assert set(faces.sensitive_features["Male"]) == {"Male", "not Male"}
    assert faces.partition.value_counts().to_dict() == {
        "train": 40,
        "valid": 4,
        "test": 4,
    }
    assert faces.attributes.shape == (N, 3)
    assert faces.target_names == ["not Wavy_Hair", "Wavy_Hair"]


def test_the_published_folders_are_known(home):
    flat = np.asarray(fetch_celeba(data_home=home, size=8).data)
    for folder, names in {"Img": "img*", "Anno": "*attr*", "Eval": "*eval*"}.items():
        (home / "celeba" / folder).mkdir()
        (path,) = (home / "celeba").glob(names)
        path.rename(path.parent / folder / path.name)
    assert_array_equal(np.asarray(fetch_celeba(data_home=home, size=8).data), flat)


def test_the_target_is_no_group(home):
    with pytest.raises(ValueError, match=r"'Male' is the target and .* \['Male'\]"):
        fetch_celeba(data_home=home, target="Male")


def test_a_part_has_its_own_images(home):
    everything = fetch_celeba(data_home=home, subset="all", size=8)
    X, y = fetch_celeba(data_home=home, subset="valid", size=8, return_X_y=True)
    assert_array_equal(np.asarray(X), np.asarray(everything.data[40:44]))
    assert_array_equal(y, everything.target[40:44])


# An epoch, and four images to report.
@pytest.mark.filterwarnings("ignore::skfair_runner.utils.SkfairRunnerWarning")
def test_from_files_to_a_report(home):
    faces = fetch_celeba(
        data_home=home, target="Wavy_Hair", sensitive=["Male", "Attractive"], size=8
    )
    men = faces.sensitive_features["Male"]
    clf = RunnerFairClassifier(
        module=ResNet18,
        module__small_images=True,
        module__width=2,
        warmup_epochs=1,
        max_epochs=1,
        batch_size=20,
        random_state=0,
    )
    clf.fit(faces.data, faces.target, sensitive_features=men)
    test = fetch_celeba(data_home=home, target="Wavy_Hair", subset="test", size=8)
    assert clf.predict_proba(test.data).shape == (4, 2)
    table = diagnose_neurons(
        clf, faces.data, faces.target, sensitive_features=men, importance="weight"
    )
    assert len(table) == 2 * (5 + 4 * 2 + 4 * 4 + 4 * 8)
    parts = fetch_celeba(data_home=home, target="Wavy_Hair", subset="all", size=8)
    train, report = (
        np.flatnonzero(parts.partition == name) for name in ("train", "test")
    )
    comparison = compare_classifiers(
        {"Vanilla": clone(clf).set_params(constraint=None), "RUNNER": clf},
        parts.data,
        parts.target,
        sensitive_features=parts.sensitive_features,
        cv=[(train, report)],
        n_bootstrap=20,
        random_state=0,
    )
    assert comparison.predictions["RUNNER"]["row"].tolist() == [44, 45, 46, 47]
    page = comparison.to_html(data_name="CelebA", description=parts.DESCR)
    assert all(word in page for word in ("CelebA", "RUNNER", "not Male"))


def test_absent_files_are_named_with_how_to_obtain_them(home):
    (home / "celeba" / "list_eval_partition.txt").unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"it lacks 'list_eval_partition\.txt'\. CelebA .* not commercial"
        r".*projects/CelebA\.html",
    ):
        fetch_celeba(data_home=home)


def test_an_unknown_attribute_is_answered_by_the_known_ones(home):
    with pytest.raises(
        ValueError, match=r"'Bald' is no .*\['Attractive', 'Male', 'Wavy"
    ):
        fetch_celeba(data_home=home, sensitive=["Male", "Bald"])


def test_an_unknown_part_is_refused(home):
    with pytest.raises(ValueError, match="subset='val' .*'valid'"):
        fetch_celeba(data_home=home, subset="val")


def test_lists_of_different_images_are_refused(home):
    path = home / "celeba" / "list_eval_partition.txt"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]))
    with pytest.raises(ValueError, match="names 48 images and .* 47, and not the same"):
        fetch_celeba(data_home=home)


def test_other_values_are_refused(home):
    path = home / "celeba" / "list_attr_celeba.txt"
    path.write_text(path.read_text().replace("-1", " 0"))
    with pytest.raises(ValueError, match=r"list_attr_celeba\.txt' holds other values"):
        fetch_celeba(data_home=home)
