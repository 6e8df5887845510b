"""The state of a training in a file, from which it goes on as if it had not stopped."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import sparse
from skorch.utils import to_device
from torch import Tensor

from .batches import GroupedDataset
from .control import OutputController
from .diagnosis import Diagnosis
from .images import ImageSource
from .utils import atomic_write

# What else a training depends on, besides its data, plan and initial weights.
_DECISIVE = (
    "warmup_epochs",
    "max_epochs",
    "warmup_lr",
    "lr",
    "lr_schedule",
    "batch_size",
    "mixed_precision",
)
_DECISIVE_PREFIXES = ("optimizer__", "criterion__", "iterator_train__")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_FORMAT = "skfair-runner checkpoint 1"


@dataclass
class Checkpoint:
    """Everything that the rest of a training depends on, but for data and parameters.

    Attributes
    ----------
    training : str
        What :func:`fingerprint` says of data, parameters, module and seed.

    phase : str
        The phase that was under way.

    epochs, steps : int
        Of this phase, done so far.

    module, optimizer : dict
        Their ``state_dict``.

    controller : dict of str to Tensor or None
        The controller's; None where there is none yet.

    selected : dict of str to Tensor
        Neurons held responsible, by layer.

    diagnosis : dict or None
        Gap, importance and discrimination of the biased module, as tensors.

    scaler : dict
        Of the gradients of float16; empty for others.

    history : list of dict
        One row per epoch of both phases.

    random : list of Tensor
        States of torch's generators: of the processor, and of the device if another.
    """

    training: str
    phase: str
    epochs: int
    steps: int
    module: dict
    optimizer: dict
    controller: dict[str, Tensor] | None
    selected: dict[str, Tensor]
    diagnosis: dict | None
    scaler: dict
    history: list[dict]
    random: list[Tensor]

    def write(self, path: str | os.PathLike) -> None:
        """Write it, in full or not at all.

        Parameters
        ----------
        path : str or path-like
            File; its folder must exist.
        """
        state = {**vars(self), "format": _FORMAT}
        # Python's numbers in JSON come back exactly, and as nothing else.
        state["history"] = json.dumps(self.history, default=lambda value: value.item())
        with atomic_write(path) as file:
            torch.save(state, file)


def read_checkpoint(path: str | os.PathLike, training: str) -> Checkpoint | None:
    """What a file says of a training; nothing in it is executed.

    Parameters
    ----------
    path : str or path-like
        File of :meth:`Checkpoint.write`.

    training : str
        Fingerprint of the training that wants to go on.

    Returns
    -------
    checkpoint : Checkpoint or None
        None where there is no file yet.

    Raises
    ------
    ValueError
        If the file is no checkpoint, or that of another training.
    """
    if not Path(path).exists():
        return None
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        known = isinstance(state, dict) and state.pop("format", None) == _FORMAT
    # torch has no common error for what it cannot read.
    except Exception as error:
        raise ValueError(
            f"checkpoint={os.fspath(path)!r} cannot be read as a checkpoint "
            f"({type(error).__name__}): remove the file, or name another one."
        ) from error
    if not known:
        raise ValueError(
            f"checkpoint={os.fspath(path)!r} is no checkpoint of this version: remove "
            "the file, or name another one."
        )
    if state["training"] != training:
        raise ValueError(
            f"checkpoint={os.fspath(path)!r} belongs to another training: the data, a "
            "parameter or the seed differ (random_state=None takes another seed each "
            "time). Name another file, or remove this one to begin anew."
        )
    state["history"] = json.loads(state["history"])
    return Checkpoint(**state)


def random_states(device) -> list[Tensor]:
    """States of torch's generators that a training draws from.

    Parameters
    ----------
    device : str or torch.device
        Where it runs.

    Returns
    -------
    states : list of Tensor
        Of the processor's generator, and of the device's if it is another.
    """
    states = [torch.random.get_rng_state()]
    if torch.device(device).type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    return states


def set_random_states(states: list[Tensor], device) -> None:
    """Put generators into the states that :func:`random_states` found.

    Parameters
    ----------
    states : list of Tensor
        From a training on the same kind of device.

    device : str or torch.device
        Where the training runs.
    """
    torch.random.set_rng_state(states[0])
    if torch.device(device).type == "cuda" and len(states) > 1:
        torch.cuda.set_rng_state(states[1], device)


def fingerprint(*parts) -> str:
    """Digest of data and settings.

    Parameters
    ----------
    *parts : ndarray, sparse matrix, Tensor, images, dict, None or anything with a repr
        Arrays count by type, shape and content, lazy images by what they are read from;
        dicts by their items in order.

    Returns
    -------
    digest : str
        Equal for equal parts.

    Examples
    --------
    >>> fingerprint(np.arange(3), "a") == fingerprint(np.arange(3), "a")
    True
    >>> fingerprint(np.arange(3)) == fingerprint(np.arange(3.0))
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        _add(digest, part)
    return digest.hexdigest()


