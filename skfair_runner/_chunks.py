"""What `partial_fit` asks for: the classes to come, and a net that takes a chunk."""

from __future__ import annotations

import copy
from contextlib import contextmanager

import numpy as np

from ._building import build_net, make_task
from .groups import check_at_least_two


def announced_classes(estimator, classes):
    """Classes that an estimator knows, or is told by its first chunk.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Fitted, or about to see its first chunk.

    classes : array-like of shape (n_classes,) or None
        What the user passed.

    Returns
    -------
    classes : array-like of shape (n_classes,)
        All labels that will occur.

    Raises
    ------
    ValueError
        If there are none, or not those that are known.
    """
    if not hasattr(estimator, "net_"):
        if classes is None:
            raise ValueError(
                "The first call of partial_fit must be told every label that will "
                "occur: pass classes=numpy.unique(all labels)."
            )
        return classes
    known = estimator.classes_
    if classes is not None and not np.array_equal(np.unique(classes), known):
        raise ValueError(
            f"classes={np.unique(classes).tolist()} are not those of the first "
            f"call, {known.tolist()}: leave classes out."
        )
    return known


def first_net(estimator, constraint, data, train):
    """A new net, diagnosed before anything is trained.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Its parameters are read.

    constraint : Constraint or None
        What its `constraint` means.

    data : TrainingData
        The first chunk.

    train : GroupedDataset
        The same chunk, for the net.

    Returns
    -------
    net : RunnerNet
        Ready to train.

    settings : dict
        What every "auto" was resolved to.

    Raises
    ------
    ValueError
        If there is a constraint, and fewer than two groups.
    """
    if constraint is not None:
        check_at_least_two(data.groups, f"{type(estimator).__name__}.partial_fit")
    net, settings = build_net(
        estimator,
        data,
        data.rows,
        module=estimator.module,
        constraint=constraint,
        positive=estimator._favourable(constraint, data.classes),
        skorch_parameters=estimator._skorch_parameters,
    )
    net.start(train)
    if net.plan is not None:
        net.before_ = net.diagnose(train, net.plan.importance)
    return net, settings.as_dict()


def known_net(estimator, constraint, data, train):
    """The net of earlier chunks, told how this one's batches are drawn.

    Parameters
    ----------
    estimator : RunnerFairClassifier
        Fitted.

    constraint : Constraint or None
        What its `constraint` means.

    data : TrainingData
        A later chunk.

    train : GroupedDataset
        Ignored. Present so that both nets are asked for alike.

    Returns
    -------
    net : RunnerNet
        `net_` itself.

    settings : dict
        What every "auto" was resolved to, once.

    Raises
    ------
    ValueError
        If `constraint` is another one than the net was built for.
    """
    net = estimator.net_
    known = None if net.plan is None else net.plan.constraint
    if constraint != known:
        raise ValueError(
            f"constraint={estimator.constraint!r} is not the one that this classifier "
            f"was trained with, {None if known is None else known.name!r}: "
            "call fit, or set it back."
        )
    net.task = make_task(
        estimator,
        data,
        data.rows,
        positive=net.task.positive,
        output=net.task.output,
    )
    return net, estimator.settings_


@contextmanager
def undone_by_errors(net):
    """Put a net back as it was if the block fails; an interrupt is no failure.

    Parameters
    ----------
    net : RunnerNet
        Of earlier chunks.
    """
    parts = {"module_": net.module_, "optimizer_": net.optimizer_}
    if net.controller_ is not None:
        parts["controller_"] = net.controller_
    states = copy.deepcopy({name: part.state_dict() for name, part in parts.items()})
    kept = {name: getattr(net, name) for name in ("task", "before_", "after_")}
    n_epochs = len(net.history)
    try:
        yield
    except Exception:
        for name, part in parts.items():
            part.load_state_dict(states[name])
        vars(net).update(kept)
        del net.history[n_epochs:]
        raise
