"""What ``"auto"`` means, resolved from the data, and the paper's settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import nn

from .modules import MLP

_OPTIMIZERS = {
    "adamw": torch.optim.AdamW,
    "adam": torch.optim.Adam,
    "sgd": torch.optim.SGD,
}

# Below this number of rows the default network memorises unless it is held back.
ROWS_FOR_FULL_CAPACITY = 15_000
# Fewer optimizer steps than this leave a small network untrained.
_LEAST_STEPS = 200
# A repair of fewer steps than this gets a larger integral gain, up to the largest.
_STEPS_TO_SETTLE = 640
_LARGEST_GAIN = 0.08

# Steps of SGD are as long as the gradients, of Adam about as long as `lr`.
_LR_OF_SGD = 50

# Published for Adult (repository Ace0001/RUNNER); elsewhere ours.
_PAPER_ALPHA = {"demographic_parity": 0.3, "equalized_odds": 1.0}
_PAPER_TOP_K = {
    "demographic_parity": {"adult": 0.5, "compas": 0.05, "credit": 0.05, "lsac": 0.05},
    "equalized_odds": {"adult": 0.05, "compas": 0.05, "credit": 0.05, "lsac": 0.05},
}


@dataclass(frozen=True)
class Settings:
    """Every number that training uses, none of them ``"auto"``.

    Attributes
    ----------
    batch_size, warmup_epochs, max_epochs : int
        Rows per batch; epochs of plain training and of repair.

    warmup_lr, lr : float
        Largest learning rate of either phase.

    alpha : float
        Weight of the neuron penalty.

    gain, memory : float or dict of str to float
        Of the controller, see :class:`~skfair_runner.multipliers.RateController`; of
        several constraints by name.

    sharpness : tuple of float
        Of the relaxed decisions, at the start and at the end of the repair.

    dropout : float
        Of the default module.

    n_bins : int
        Bins per column of the default module's encoding.
    """

    batch_size: int
    warmup_epochs: int
    max_epochs: int
    warmup_lr: float
    lr: float
    alpha: float
    gain: float | dict[str, float]
    memory: float | dict[str, float]
    sharpness: tuple[float, float]
    dropout: float
    n_bins: int

    def as_dict(self) -> dict:
        """The settings by name."""
        return asdict(self)


def _controller_settings(within: str, few: bool, n_steps: int) -> tuple[float, float]:
    """Gain and memory of the controller of one constraint."""
    per_label = within != "everybody"
    gain = 0.02 if per_label and few else 0.03
    if not per_label:
        # In a short repair the multipliers have to move faster to arrive.
        haste = max(_STEPS_TO_SETTLE / max(n_steps, 1), 1.0)
        gain = min(gain * haste, _LARGEST_GAIN)
    return gain, 0.97 if per_label else 0.90


def _epochs_of_phases(
    few: bool, own_module: bool, per_label: bool, repair: str
) -> tuple[int, int]:
    """Epochs of plain training, and of what follows, a repair or more of the same."""
    if few:
        return 16, 16
    if own_module:
        return 16, 12 if per_label else 16
    # At the higher rate, the default network begins to learn rows by heart; where that
    # spoils the decisions within a label, their scores are still moving.
    return 10, 8 if per_label and repair == "decisions" else 12


def resolve_settings(
    n_samples: int,
    *,
    within: str | Mapping[str, str],
    repair: str,
    own_module: bool,
    trained: bool,
    alpha,
    batch_size,
    warmup_epochs,
    max_epochs,
    lr,
    optimizer="adamw",
) -> Settings:
    """Replace every ``"auto"`` by what was measured to work.

    Parameters
    ----------
    n_samples : int
        Rows that are trained on.

    within : str or mapping of str to str
        The constraint's population, see :class:`~skfair_runner.gaps.Constraint`; of
        several constraints by name.

    repair : {"decisions", "scores"}
        What is repaired.

    own_module : bool
        Whether the user brought the module.

    trained : bool
        Whether it comes trained, so that there is no warm-up.

    alpha, batch_size, warmup_epochs, max_epochs, lr
        Of the estimator, "auto" or a number.

    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        SGD gets 50 times the learning rates of the others.

    Returns
    -------
    settings : Settings
        Small data get small batches, a smaller network and a lower learning rate: what
        memorises the training rows meets a bound on them alone. Several constraints
        share the longest repair and the lowest rate, and each has a gain and a memory
        of its own.
    """
    if batch_size == "auto":
        power = 2 ** math.floor(math.log2(max(n_samples / 16, 1)))
        batch_size = min(max(power, 64), 512)
    steps = math.ceil(n_samples / batch_size)
    few = n_samples < ROWS_FOR_FULL_CAPACITY
    plain_lr = 1e-3 if few or own_module else 4e-3
    lr_unit = _LR_OF_SGD if _is_sgd(optimizer) else 1
    populations = within if isinstance(within, Mapping) else {"": within}
    within_labels = [one != "everybody" for one in populations.values()]
    per_label = any(within_labels)
    plain_epochs, repair_epochs = (
        max(epochs, math.ceil(_LEAST_STEPS / steps))
        for epochs in _epochs_of_phases(few, own_module, all(within_labels), repair)
    )
    # Rates within a label rest on fewer rows: slower, with a longer memory.
    repair_lr = min(plain_lr, 2e-3) if per_label else plain_lr
    # Few rows have few decisions near the threshold for a sharp relaxation to move.
    sharpness = (1.0, 3.0 if few else 8.0 if per_label else 5.0)
    auto_alpha = 0.05
    if repair == "scores":
        sharpness = (1.0, 1.0)
        # A larger weight within labels selects nobody where few are selected (Bank).
        auto_alpha = 0.5 if few or per_label else 1.0
    if warmup_epochs == "auto":
        warmup_epochs = 0 if trained else plain_epochs
    if max_epochs == "auto":
        max_epochs = repair_epochs
    found = {
        name: _controller_settings(one, few, steps * max_epochs)
        for name, one in populations.items()
    }
    gain: float | dict[str, float]
    memory: float | dict[str, float]
    if isinstance(within, Mapping):
        gain = {name: each[0] for name, each in found.items()}
        memory = {name: each[1] for name, each in found.items()}
    else:
        gain, memory = found[""]
    return Settings(
        batch_size=batch_size,
        warmup_epochs=warmup_epochs,
        max_epochs=max_epochs,
        warmup_lr=plain_lr * lr_unit if lr == "auto" else lr,
        lr=repair_lr * lr_unit if lr == "auto" else lr,
        alpha=auto_alpha if alpha == "auto" else alpha,
        gain=gain,
        memory=memory,
        sharpness=sharpness,
        dropout=0.3 if few else 0.1,
        n_bins=8 if few else 48,
    )


def _is_sgd(optimizer) -> bool:
    """Whether an optimizer, by name or class, steps along plain gradients."""
    kind = _OPTIMIZERS.get(optimizer, optimizer)
    return isinstance(kind, type) and issubclass(kind, torch.optim.SGD)


def resolve_optimizer(optimizer, device) -> tuple[type, dict]:
    """Optimizer class and its parameters.

    Parameters
    ----------
    optimizer : {"adamw", "adam", "sgd"} or class
        "adamw" decays weights by 1e-2 and leaves biases alone, "sgd" has a momentum
        of 0.9.

    device : str or torch.device
        Where parameters are. On the processor the two kinds of Adam update all of a
        parameter in one pass over memory.

    Returns
    -------
    optimizer : class
        Of :mod:`torch.optim`, or the user's.

    parameters : dict
        With skorch's prefix.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    fused = {}
    if torch.device(device).type == "cpu" and optimizer in ("adamw", "adam"):
        fused = {"optimizer__fused": True}
    if optimizer == "adamw":
        no_decay = [("*bias", {"weight_decay": 0.0})]
        return torch.optim.AdamW, {
            "optimizer__weight_decay": 1e-2,
            "optimizer__param_groups": no_decay,
            **fused,
        }
    if optimizer == "sgd":
        return torch.optim.SGD, {"optimizer__momentum": 0.9}
    if isinstance(optimizer, str):
        if optimizer not in _OPTIMIZERS:
            raise ValueError(
                f"There is no optimizer {optimizer!r}: pass one of "
                f"{sorted(_OPTIMIZERS)}, or a class of torch.optim."
            )
        return _OPTIMIZERS[optimizer], fused
    return optimizer, {}


