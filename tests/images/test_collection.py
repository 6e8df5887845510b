"""Images are sliced like an array, and read only when pixels are asked for."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing

from skfair_runner.images import ImageArray, Images


@pytest.fixture
def pixels():
    return np.arange(6 * 2 * 5 * 3, dtype="uint8").reshape(6, 2, 5, 3)


@pytest.fixture
def images(pixels):
    return ImageArray(pixels, channels="last")


@pytest.mark.parametrize(
    "key",
    [
        slice(1, 5, 2),
        [4, -1, 0],
        np.array([3, 3]),
        np.array([True, False, True, False, False, True]),
        [],
        slice(None),
    ],
    ids=str,
)
def test_slices_of_slices_are_those_of_the_array(images, pixels, key):
    part = images[key]
    assert isinstance(part, ImageArray)
    assert part.shape == pixels[_index(key)].shape
    assert_array_equal(np.asarray(part), pixels[np.arange(6)[_index(key)]])
    rest = part[1:]
    assert_array_equal(np.asarray(rest), pixels[np.arange(6)[_index(key)][1:]])


def _index(key):
    return key if isinstance(key, slice) or len(key) else slice(0)


def test_a_slice_shares_the_array(images, pixels):
    assert images[2:4].array is pixels
    assert images.load(slice(0, 1)).base is None


def test_one_image_and_all_images(images, pixels):
    assert_array_equal(images[-2], pixels[4])
    assert len(list(images)) == len(images) == 6
    assert np.asarray(images, dtype=float).dtype == float
    assert (images.ndim, images.dtype) == (4, np.uint8)
    with pytest.raises(IndexError, match="6 is out of bounds"):
        images[6]


def test_scikit_learn_slices_them(images, pixels):
    assert_array_equal(np.asarray(_safe_indexing(images, [5, 0])), pixels[[5, 0]])
    train, test = train_test_split(images, test_size=2, random_state=0)
    assert isinstance(train, ImageArray)
    assert (len(train), len(test)) == (4, 2)


def test_they_survive_pickling(images, pixels):
    assert_array_equal(np.asarray(pickle.loads(pickle.dumps(images[1:]))), pixels[1:])


def test_pixels_cannot_be_sliced(images):
    with pytest.raises(IndexError, match=r"ImageArray is sliced .* got \(0, 1\)"):
        images[0, 1]


def test_they_cannot_be_an_array_without_a_copy(images):
    with pytest.raises(ValueError, match="which copy=False forbids"):
        np.asarray(images, copy=False)


def test_other_pixels_are_refused(pixels):
    with pytest.raises(TypeError, match="ImageArray holds pixels of type int64"):
        ImageArray(pixels.astype(np.int64), channels="last")


def test_other_shapes_are_refused(pixels):
    with pytest.raises(ValueError, match=r"four axes, .* shape \(2, 5, 3\)"):
        ImageArray(pixels[0], channels="last")


def test_an_unknown_place_of_the_channels_is_named(pixels):
    with pytest.raises(ValueError, match=r"channels='middle' .* \['first', 'last'\]"):
        ImageArray(pixels, channels="middle")


def test_the_base_reads_nothing():
    with pytest.raises(NotImplementedError):
        Images(3, (1, 2, 2), "uint8", "first").load([0])


def test_arrays_are_told_apart_by_their_pixels(images, pixels):
    layout, found = images[2:5].identity()
    assert layout == (images[2:5].shape, images.channels)
    assert_array_equal(found, pixels[2:5])
