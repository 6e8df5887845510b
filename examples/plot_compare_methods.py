"""
Which method reduces the difference, and at what cost?
======================================================

Several methods promise a smaller difference between groups. This example compares four
of them on the same folds of a generated hiring table, and asks of each what it reduced,
what that cost, and what it needs in order to predict.
"""

# %%
# Four classifiers around one net
# -------------------------------
# All of them train the same network for the same number of epochs, so that methods are
# compared and not networks: without any mitigation, with the training rows reweighed,
# with the neurons repaired while training, and with thresholds for each group on top.

from skfair_runner import (
    RunnerFairClassifier,
    compare_classifiers,
    make_table_preprocessor,
)
from skfair_runner.baselines import (
    ReweighingClassifier,
    ThresholdOptimizerClassifier,
    UnmitigatedClassifier,
)
from skfair_runner.datasets import make_biased_classification
from skfair_runner.plots import GroupMetricsDisplay, TradeoffDisplay

people = make_biased_classification(n_samples=1200, random_state=0)
gender = people.sensitive_features["gender"]
preprocess = make_table_preprocessor(sensitive_columns="gender", sparse_output=False)
X = preprocess.fit_transform(people.data)

epochs = {"warmup_epochs": 10, "max_epochs": 10}
net = RunnerFairClassifier(constraint=None, **epochs)
comparison = compare_classifiers(
    {
        "unmitigated": UnmitigatedClassifier(net),
        "reweighing": ReweighingClassifier(net),
        "RUNNER": RunnerFairClassifier(**epochs),
        "threshold optimizer": ThresholdOptimizerClassifier(net),
    },
    X,
    people.target,
    sensitive_features=gender,
    cv=3,
    random_state=0,
)
comparison.table[["accuracy_mean", "demographic_parity_difference_mean"]].round(3)

# %%
# In words
# --------
# The first classifier is the one that the others are measured against.

print(comparison.summary())

# %%
# As a trade-off
# --------------
# Bars are confidence intervals, from people drawn again and again out of the held-out
# rows. The threshold optimizer is hollow: it has to be told the group of everybody it
# decides about, which the others do not.

TradeoffDisplay.from_table(comparison.table).plot(spread="intervals")

# %%
# Group by group
# --------------
# A difference says how far apart two groups are, and not who was moved. The held-out
# rows of all folds together show that: fairlearn's ``MetricFrame`` of a method is drawn
# as it is.

frames = comparison.by_group()
GroupMetricsDisplay.from_table(frames["unmitigated"]).plot()

# %%

GroupMetricsDisplay.from_table(frames["RUNNER"]).plot()

# %%
# The figures show three folds of one generated data set, for demographic parity between
# two groups. They do not show an order of the methods that holds elsewhere: the
# intervals are about other people, not about other data or another seed. Where two of
# them overlap, these data do not tell the two methods apart.
