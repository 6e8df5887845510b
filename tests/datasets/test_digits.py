import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits

from skfair_runner.datasets import make_biased_digits


def test_digits_keep_their_shape_and_get_a_colour():
    bunch = make_biased_digits(noise=0, random_state=0)
    assert (bunch.data.shape, bunch.data.dtype) == ((1797, 8, 8, 3), np.uint8)
    red = (bunch.sensitive_features["colour"] == "red").to_numpy()
    brightest = bunch.data.max(axis=3)
    assert_array_equal(brightest, np.where(red[:, None, None], *_first_two(bunch.data)))
    source = load_digits()
    as_published = np.rint(255 * source.images / 16).astype("uint8")
    assert sorted(map(bytes, brightest)) == sorted(map(bytes, as_published))
    assert_array_equal(bunch.target, bunch.digits >= 5)
    assert bunch.sensitive_names == [bunch.default_sensitive] == ["colour"]


def _first_two(pixels):
    return pixels[..., 0], pixels[..., 1]


@pytest.mark.parametrize("strength", [-0.4, 0, 0.6, 1])
def test_colours_have_exact_shares_of_each_label(strength):
    bunch = make_biased_digits(strength=strength, random_state=1)
    red = bunch.sensitive_features["colour"] == "red"
    rates = red.groupby(bunch.target).mean()
    assert rates[1] == pytest.approx((1 + strength) / 2, abs=1e-3)
    assert rates[0] == pytest.approx((1 - strength) / 2, abs=1e-3)
    base = bunch.target.groupby(red).mean()
    assert base[True] - base[False] == pytest.approx(strength, abs=5e-3)


def test_the_draw_is_repeated_by_its_seed():
    one, two, other = (make_biased_digits(50, random_state=s) for s in (3, 3, 4))
    assert_array_equal(one.data, two.data)
    assert one.sensitive_features.equals(two.sensitive_features)
    assert not np.array_equal(one.data, other.data)
    assert len(one.target) == len(one.digits) == 50


def test_images_and_labels_alone():
    X, y = make_biased_digits(20, return_X_y=True, random_state=0)
    assert (X.shape, y.shape) == ((20, 8, 8, 3), (20,))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"strength": 1.1}, ValueError, "strength == 1.1"),
        ({"noise": -1}, ValueError, "noise == -1"),
        ({"n_samples": 2000}, ValueError, "n_samples == 2000"),
        ({"n_samples": 3.5}, TypeError, "n_samples"),
    ],
)
def test_parameters_out_of_range_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        make_biased_digits(**parameters)
