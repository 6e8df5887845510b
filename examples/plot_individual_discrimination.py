"""
Would she have been hired as a man?
===================================

Group metrics compare rates. This example asks about single people: whose decision would
be another one if only the gender in their row were exchanged? It searches a trained
network for such cases, says how frequent they are, and trains it again with what was
found.
"""

# %%
# A model that sees the gender
# ----------------------------
# The net gets all columns of a generated hiring table, gender included, and is trained
# plainly.

from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skfair_runner import RunnerFairClassifier, make_table_preprocessor
from skfair_runner.datasets import make_biased_classification
from skfair_runner.fairness_testing import (
    Aequitas,
    SearchDisplay,
    retrain_on_discriminatory,
    search,
)

people = make_biased_classification(n_samples=1500, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(
    people.data, people.target, random_state=0
)
model = make_pipeline(
    make_table_preprocessor(),
    RunnerFairClassifier(None, warmup_epochs=5, max_epochs=5, random_state=0),
).fit(X_train, y_train)

# %%
# The search
# ----------
# EIDIG follows the network's gradients to the decision boundary, and walks along it.

result = search(model, X_test, sensitive_features="gender", budget=5000, random_state=0)
print(result.summary())

# %%
# The pairs are in the table's own columns; both rows of a pair are alike but for the
# gender.

result.pairs.head()

# %%
# Which columns set the discriminatory instances apart, and where they are:

result.attributes()

# %%

result.regions()

# %%
# Against random search
# ---------------------
# Aequitas needs no gradients, only `predict`.

random_search = Aequitas("random", budget=5000, random_state=0)
others = random_search.search(model, X_test, sensitive_features="gender")
SearchDisplay.from_results({"EIDIG": result, "Aequitas, random": others}).plot()

# %%
# Training again
# --------------
# Found pairs are added with one label for both rows, given by classifiers that do not
# see the gender. The model handed in is kept unless another one is not worse.

retrained = retrain_on_discriminatory(
    model, X_train, y_train, result, shares=(0.3,), random_state=0
)
retrained.table

# %%
# The curves show how quickly each search finds cases of this one net; they do not show
# how frequent such cases are. That is what the rates in the summary and in the table
# are for: on the rows, and in the box of all possible values. One net and one seed on
# generated data.
