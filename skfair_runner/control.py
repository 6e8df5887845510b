r"""The controller of the output term.

A proxy-Lagrangian (Cotter, Jiang & Sridharan 2019: gradients from a relaxation,
multipliers from the decisions). At the decision threshold every sharpness of the
relaxation has slope one, so that multipliers keep their scale. Tensors carry the
gradient; :mod:`skfair_runner.multipliers` has the multipliers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from operator import add

import numpy as np
import torch
from torch import Tensor

from ._transfer import is_apart
from .cells import Cells, PricedSums
from .multipliers import Array, RateController, SelectionGuard, make_guard, place
from .relaxations import Outcome, decisions, sharpened_scores

# The sharpness rises over this share of the repair; then the multipliers settle.
_RISE = 0.5


def _read(values: Tensor) -> Array:
    """What a batch tells, without waiting for a device."""
    values = values.detach()
    return values if is_apart(values.device) else values.numpy()


class OutputController:
    """The output term: a controller for each constraint, and one guard for all.

    Parameters
    ----------
    parts : dict of str to RateController
        By the name of the constraint; their prices add up.

    selection_rates : Tensor of shape (n_columns,)
        Selection rate of the biased model, see :class:`SelectionGuard`.

    sharpness : tuple of float, default=(1.0, 5.0)
        Sharpness of the relaxation at the start and from half-way on; geometric
        between the two.

    Attributes
    ----------
    multipliers : Tensor of shape (n_conditions, n_constraints)
        Of all parts, one below the other; see :class:`RateController`.

    guard : Tensor of shape (n_columns,)
        Multiplier of the selection rate.
    """

    def __init__(
        self,
        parts: Mapping[str, RateController],
        selection_rates: Tensor,
        *,
        sharpness: tuple[float, float] = (1.0, 5.0),
    ):
        self.parts, self.sharpness = dict(parts), sharpness
        self._device = selection_rates.device
        for part in self.parts.values():
            part.place(self._device)
        # As quick as the quickest of those that could drive the rate away.
        gain = max(part.gain for part in self.parts.values())
        self._guard = make_guard(selection_rates, gain, device=self._device)

    @property
    def multipliers(self) -> Tensor:
        """Of the differences; see the class."""
        each = [torch.as_tensor(part.multipliers) for part in self.parts.values()]
        return each[0] if len(each) == 1 else torch.cat(each)

    @property
    def guard(self) -> Tensor:
        """Of the selection rates; see the class."""
        return torch.as_tensor(self._guard.multipliers)

    def penalty(
        self, outcome: Outcome, progress: float, *, observing: bool = True
    ) -> Tensor:
        """Observe one batch, move the multipliers, and return the output term.

        Parameters
        ----------
        outcome : Outcome
            Logits, with graph, and cells.

        progress : float
            Share of the repair that is over, in [0, 1].

        observing : bool, default=True
            Whether the multipliers learn from this batch.

        Returns
        -------
        penalty : Tensor of shape ()
            Σ multiplier · relaxed difference, plus the guard's term.
        """
        part = self.priced(outcome, progress, observing=observing)
        return outcome.cells.priced([part])

    def priced(
        self, outcome: Outcome, progress: float, *, observing: bool = True
    ) -> PricedSums:
        """The same as relaxed decisions and their prices.

        Parameters
        ----------
        outcome, progress, observing
            As of :meth:`penalty`.

        Returns
        -------
        part : PricedSums
            Whose total is the output term.
        """
        if observing:
            self.observe(outcome)
        cells = outcome.cells
        relaxed = sharpened_scores(outcome.logits, self.sharpness_at(progress))
        sums = cells.sums(relaxed.detach())
        return PricedSums([relaxed], sums, self.prices(cells))

    def sharpness_at(self, progress: float) -> float:
        """Sharpness of the relaxed decisions when a share of the repair is over."""
        first, last = self.sharpness
        return first * (last / first) ** min(progress / _RISE, 1.0)

    def observe(self, outcome: Outcome) -> None:
        """Pool the batch's hard rates and move the multipliers."""
        cells = outcome.cells
        decided = cells.sums(decisions(outcome.logits.detach()))
        sums, counts = _read(decided), _read(cells.counts)
        for part in self.parts.values():
            part.observe(sums, counts)
        self._guard.observe(sums, counts)

    def prices(self, cells: Cells) -> Tensor:
        """What a unit of each cell's sum of relaxed decisions costs at present.

        Parameters
        ----------
        cells : Cells
            Of a batch.

        Returns
        -------
        prices : Tensor of shape (n_labels, n_groups, n_columns)
            Of all parts and the guard.
        """
        counts = _read(cells.counts)
        each = [part.prices(counts) for part in self.parts.values()]
        # Selection rates are linear in the sums, too.
        prices = reduce(add, each) + self._guard.prices(counts)
        return torch.as_tensor(prices).to(cells.counts)

    def _holders(self) -> Iterator[tuple[str, RateController | SelectionGuard, str]]:
        """Names in the state, and where each stands."""
        for constraint, part in self.parts.items():
            prefix = "" if len(self.parts) == 1 else f"{constraint}."
            for name in part.STATE:
                yield prefix + name, part, f"_{name}"
        for name in self._guard.STATE:
            yield name, self._guard, f"_{name}"

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that a later step depends on."""
        return {
            # Plain numbers have double precision, and keep it.
            name: torch.as_tensor(
                np.array(value, ndmin=1) if isinstance(value, list | float) else value
            ).clone()
            for name, holder, attribute in self._holders()
            for value in [getattr(holder, attribute)]
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Continue from an earlier :meth:`state_dict`."""
        for name, holder, attribute in self._holders():
            setattr(holder, attribute, place(state[name], self._device))
        for part in self.parts.values():
            part.place(self._device)
        self._guard.place(self._device)
