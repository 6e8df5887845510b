"""
Two columns that look harmless, and their crossing that does not
================================================================

A classifier can select women and men at similar rates, and older and younger people
too, and still select older women far less often than anybody else. This example looks
at two sensitive columns one by one and crossed, and repairs the crossed groups.
"""

# %%
# Data with a difference in the crossing
# --------------------------------------
# The generated table has four groups whose scores are shifted step by step. Here they
# are given two columns: the lowest and the highest group are both "50 and over", so
# that age alone shows next to nothing.

import pandas as pd
from sklearn.model_selection import train_test_split

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.datasets import make_biased_classification
from skfair_runner.plots import GroupMetricsDisplay

people = make_biased_classification(
    n_samples=4000,
    n_groups=4,
    shift=1.2,
    group_proportions=[0.15, 0.35, 0.35, 0.15],
    random_state=0,
)
meaning = pd.DataFrame(
    {
        "gender": ["female", "male", "female", "male"],
        "age": ["50 and over", "under 50", "under 50", "50 and over"],
    },
    index=["group_0", "group_1", "group_2", "group_3"],
)
crossed = meaning.loc[people.sensitive_features["group"]].set_index(people.data.index)
crossed.value_counts()

# %%

preprocess = make_table_preprocessor(sensitive_columns="group", sparse_output=False)
X = preprocess.fit_transform(people.data)
X_train, X_test, y_train, y_test, crossed_train, crossed_test = train_test_split(
    X, people.target, crossed, test_size=0.5, stratify=crossed, random_state=0
)

# %%
# One column at a time
# --------------------
# Without any mitigation the two ages are selected about equally often.

plain = RunnerFairClassifier(constraint=None, random_state=0).fit(X_train, y_train)
rates = ["selection_rate", "true_positive_rate", "false_positive_rate"]
GroupMetricsDisplay.from_estimator(
    plain, X_test, y_test, sensitive_features=crossed_test["age"], metrics=rates
).plot()

# %%
# Women and men differ a little more.

GroupMetricsDisplay.from_estimator(
    plain, X_test, y_test, sensitive_features=crossed_test["gender"], metrics=rates
).plot()

# %%
# Both columns crossed
# --------------------
# A table of several columns is crossed by every display and every metric: each
# combination that occurs is a group. Women of 50 and over are selected far less often
# than men of that age, which neither column shows alone.

GroupMetricsDisplay.from_estimator(
    plain, X_test, y_test, sensitive_features=crossed_test, metrics=rates
).plot()

# %%
# Repair of the crossed groups
# ----------------------------
# Passing the same table to ``fit`` makes the classifier compare all four groups.

repaired = RunnerFairClassifier(random_state=0)
repaired.fit(X_train, y_train, sensitive_features=crossed_train)
GroupMetricsDisplay.from_estimator(
    repaired, X_test, y_test, sensitive_features=crossed_test, metrics=rates
).plot()

# %%
# Repair of one column alone
# --------------------------
# For comparison, a classifier that is told the gender alone. It has next to nothing to
# repair, and leaves the difference between the crossed groups as it was.

by_gender = RunnerFairClassifier(random_state=0)
by_gender.fit(X_train, y_train, sensitive_features=crossed_train["gender"])
GroupMetricsDisplay.from_estimator(
    by_gender, X_test, y_test, sensitive_features=crossed_test, metrics=rates
).plot()

# %%
# The bars are rates of 2,000 held-out people of one generated data set, with one seed,
# for demographic parity. Whiskers say how well each group's own rate is known: the
# crossed groups are smaller, so their rates are less certain, and with more groups the
# largest difference is larger by chance alone. The figures do not show what happens
# with groups of a few dozen people; merge those before training.
