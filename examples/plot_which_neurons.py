"""
Which neurons carry the difference?
===================================

A net that selects men more often than women computes that difference somewhere. This
example trains :class:`~skfair_runner.RunnerFairClassifier` on a generated hiring table
and looks at the neurons: which ones the difference came from, and what the repair did
to them.
"""

# %%
# The data
# --------
# In the generated table the label depends on a score that is shifted between the
# groups, and some features are proxies of the group. The column ``gender`` itself is
# left out of the features: the difference comes through the proxies.

from sklearn.model_selection import train_test_split

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.datasets import make_biased_classification
from skfair_runner.metrics import demographic_parity_difference
from skfair_runner.plots import (
    NeuronHistoryDisplay,
    NeuronImportanceDisplay,
    TrainingHistoryDisplay,
)

people = make_biased_classification(random_state=0)
gender = people.sensitive_features["gender"]
X_train, X_test, y_train, y_test, gender_train, gender_test = train_test_split(
    people.data, people.target, gender, test_size=0.4, stratify=gender, random_state=0
)
preprocess = make_table_preprocessor(sensitive_columns="gender", sparse_output=False)
X_train, X_test = preprocess.fit_transform(X_train), preprocess.transform(X_test)

# %%
# The same net with and without repair
# ------------------------------------
# ``constraint=None`` trains the same network for the same number of epochs. Groups are
# passed to ``fit`` only.

plain = RunnerFairClassifier(constraint=None, random_state=0).fit(X_train, y_train)
repaired = RunnerFairClassifier(random_state=0)
repaired.fit(X_train, y_train, sensitive_features=gender_train)

for name, classifier in {"plain": plain, "repaired": repaired}.items():
    y_pred = classifier.predict(X_test)
    difference = demographic_parity_difference(
        y_test, y_pred, sensitive_features=gender_test
    )
    print(f"{name}: accuracy {(y_pred == y_test).mean():.3f}, ", end="")
    print(f"difference in selection rate {difference:.3f}")

# %%
# The neurons
# -----------
# Importance is the squared first-order effect of silencing a neuron on the gap, before
# the repair. Discrimination is the distance between the groups' mean activations,
# before and after.

repaired.neuron_importance_.sort_values("importance", ascending=False).head()

# %%

NeuronImportanceDisplay.from_estimator(repaired).plot()

# %%
# The training
# ------------
# Plain training comes first; then the controller holds the difference near its bound.

TrainingHistoryDisplay.from_estimator(repaired).plot()

# %%
# Always the same neurons?
# ------------------------
# The diagnosis is repeated during the repair, since a neuron that has been repaired may
# no longer be among the most important ones. Each row is a neuron, dark in the epochs
# at whose end it was held responsible.

NeuronHistoryDisplay.from_estimator(repaired).plot()

# %%
# The figures show one seed on generated data, for demographic parity between two
# groups. They show where this network computes the difference, and that the activations
# of those neurons came closer to each other. They do not show that these neurons are
# the only place where the difference could be reduced, nor that another seed finds the
# same ones.
