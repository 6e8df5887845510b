"""
Choosing a point with a colleague
=================================

How much difference is acceptable is no question for one person, nor for a program.
This example prepares the conversation: a figure of everything that is to be had, three
points of it measured again beside another method, and a page to pass on.
"""

# %%
# What is to be had
# -----------------
# One training, on a generated table about hiring. The figure is for both of you.

from pathlib import Path
from tempfile import mkdtemp

from sklearn.model_selection import train_test_split

from skfair_runner import (
    RunnerFairClassifier,
    RunnerFrontier,
    compare_classifiers,
    make_table_preprocessor,
)
from skfair_runner.baselines import ThresholdOptimizerClassifier, UnmitigatedClassifier
from skfair_runner.datasets import make_biased_classification

people = make_biased_classification(n_samples=3000, random_state=0)
gender = people.sensitive_features["gender"]
preprocess = make_table_preprocessor(sensitive_columns="gender", sparse_output=False)
X_look, X, y_look, y, gender_look, gender = train_test_split(
    people.data, people.target, gender, test_size=0.5, stratify=gender, random_state=0
)
X_look, X = preprocess.fit_transform(X_look), preprocess.transform(X)

epochs = {"warmup_epochs": 8, "max_epochs": 8}
front = RunnerFrontier(RunnerFairClassifier(**epochs), n_points=15, random_state=0)
front.fit(X_look, y_look, sensitive_features=gender_look)
front.plot()

# %%
# The point before the repair was trained for fewer epochs than the others, so that it
# is no reference for prices; the unmitigated net below is.
#
# Three points to talk about
# --------------------------
# A figure with fifteen points is no basis for a decision. Three will do: some
# repair, the knee, and nearly none of the difference. Each is trained again as a
# classifier aimed at that difference, on other people than those in the figure, beside
# the unmitigated net and a threshold for each group.

table = front.frontier_
knee = table.loc[table["selected"], front.difference_].item()
points = {"cautious": 1.5 * knee, "knee": knee, "strict": 0.02}
net = RunnerFairClassifier(constraint=None, **epochs)
comparison = compare_classifiers(
    {
        "unmitigated": UnmitigatedClassifier(net),
        **{
            f"{name} ({bound:.2f})": RunnerFairClassifier(
                difference_bound=round(bound, 3), **epochs
            )
            for name, bound in points.items()
        },
        "threshold optimizer": ThresholdOptimizerClassifier(net),
    },
    X,
    y,
    sensitive_features=gender,
    cv=3,
    random_state=0,
)
columns = ["accuracy_mean", "demographic_parity_difference_mean", "selection_rate_mean"]
comparison.table[columns].round(3)

# %%
# Side by side
# ------------

comparison.plot()

# %%
# The threshold optimizer is hollow because it has to be told everybody's gender when
# it decides. Whether you may do that is for the two of you, and for a lawyer. The words
# are for those who were not in the room.

print(comparison.summary())

# %%
# A page to pass on
# -----------------
# One file with the figures, the table and what it takes to do it again; it opens
# without a network.

page = Path(mkdtemp()) / "choice.html"
comparison.to_html(page)
print(f"{page.stat().st_size / 1024:.0f} KiB")

# %%
# Three folds of 1,500 generated people and one seed: where bars overlap, the data do
# not settle the order, and the choice has to be made on other grounds.
