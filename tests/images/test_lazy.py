"""Images are decoded when a batch needs them, and by nobody else."""

import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from skfair_runner.images import LazyImages

PIL_Image = pytest.importorskip("PIL.Image")


def make_pixels(n=12, height=8, width=8):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), "uint8")


@pytest.fixture
def folder(tmp_path):
    """Lossless images, so that what is decoded is what was written."""
    for i, image in enumerate(make_pixels()):
        PIL_Image.fromarray(image).save(tmp_path / f"{i}.png")
    return tmp_path


@pytest.fixture
def paths(folder):
    return [folder / f"{i}.png" for i in range(12)]


@pytest.fixture
def archive(paths, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as handle:
        for path in paths:
            handle.write(path, f"in/{path.name}")
    return tmp_path / "all.zip"


@pytest.mark.parametrize("n_workers", [1, 3, 50, None])
def test_files_are_decoded_in_the_order_of_the_rows(paths, n_workers):
    images = LazyImages(paths, n_workers=n_workers)
    assert images.shape == (12, 8, 8, 3)
    assert_array_equal(np.asarray(images), make_pixels())
    assert_array_equal(np.asarray(images[[7, 2, 2]]), make_pixels()[[7, 2, 2]])
    assert_array_equal(images[3], make_pixels()[3])
    assert np.asarray(images[:0]).shape == (0, 8, 8, 3)


def test_members_of_an_archive_are_decoded(archive):
    images = LazyImages([f"in/{i}.png" for i in range(12)], archive=archive)
    twin = pickle.loads(pickle.dumps(images[::-1]))
    assert_array_equal(np.asarray(twin), make_pixels()[::-1])


def test_slicing_and_pickling_open_nothing():
    images = LazyImages([f"nowhere/{i}.jpg" for i in range(9)], size=(6, 4))
    part = pickle.loads(pickle.dumps(images[np.arange(9) > 2][1:]))
    assert part.shape == (5, 6, 4, 3)
    with pytest.raises(
        FileNotFoundError, match=r"nowhere.4\.jpg', image 4, is not there"
    ):
        part[0]


def test_grey_images_have_one_channel(paths):
    images = LazyImages(paths, mode="L")
    assert images.shape == (12, 8, 8, 1)
    grey = make_pixels() @ [0.299, 0.587, 0.114]
    assert np.abs(np.asarray(images)[..., 0] - grey).max() <= 1


def test_crop_keeps_the_middle_and_stretch_everything(tmp_path):
    wide = np.zeros((4, 12, 3), "uint8")
    wide[:, :4, 0], wide[:, 4:8, 1], wide[:, 8:, 2] = 255, 255, 255
    PIL_Image.fromarray(wide).save(tmp_path / "wide.png")
    cropped = LazyImages([tmp_path / "wide.png"], size=4)[0]
    assert_array_equal(cropped, wide[:, 4:8])
    stretched = LazyImages([tmp_path / "wide.png"], size=4, fit="stretch")[0]
    assert (stretched.max(axis=(0, 1)) > 150).all()


def test_a_file_of_another_size_is_named_where_none_was_asked_for(paths):
    PIL_Image.fromarray(make_pixels(1, 5, 7)[0]).save(paths[4])
    with pytest.raises(ValueError, match=r"4\.png', image 4, has 5 × 7 .* 8 × 8"):
        np.asarray(LazyImages(paths))
    assert np.asarray(LazyImages(paths, size=8)).shape == (12, 8, 8, 3)


def test_what_is_no_image_is_named(paths, archive):
    paths[4].write_text("no image")
    with pytest.raises(ValueError, match=r"4\.png', image 4, cannot be decoded"):
        np.asarray(LazyImages(paths))
    truncated = paths[5].read_bytes()[:100]
    with zipfile.ZipFile(archive, "a") as handle:
        handle.writestr("half.png", truncated)
    with pytest.raises(ValueError, match=r"'half\.png' of '.*all\.zip', image 0"):
        LazyImages(["half.png"], archive=archive)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"size": 0}, "size=0 must be"),
        ({"size": (3, 4, 5)}, r"size=\(3, 4, 5\)"),
        ({"size": (3, 2.5)}, r"size=\(3, 2.5\)"),
        ({"fit": "pad"}, r"fit='pad' must be one of \['crop', 'stretch'\]"),
        ({"mode": "CMYK"}, r"mode='CMYK' must be one of \['RGB', 'L'\]"),
        ({"n_workers": 0}, "n_workers=0"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        LazyImages(["x.png"], **{"size": 4, **parameters})


def test_no_file_is_refused():
    with pytest.raises(ValueError, match="got 0 files"):
        LazyImages([])


@pytest.mark.parametrize("files", ["photos", Path("photos"), Path().glob("*.jpg")])
def test_files_are_a_sequence(files):
    with pytest.raises(
        TypeError, match=rf"files={re.escape(repr(files))} must be a sequence .*sorted"
    ):
        LazyImages(files)


def test_without_pillow_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="PIL"):
        LazyImages(["x.png"], size=4)


