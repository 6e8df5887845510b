"""
What do five points less difference cost?
=========================================

Accuracy that is given up for a smaller difference between groups is seldom the same all
along: the first points are cheap, the last ones are not. This example trains the whole
trade-off at once with :class:`~skfair_runner.RunnerFrontier`, reads prices off it, and
takes the classifier that was decided on.
"""

# %%
# One training
# ------------
# The generated table is about hiring; the label depends on a score that is shifted
# between the groups. A fifth of the rows given to ``fit`` is held out, to measure the
# points of the trade-off on people that the network has not seen.

from sklearn.model_selection import train_test_split

from skfair_runner import RunnerFrontier, make_table_preprocessor
from skfair_runner.datasets import make_biased_classification
from skfair_runner.metrics import demographic_parity_difference

people = make_biased_classification(n_samples=6000, random_state=0)
gender = people.sensitive_features["gender"]
X_train, X_test, y_train, y_test, gender_train, gender_test = train_test_split(
    people.data, people.target, gender, test_size=0.4, stratify=gender, random_state=0
)
preprocess = make_table_preprocessor(sensitive_columns="gender", sparse_output=False)
X_train, X_test = preprocess.fit_transform(X_train), preprocess.transform(X_test)

front = RunnerFrontier(random_state=0)
front.fit(X_train, y_train, sensitive_features=gender_train)
front.plot()

# %%
# The price of five points
# ------------------------
# ``frontier_`` is a table: each row is a classifier that is there for the asking. Its
# weight says how much of the repair applies.

difference = front.difference_
points = front.frontier_[["weight", "accuracy", difference, "selection_rate"]]
points[front.frontier_["on_front"]].round(3)

# %%
# Prices are against the most accurate point. Weight 0 would flatter them: it is the
# network as it was before the repair, and was trained for fewer epochs.

best = front.frontier_.loc[front.frontier_["accuracy"].idxmax()]
print(f"accuracy {best['accuracy']:.3f} at a difference of {best[difference]:.3f}")
for less in (0.05, 0.1, 0.15):
    bound = best[difference] - less
    within = front.frontier_[front.frontier_[difference] <= bound]
    price = best["accuracy"] - within["accuracy"].max()
    print(f"{100 * less:.0f} points less difference: {100 * price:.1f} of accuracy")

# %%
# The classifier
# --------------
# ``at`` hands out a plain classifier, as light as one trained for that point alone,
# which predicts without groups. Differences that a choice was made on flatter: here is
# what it does with people who were neither trained on nor chosen on.

clf = front.at(difference=0.1)
y_pred = clf.predict(X_test)
reached = demographic_parity_difference(y_test, y_pred, sensitive_features=gender_test)
print(f"accuracy {(y_pred == y_test).mean():.3f}, difference {reached:.3f}")

# %%
# The neurons
# -----------
# How far apart the groups' activations are, neuron by neuron, from before the repair on
# the left to the strongest one on the right.

front.plot_neurons()

# %%
# The figures show one seed on generated data, for demographic parity between two
# groups. The band and the whiskers are 95 % intervals for the sampling of about 700
# held-out people; where they overlap, two points cannot be told apart. Another training
# would give a somewhat different front, which they do not show.
