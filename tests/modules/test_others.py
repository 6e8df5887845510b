"""Networks of torchvision and timm, where they are installed."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from skfair_runner import RunnerFairClassifier
from skfair_runner.datasets import make_biased_digits
from skfair_runner.modules import ResNet18

pytestmark = pytest.mark.filterwarnings(
    "ignore::skfair_runner.utils.ConstantClassifierWarning"
)


def torchvision_models():
    try:
        from torchvision import models
    # A build for another torch than the one that is here fails while it is imported.
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    return models


def fit(module):
    digits = make_biased_digits(random_state=0)
    X = np.asarray(digits.data[:64]).repeat(4, 1).repeat(4, 2)
    clf = RunnerFairClassifier(
        module=module, warmup_epochs=1, max_epochs=1, batch_size=32, random_state=0
    )
    clf.fit(X, digits.target[:64], sensitive_features=digits.sensitive_features[:64])
    return clf.predict_proba(X)


def test_weights_of_torchvisions_resnet_are_taken():
    theirs = torchvision_models().resnet18(weights=None).eval()
    ours = ResNet18(n_outputs=1000).eval()
    ours.load_state_dict(theirs.state_dict())
    X = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert_allclose(ours(X), theirs(X), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_modules_of_torchvision_are_repaired(name):
    module = getattr(torchvision_models(), name)(num_classes=1)
    assert fit(module).shape == (64, 2)


def test_modules_of_timm_are_repaired():
    try:
        import timm
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"timm cannot be imported: {error}")
    assert fit(timm.create_model("resnet18", num_classes=1)).shape == (64, 2)
