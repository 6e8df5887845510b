"""
Equal decisions or equal scores?
================================

A classifier whose decisions are equally frequent in two groups need not give the groups
equal scores: at another cut-off the difference may be back. This example compares the
two kinds of repair by the distributions of the scores, and asks what they cost within
each group.
"""

# %%
# Three classifiers
# -----------------
# The same net without mitigation, repaired for its decisions at the cut-off ½, and
# repaired for its scores.

from sklearn.model_selection import train_test_split

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.datasets import make_biased_classification
from skfair_runner.metrics import fairness_summary
from skfair_runner.plots import GroupPrecisionRecallDisplay, ScoreDistributionDisplay

people = make_biased_classification(random_state=0)
gender = people.sensitive_features["gender"]
preprocess = make_table_preprocessor(sensitive_columns="gender", sparse_output=False)
X = preprocess.fit_transform(people.data)
X_train, X_test, y_train, y_test, gender_train, gender_test = train_test_split(
    X, people.target, gender, test_size=0.5, stratify=gender, random_state=0
)

classifiers = {
    "plain": RunnerFairClassifier(constraint=None, random_state=0),
    "decisions": RunnerFairClassifier(repair="decisions", random_state=0),
    "scores": RunnerFairClassifier(repair="scores", random_state=0),
}
for name, classifier in classifiers.items():
    classifier.fit(X_train, y_train, sensitive_features=gender_train)
    numbers = fairness_summary(
        y_test,
        classifier.predict(X_test),
        classifier.predict_proba(X_test),
        sensitive_features=gender_test,
    )
    print(f"{name:10s} accuracy {numbers['accuracy']:.3f}, difference ", end="")
    print(f"{numbers['demographic_parity_difference']:.3f}, ", end="")
    print(f"ABCC {numbers['abcc']:.3f}")

# %%
# Without mitigation
# ------------------
# The upper panel shows the scores themselves, the lower one which share of each group
# has a score up to a given one. At any cut-off, the height between the two curves is
# the difference in selection rates; the grey area between them is the mean of that
# difference over all cut-offs, ABCC.

ScoreDistributionDisplay.from_estimator(
    classifiers["plain"], X_test, sensitive_features=gender_test
).plot()

# %%
# Repaired for decisions
# ----------------------
# The curves are pulled together where decisions are made. Further away from the
# cut-off they need not meet.

ScoreDistributionDisplay.from_estimator(
    classifiers["decisions"], X_test, sensitive_features=gender_test
).plot()

# %%
# Repaired for scores
# -------------------
# The curves are pulled together everywhere, so that somebody who moves the cut-off
# later, or ranks people by their scores, meets a smaller difference as well.

ScoreDistributionDisplay.from_estimator(
    classifiers["scores"], X_test, sensitive_features=gender_test
).plot()

# %%
# What it costs within the groups
# -------------------------------
# Precision depends on how many of a group have the favourable label, so each curve is
# to be read beside the dotted line of its group.

GroupPrecisionRecallDisplay.from_estimator(
    classifiers["plain"], X_test, y_test, sensitive_features=gender_test
).plot()

# %%

GroupPrecisionRecallDisplay.from_estimator(
    classifiers["scores"], X_test, y_test, sensitive_features=gender_test
).plot()

# %%
# The figures show one seed on generated data, for demographic parity between two groups
# of held-out people. They show the scores of these three classifiers, and not that
# scores should be equal: where the groups' shares of the favourable label differ, as
# they do here, equal scores are paid for with precision.