# Data sets of torch


class Pictures(Dataset):
    """Pillow images with labels."""

    def __init__(self, pixels):
        self.pixels = pixels

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, i):
        return PIL_Image.fromarray(self.pixels[i]), i


def test_a_data_set_of_pictures_is_read_item_by_item():
    images = LazyImages.from_dataset(Pictures(make_pixels()))
    assert (images.shape, images.channels) == ((12, 8, 8, 3), "last")
    assert_array_equal(np.asarray(images[[4, 1]]), make_pixels()[[4, 1]])


def test_a_data_set_of_grey_pictures_has_one_channel():
    images = LazyImages.from_dataset(Pictures(make_pixels()[..., 0]))
    assert images.shape == (12, 8, 8, 1)
    assert_array_equal(images[2][..., 0], make_pixels()[2, ..., 0])


def test_a_data_set_of_tensors_has_its_channels_first():
    tensors = torch.rand(5, 3, 4, 6)
    images = LazyImages.from_dataset(TensorDataset(tensors))
    assert (images.shape, images.channels) == ((5, 3, 4, 6), "first")
    assert images.dtype == np.float32
    assert_array_equal(np.asarray(images), tensors.numpy())


def test_the_shape_of_an_item_tells_where_its_channels_are():
    tensors = LazyImages.from_dataset(TensorDataset(torch.zeros(5, 8, 9, 3)))
    assert (tensors.shape, tensors.channels) == ((5, 8, 9, 3), "last")
    arrays = LazyImages.from_dataset([np.zeros((3, 8, 9), "uint8")] * 5)
    assert (arrays.shape, arrays.channels) == ((5, 3, 8, 9), "first")


def test_an_item_that_is_no_number_is_named():
    pixels = torch.zeros(5, 3, 8, 8)
    pixels[4, 1, 2, 3] = torch.nan
    images = LazyImages.from_dataset(TensorDataset(pixels))
    assert np.asarray(images[:4]).max() == 0
    with pytest.raises(ValueError, match="Item 4 of the data set holds NaN"):
        np.asarray(images)


class Stream(IterableDataset):
    def __iter__(self):
        yield torch.zeros(3, 8, 8)


def test_a_data_set_without_rows_is_refused():
    with pytest.raises(TypeError, match="a Stream is none: write"):
        LazyImages.from_dataset(Stream())


def test_an_item_of_another_size_is_named():
    images = LazyImages.from_dataset([np.zeros((4, 4), "uint8"), np.zeros((4, 5))])
    with pytest.raises(ValueError, match=r"Item 1 .* float64 of shape \(4, 5\)"):
        np.asarray(images)


def test_items_without_images_are_refused():
    with pytest.raises(ValueError, match=r"a Tensor of shape \(3,\)"):
        LazyImages.from_dataset(TensorDataset(torch.zeros(5, 3)))
    with pytest.raises(TypeError, match="pixels of type int64"):
        LazyImages.from_dataset(TensorDataset(torch.zeros(5, 3, 3).long()))


def test_a_data_set_is_told_apart_by_some_of_its_images():
    tensors = torch.arange(100.0)[:, None, None].expand(100, 4, 4)
    layout, *looked_at = LazyImages.from_dataset(TensorDataset(tensors)).identity()
    assert layout == ((100, 4, 4, 1), "last", "float32")
    assert len(looked_at) == 32
    assert looked_at[0].max() == 0
    assert looked_at[-1].min() == 99
