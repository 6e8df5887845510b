"""
Images: which channels see the colour?
======================================

A network that reads handwritten digits can also read their colour. In this data large
digits are more often red than green, and a plainly trained network takes the colour
for a hint, so that it errs in one direction on red digits and in the other on green
ones. This example equalizes the error rates of both colours, and looks at the channels
that the difference came from.
"""

# %%
# The data
# --------
# scikit-learn's digits, noisy, in two colours. The label is 1 for the digits 5 to 9.
# Images are an array of bytes; they stay one, and are converted batch by batch.

from sklearn.model_selection import train_test_split
from torch import nn

from skfair_runner import RunnerFairClassifier
from skfair_runner.datasets import make_biased_digits
from skfair_runner.metrics import fairness_summary
from skfair_runner.plots import ChannelImagesDisplay, NeuronImportanceDisplay

digits = make_biased_digits(random_state=0)
colour = digits.sensitive_features["colour"]
X_train, X_test, y_train, y_test, colour_train, colour_test = train_test_split(
    digits.data, digits.target, colour, test_size=0.4, stratify=colour, random_state=0
)
X_train.shape, X_train.dtype, y_train.groupby(colour_train).mean().round(2).to_dict()

# %%
# The same network with and without repair
# ----------------------------------------
# A module for images is built by a class or function that takes the number of channels
# and of outputs. For larger images there are :class:`~skfair_runner.modules.ResNet18`
# and :class:`~skfair_runner.modules.AlexNet`. The colour is passed to ``fit`` only.


def make_net(n_channels, n_outputs):
    """Two convolutions, for images of 8 × 8 pixels."""
    return nn.Sequential(
        nn.Conv2d(n_channels, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 2 * 2, 32),
        nn.ReLU(),
        nn.Linear(32, n_outputs),
    )


plain = RunnerFairClassifier(None, module=make_net, random_state=0)
plain.fit(X_train, y_train)
repaired = RunnerFairClassifier("equalized_odds", module=make_net, random_state=0)
repaired.fit(X_train, y_train, sensitive_features=colour_train)

for name, classifier in {"plain": plain, "repaired": repaired}.items():
    summary = fairness_summary(
        y_test, classifier.predict(X_test), sensitive_features=colour_test
    )
    print(f"{name}: accuracy {summary['accuracy']:.3f}, ", end="")
    print(f"equalized odds difference {summary['equalized_odds_difference']:.3f}")

# %%
# The channels
# ------------
# A neuron of a convolution is a channel. Its discrimination is the distance between the
# colours' mean activations, over all positions of the image.

NeuronImportanceDisplay.from_estimator(repaired).plot()

# %%
# What the most important channel sees
# ------------------------------------
# The images of each colour that drive the channel most, after the repair. The digits
# were not trained on.

first = repaired.neuron_importance_.query("layer == '1'").nsmallest(1, "rank")
ChannelImagesDisplay.from_estimator(
    repaired,
    X_test,
    sensitive_features=colour_test,
    layer="1",
    neuron=int(first["neuron"].iloc[0]),
).plot()

# %%
# The figures show one seed, on small images whose colour was drawn to go with the
# label, for equalized odds between two groups. They show where this network's
# difference arose, and which images a channel answers to. They do not show that a
# channel stands for colour alone, nor that another network would use the same ones.
