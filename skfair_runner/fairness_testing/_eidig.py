"""EIDIG: efficient individual discriminatory instance generation.

Zhang, Zhang and Zhang, "Efficient white-box fairness testing through gradient search",
ISSTA 2021.
"""

from __future__ import annotations

from numbers import Integral, Real

from skfair_runner.fairness_testing._base import BUDGET, COUNT
from skfair_runner.fairness_testing._gradient_search import GradientSearch
from skfair_runner.utils import Interval


def decision_margin(logits):
    """How far each row's decision is from changing.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, 1) or (n_samples, n_classes)
        One column for two classes.

    Returns
    -------
    margin : Tensor of shape (n_samples,)
        Largest minus second largest logit; not negative.

    Examples
    --------
    >>> import torch
    >>> decision_margin(torch.tensor([[2.0], [-3.0]]))
    tensor([2., 3.])
    >>> decision_margin(torch.tensor([[2.0, 5.0, 4.0]]))
    tensor([1.])
    """
    if logits.shape[1] == 1:
        return logits[:, 0].abs()
    top = logits.topk(2, dim=1).values
    return top[:, 0] - top[:, 1]


class EIDIG(GradientSearch):
    """Gradient search with momentum and few gradients; the usual first choice.

    As :class:`ADF`, but it follows the gradient of the output instead of the loss,
    keeps half of the earlier gradients as momentum while rows are moved to the
    boundary, and computes a walker's gradients anew only after some successes.

    Parameters
    ----------
    n_global : int, default=1000
        Number of rows to start from, at most.

    n_local : int, default=1000
        Number of steps of each walker.

    refresh : float, default=5
        Successes after which a walker's gradients are computed anew, at least 1;
        ``float("inf")`` never does (the published EIDIG-5 and EIDIG-INF).

    momentum : float, default=0.5
        Share of the earlier gradients that is kept, in [0, 1).

    n_clusters : int, default=4
        Number of clusters of k-means.

    max_iter : int, default=10
        Number of moves of each row, at most.

    budget : int or None, default=None
        Number of distinct instances that may be tried, of which half may be used before
        the walks. None: as many as the steps lead to.

    random_state : int, RandomState or None, default=None
        Seed.

    See Also
    --------
    Aequitas : For models without gradients.

    Notes
    -----
    The output is the logit, the difference of the two largest where there are more
    classes: it has the sign of the probability's gradient, and does not vanish where
    the model is sure. A walker whose step fails goes back by one step, where the
    published one goes back to where it started; see :class:`ADF` for the rest.

    References
    ----------
    .. [1] L. Zhang, Y. Zhang and M. Zhang, "Efficient white-box fairness testing
       through gradient search", ISSTA 2021.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.fairness_testing import EIDIG
    >>> net = torch.nn.Linear(3, 1)
    >>> with torch.no_grad():
    ...     _ = net.weight.copy_(torch.tensor([[1.0, 1.0, 1.0]])), net.bias.fill_(-9.5)
    >>> X = torch.cartesian_prod(*[torch.arange(8.0)] * 2, torch.arange(2.0)).numpy()
    >>> search = EIDIG(n_global=20, n_local=50, random_state=0)
    >>> search.search(net, X, sensitive_features=2).found  # x0 + x1 is 9
    6
    """

    _parameter_constraints: dict = {
        "n_global": COUNT,
        "n_local": COUNT,
        "refresh": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 1, None, closed="both"),
        ],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "n_clusters": COUNT,
        "max_iter": COUNT,
        "budget": BUDGET,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_global=1000,
        n_local=1000,
        refresh=5,
        momentum=0.5,
        n_clusters=4,
        max_iter=10,
        budget=None,
        random_state=None,
    ):
        self.n_global = n_global
        self.n_local = n_local
        self.refresh = refresh
        self.momentum = momentum
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.budget = budget
        self.random_state = random_state

    def _objective(self, model, rng):
        return lambda inputs: -decision_margin(model.logits(inputs))
