"""Base of the methods that change how the shared net is trained."""

from skfair_runner._surprises import Voice
from skfair_runner.baselines._one_estimator import TrainsOneEstimator
from skfair_runner.classifier import RunnerFairClassifier
from skfair_runner.conditions import resolve_constraint
from skfair_runner.groups import cell_counts, check_no_empty_cell


class TrainsTheNet(TrainsOneEstimator):
    """Decides as the net in `estimator_`, which `fit` trains in another way.

    Module, optimizer and the epochs of both phases are those of `estimator`, a
    RunnerFairClassifier that would train plainly.
    """

    # What a warning advises where the net becomes constant.
    _when_constant = "train longer"

    def _net(self, **parameters):
        """Seeded copy of the estimator, with these parameters."""
        caller = f"{type(self).__name__}.fit"
        estimator = self._estimator_or_net()
        if not isinstance(estimator, RunnerFairClassifier):
            raise TypeError(
                f"{caller} changes how a net is trained, so its estimator is a "
                f"RunnerFairClassifier, not a {type(estimator).__name__}: pass "
                "RunnerFairClassifier(constraint=None). Where features are prepared "
                f"first, {type(self).__name__} itself is the last step of the pipeline."
            )
        if estimator.constraint is not None:
            raise ValueError(
                f"{caller} trains its estimator in its own way, but that one has "
                f"constraint={estimator.constraint!r} and would be repaired, too: pass "
                "RunnerFairClassifier(constraint=None)."
            )
        net = self._base_estimator().set_params(**parameters)
        # Warnings name this class, whose `fit` and its wrapper the user has called.
        net._voice = Voice(type(self).__name__, self._when_constant, n_frames=2)
        return net

    def _check_compared_cells(self, task):
        """Refuse a group that lacks a label within which the constraint compares."""
        constraint = resolve_constraint(self.constraint)
        if constraint.within == "everybody":
            return
        n_labels, n_groups = len(self.classes_), task.groups.n_groups
        counts = cell_counts(task.codes, task.groups.codes, n_labels, n_groups)
        pools = constraint.activation_pools(n_labels, task.favourable)
        compared = pools.sum(0).numpy() > 0
        check_no_empty_cell(
            counts[compared],
            self.classes_[compared],
            task.groups.names,
            f"{type(self).__name__}.fit",
            f"constraint={self.constraint!r}",
        )

    def _check_every_epoch_counts(self, net):
        """Refuse a net that would keep an epoch for its plain loss."""
        if net.early_stopping:
            raise ValueError(
                f"{type(self).__name__}.fit: early_stopping=True keeps the epoch with "
                "the smallest plain loss on held-out rows, which is the one that gave "
                "least to what this method adds: pass an estimator with "
                "early_stopping=False."
            )

    @property
    def history_(self):
        """One row per epoch of both phases, as a DataFrame."""
        return self.estimator_.history_
