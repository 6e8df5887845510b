"""A short repair of one point of a front."""

from __future__ import annotations

import warnings
from dataclasses import replace

from skfair_runner._building import make_dataset, make_task
from skfair_runner._randomness import draw_seed, own_randomness
from skfair_runner._training_data import check_cells
from skfair_runner.frontier._points import summary, watched_difference
from skfair_runner.gaps import resolve_constraint
from skfair_runner.images import opened
from skfair_runner.multipliers import MULTIPLIER_LIMIT
from skfair_runner.tasks import probabilities
from skfair_runner.utils import SkfairRunnerWarning

# Of the learning rate of a whole repair.
_SHARE_OF_LR = 0.25
# Accuracy that is lost or gained by chance.
_BY_CHANCE = 0.005


def continue_repair(
    clf, biased, X, y, sensitive_features, *, difference_bound, max_epochs, caller
):
    """Repair a point further, from the multipliers that it was trained with.

    Parameters
    ----------
    clf : RunnerFairClassifier
        From :func:`~skfair_runner.frontier._points.classifier_around`; trained in
        place.

    biased : RunnerFairClassifier
        The point of weight 0, whose neurons are compared with the refined ones.

    X, y, sensitive_features
        As of :meth:`~skfair_runner.RunnerFairClassifier.fit`.

    difference_bound : float
        What the controller holds, where there is one; or the difference that the point
        has on these rows, if that is smaller.

    max_epochs : int
        Epochs, at a quarter of the learning rate, which falls to zero.

    caller : str
        Who asks, for messages.

    Returns
    -------
    gained : bool
        Whether the point is no worse than before on these rows: in accuracy less what
        its difference is beyond the bound.

    Warns
    -----
    SkfairRunnerWarning
        If it is worse.
    """
    constraint = resolve_constraint(clf.constraint)
    data = clf._read(
        X,
        y,
        sensitive_features,
        None,
        constraint,
        classes=clf.classes_,
        names=clf.groups_,
        reset=False,
        caller=caller,
    )
    check_cells(data, constraint, clf.sampling, clf.net_.task.positive, caller)
    with opened(data.X):
        return _trained_further(clf, biased, data, difference_bound, max_epochs, caller)


def _trained_further(clf, biased, data, difference_bound, max_epochs, caller):
    """The same on data that were read."""
    net, train = clf.net_, make_dataset(data, data.rows)
    # Weights of cells and the shift of the criterion are those of these rows.
    net.task = make_task(
        clf, data, data.rows, positive=net.task.positive, output=net.task.output
    )
    net.set_params(lr=_SHARE_OF_LR * net.lr)
    asked = difference_bound
    before = _accuracy_and_difference(clf, data)
    if net.controller_ is not None:
        state = net.controller_.state_dict()
        # Differences of training rows flatter: the point's own must not be given up.
        difference_bound = min(difference_bound, before[1])
        net.plan = replace(net.plan, difference_bound=difference_bound)
        net.controller_ = net.make_controller(state["initial"])
        net.controller_.load_state_dict(state)
        clf.difference_bound = difference_bound
    clf.max_epochs = max_epochs
    with own_randomness(draw_seed(clf.random_state), clf.device):
        net.train_phase("repair", train, None, max_epochs, at_the_end=True)
        net.before_ = biased.net_.diagnose(train, clf.importance)
        clf._publish(net, data, {**clf.settings_, "max_epochs": max_epochs}, train)
    after = _accuracy_and_difference(clf, data)
    if net.plan.constraint.metric is None:
        return True  # a gap of the user's, which is no difference of rates
    worth = [
        accuracy - MULTIPLIER_LIMIT * max(difference - asked, 0.0)
        for accuracy, difference in (before, after)
    ]
    gained = worth[1] >= worth[0] - _BY_CHANCE
    if not gained:
        _warn_of_loss(before, after, caller)
    return gained


def _accuracy_and_difference(clf, data):
    """Accuracy, and the difference that the constraint is about, on some rows."""
    decided = probabilities(clf.net_.decision_values(data.X)).argmax(axis=1)
    pos_label = None
    if len(data.classes) == 2:
        pos_label = data.classes.tolist()[clf.net_.task.positive]
    row = summary(data, decided, None, pos_label)
    return row["accuracy"], row[watched_difference(clf.net_.plan.constraint)]


def _warn_of_loss(before, after, caller):
    """Say that the repair was of no use."""
    (accuracy, difference), (now_accurate, now_different) = before, after
    warnings.warn(
        f"{caller}: on these rows the point had an accuracy of {accuracy:.4f} and a "
        f"difference of {difference:.4f}; refined it would have {now_accurate:.4f} and "
        f"{now_different:.4f}, which is worse. The point itself is handed out.",
        SkfairRunnerWarning,
        # The caller of refine.
        stacklevel=5,
    )
