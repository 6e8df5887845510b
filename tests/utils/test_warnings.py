import warnings

import pytest

from skfair_runner.utils import ConstantClassifierWarning, SkfairRunnerWarning


def test_one_filter_catches_every_warning_of_the_package():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkfairRunnerWarning)
        warnings.warn("constant", ConstantClassifierWarning, stacklevel=1)


def test_the_package_warns_with_user_warnings():
    with pytest.warns(UserWarning, match="constant"):
        warnings.warn("constant", ConstantClassifierWarning, stacklevel=1)