def resolve_output(module: nn.Module, module_output: str) -> str:
    """Whether a module emits logits or probabilities.

    Parameters
    ----------
    module : nn.Module
        Any network.

    module_output : {"auto", "logits", "probabilities"}
        "auto": probabilities where the submodule that is registered last is a Sigmoid
        or Softmax.

    Returns
    -------
    output : {"logits", "probabilities"}
        The kind.
    """
    if module_output != "auto":
        return module_output
    last = list(module.modules())[-1]
    squashes = isinstance(last, nn.Sigmoid | nn.Softmax)
    return "probabilities" if squashes else "logits"


def paper_settings(constraint="demographic_parity", dataset="adult") -> dict:
    """Parameters with which RunnerFairClassifier trains as its authors did.

    No warm-up, batches balanced over groups (demographic parity, 500 rows of each) or
    over group × label (equalized odds, 500 of each), 100 steps per epoch, 10 epochs,
    Adam at a constant 1e-3, the weight form of importance on every step, an MLP of
    twice 200 neurons without encoding, no controller. For equalized odds the output gap
    enters with the same weight as the neurons. Two things differ: the authors keep the
    epoch with the smallest validation gap whatever its precision, and their features
    are binned; scale the numeric features before this network.

    Parameters
    ----------
    constraint : {"demographic_parity", "equalized_odds"}, default="demographic_parity"
        The paper's two criteria.

    dataset : {"adult", "compas", "credit", "lsac"}, default="adult"
        Sets `top_k` as published. `alpha` is published for Adult alone (0.3 and 1.0)
        and used for the other data sets as well.

    Returns
    -------
    parameters : dict
        Keyword arguments of :class:`~skfair_runner.RunnerFairClassifier`.

    Raises
    ------
    ValueError
        If the paper has no such constraint or data set.

    References
    ----------
    .. [1] T. Li et al., "RUNNER: Responsible UNfair NEuron Repair for Enhancing Deep
       Neural Network Fairness", ICSE 2024, doi 10.1145/3597503.3623334; code in the
       repository Ace0001/RUNNER.

    Examples
    --------
    >>> from skfair_runner import RunnerFairClassifier, paper_settings
    >>> settings = paper_settings("equalized_odds", "compas")
    >>> settings["top_k"], settings["alpha"], settings["output_weight"]
    (0.05, 1.0, 1.0)
    >>> clf = RunnerFairClassifier(**settings, random_state=0)
    """
    if not isinstance(constraint, str) or constraint not in _PAPER_TOP_K:
        raise ValueError(
            f"The paper has no settings for the constraint {constraint!r}: pass one of "
            f"{sorted(_PAPER_TOP_K)}."
        )
    top_k = _PAPER_TOP_K[constraint]
    if dataset not in top_k:
        raise ValueError(
            f"The paper has no tabular settings for the data set {dataset!r}: pass one "
            f"of {sorted(top_k)}."
        )
    per_label = constraint == "equalized_odds"
    alpha = _PAPER_ALPHA[constraint]
    return {
        "constraint": constraint,
        "difference_bound": None,
        "output_weight": alpha if per_label else 0.0,
        "alpha": alpha,
        "top_k": top_k[dataset],
        "importance": "weight",
        "distance": "l1",
        "diagnose_every": 1,
        "sampling": "group_label" if per_label else "group",
        "correct_prior": False,
        "warmup_epochs": 0,
        "max_epochs": 10,
        "batch_size": 2000 if per_label else 1000,
        "lr": 1e-3,
        "lr_schedule": "constant",
        "optimizer": "adam",
        "module": MLP,
        "module__hidden_layer_sizes": (200, 200),
        "iterator_train__steps_per_epoch": 100,
    }
