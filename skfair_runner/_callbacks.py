"""What watches a training: the progress bar and early stopping."""

from __future__ import annotations

from skorch.callbacks import Callback, EarlyStopping, PrintLog
from skorch.utils import noop
from tqdm.auto import tqdm

from .multipliers import MULTIPLIER_LIMIT


class EpochProgress(Callback):
    """One progress bar over the epochs of each phase."""

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        self.bar_ = tqdm(total=net.phase_epochs_, desc=net.phase_, leave=False)

    def on_epoch_end(self, net, **kwargs):
        """Advance it and show the loss and the difference."""
        row = net.history[-1]
        shown = {"loss": f"{row['train_loss']:.4f}"}
        names = [name for name in row if name.startswith("train_difference")]
        if names:
            # Of several constraints, in the order of their names' columns.
            shown["difference"] = "/".join(f"{row[name]:.3f}" for name in names)
        self.bar_.set_postfix(shown)
        self.bar_.update()

    def on_train_end(self, net, **kwargs):
        """Close it."""
        self.bar_.close()
        del self.bar_


class PhaseLog(PrintLog):
    """skorch's table of epochs, with a header for each phase, whose columns differ.

    What is a list or a dict, such as the selected neurons, is in the history alone.
    """

    def on_train_begin(self, net, **kwargs):
        """Begin a table."""
        self.first_iteration_ = True

    def table(self, row):
        """One line, of what is a number or a word."""
        return super().table(
            {k: v for k, v in row.items() if not isinstance(v, (list, dict))}
        )


class _ValidationObjective(Callback):
    """What early stopping watches: the criterion, and in repair what is aimed at."""

    def on_epoch_begin(self, net, **kwargs):
        """Begin the sums of the penalty and of the rows that it is of."""
        self.penalty_ = self.rows_ = 0.0

    def on_batch_end(self, net, batch, training, penalty=None, **kwargs):
        """Add up what a repair without a controller lowers on the watched rows."""
        if not training and penalty is not None:
            n_rows = len(batch[1])
            self.penalty_ += n_rows * float(penalty)
            self.rows_ += n_rows

    def on_epoch_end(self, net, **kwargs):
        """Record ``valid_objective``, and ``valid_penalty`` if that is part of it."""
        row = net.history[-1]
        if "valid_loss" not in row:
            return
        objective = row["valid_loss"]
        if row["phase"] == "repair" and net.plan is not None:
            if net.plan.difference_bound is not None:
                # With the largest multiplier the penalty is exact.
                several = len(net.plan.constraint.parts) > 1
                for part, bound in net.plan.bounded_parts():
                    suffix = f"_{part.name}" if several else ""
                    excess = row[f"valid_difference{suffix}"] - bound
                    objective += MULTIPLIER_LIMIT * max(excess, 0.0)
            elif self.rows_:
                penalty = self.penalty_ / self.rows_
                net.history.record("valid_penalty", penalty)
                objective += penalty
        net.history.record("valid_objective", objective)


class _EarlyStopping(EarlyStopping):
    """skorch's, idle where a phase has no rows to watch."""

    needs_no_rows = True

    def on_epoch_end(self, net, **kwargs):
        if net.valid_dataset_ is not None:
            super().on_epoch_end(net, **kwargs)


def make_early_stopping(patience: int) -> list[tuple[str, Callback]]:
    """Callbacks that end a phase which no longer improves, and keep its best epoch.

    Parameters
    ----------
    patience : int
        Epochs without improvement.

    Returns
    -------
    callbacks : list of (name, callback)
        For skorch.
    """
    stopping = _EarlyStopping(
        monitor="valid_objective", patience=patience, load_best=True, sink=noop
    )
    return [("valid_objective", _ValidationObjective()), ("early_stopping", stopping)]
