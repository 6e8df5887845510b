import pytest

from skfair_runner.datasets._image_files import check_choice, find_files

CHOICES = [("labels.csv", "photos"), ("labels.csv", "photos.zip")]


def test_the_first_complete_choice_is_taken(tmp_path):
    folder = tmp_path / "faces"
    folder.mkdir()
    for name in ("labels.csv", "photos.zip"):
        (folder / name).touch()
    found = find_files("faces", tmp_path, CHOICES, "")
    assert found == (folder / "labels.csv", folder / "photos.zip")
    (folder / "photos").mkdir()
    assert find_files("faces", tmp_path, CHOICES, "")[1].name == "photos"


def test_what_is_absent_is_named_with_how_to_obtain_it(tmp_path):
    with pytest.raises(
        FileNotFoundError,
        match=r"faces' holds no complete .* 'labels.csv' and 'photos', or .*zip'\. "
        r"Ask the authors\. .* SKFAIR_RUNNER_DATA",
    ):
        find_files("faces", tmp_path, CHOICES, "Ask the authors.")
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "photos.zip").touch()
    with pytest.raises(FileNotFoundError, match=r"lacks 'labels.csv'\. Ask"):
        find_files("faces", tmp_path, CHOICES, "Ask the authors.")


def test_a_wrong_choice_is_answered_by_the_right_ones():
    check_choice("fetch", subset=("all", ("all", "train")))
    with pytest.raises(ValueError, match=r"fetch: subset='tset' .* \['all', 'train'\]"):
        check_choice("fetch", subset=("tset", ("all", "train")))