def _add(digest, part) -> None:
    if isinstance(part, Tensor):
        part = part.numpy(force=True)
    if isinstance(part, dict):
        for name, value in part.items():
            _add(digest, str(name))
            _add(digest, value)
    elif sparse.issparse(part):
        _add(digest, str(part.shape))
        for array in (part.data, part.indices, part.indptr):
            _add(digest, array)
    elif isinstance(part, ImageSource):
        for told in part.images.identity():
            _add(digest, told)
    elif isinstance(part, np.ndarray):
        digest.update(f"{part.dtype.str}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).view(np.uint8).data)
    else:
        # Another process has the same functions elsewhere in memory.
        digest.update(f"{_ADDRESS.sub('', repr(part))}\0".encode())


def _state_of(thing) -> dict | None:
    """What `thing` depends on, if there is one."""
    return None if thing is None else thing.state_dict()


class Resumable:
    """What lets a net go on from a checkpoint; mixed into RunnerNet.

    Attributes
    ----------
    training_ : str or None
        Fingerprint of the training under way; None where none writes checkpoints.

    reached_ : Checkpoint or None
        What is to be gone on from, until that phase begins.
    """

    # A net that was loaded, or handed out by a front, has never begun a training.
    training_: str | None = None
    reached_: Checkpoint | None = None
    before_: Diagnosis | None
    controller_: OutputController | None

    def take_up(self: Any, train: GroupedDataset) -> None:
        """Find where the same training was stopped, and go back there."""
        described = {
            **{name: vars(self)[name] for name in _DECISIVE},
            **{k: v for k, v in vars(self).items() if k.startswith(_DECISIVE_PREFIXES)},
            "optimizer": self.optimizer.__qualname__,
        }
        plan = None if self.plan is None else self.plan.description()
        self.training_ = fingerprint(
            described,
            plan,
            vars(self.task),
            # What has no weights, such as the rate of a dropout, is told in words.
            repr(self.module_),
            self.module_.state_dict(),
            *random_states(self.device),
            {name: train.column(name) for name in ("y", "groups", "weights")},
            train.X["X"],
            train.rows,
        )
        reached = read_checkpoint(self.checkpoint, self.training_)
        if reached is None:
            return
        self.module_.load_state_dict(reached.module)
        self.history.extend({**row, "batches": []} for row in reached.history)
        if reached.diagnosis is not None:
            self.before_ = Diagnosis.from_state_dict(reached.diagnosis)
        if reached.controller is not None:
            state = to_device(reached.controller, self.device)
            self.controller_ = self.make_controller(state["initial"])
            self.controller_.load_state_dict(state)
        self.reached_ = reached

    def restore_phase(self: Any, reached: Checkpoint) -> int:
        """Put everything back but the module; tell how many epochs are done."""
        self.reached_ = None
        self.step_ = reached.steps
        self.optimizer_.load_state_dict(reached.optimizer)
        if self.scaler_ is not None:
            self.scaler_.load_state_dict(reached.scaler)
        if self.penalty_ is not None and reached.selected:
            self.penalty_.hold(to_device(reached.selected, self.device))
        set_random_states(reached.random, self.device)
        return reached.epochs

    def write_checkpoint(self: Any) -> None:
        """Keep the state that an epoch ended in."""
        assert self.training_ is not None
        phases = [row.get("phase") for row in self.history]
        Checkpoint(
            training=self.training_,
            phase=self.phase_,
            epochs=phases.count(self.phase_),
            steps=self.step_,
            module=self.module_.state_dict(),
            optimizer=self.optimizer_.state_dict(),
            controller=_state_of(self.controller_),
            selected={} if self.penalty_ is None else self.penalty_.selected,
            diagnosis=_state_of(self.before_),
            scaler=_state_of(self.scaler_) or {},
            history=[
                {k: v for k, v in row.items() if k != "batches"} for row in self.history
            ],
            random=random_states(self.device),
        ).write(self.checkpoint)

    def resume(self: Any, history, controller_state=None, *, before=None, after=None):
        """Initialise, and take up where an earlier training stood.

        Parameters
        ----------
        history : list of dict
            One row per epoch.

        controller_state : dict of str to Tensor, default=None
            What the controller's ``state_dict`` gave; None where there was none.

        before, after : Diagnosis, default=None
            Of the biased and of the repaired module.

        Returns
        -------
        self : RunnerNet
            As after training, but for the optimizer, which remembers nothing.
        """
        self.initialize()
        self.history.extend({**row, "batches": []} for row in history)
        self.before_, self.after_, self.controller_ = before, after, None
        if controller_state is not None:
            state = to_device(controller_state, self.device)
            self.controller_ = self.make_controller(state["initial"])
            self.controller_.load_state_dict(state)
        return self
