"""ADF: adversarial discrimination finder, by gradients of the loss.

Zhang, Wang, Sun, Dong, Wang, Wang, Dong and Dai, "White-box fairness testing through
adversarial sampling", ICSE 2020.
"""

from __future__ import annotations

from torch.nn import functional as F

from skfair_runner.fairness_testing._base import BUDGET, COUNT
from skfair_runner.fairness_testing._gradient_search import GradientSearch


def decision_loss(logits):
    """Cross-entropy of each row with its own decision as the label.

    Parameters
    ----------
    logits : Tensor of shape (n_samples, 1) or (n_samples, n_classes)
        One column for two classes.

    Returns
    -------
    loss : Tensor of shape (n_samples,)
        Not negative; zero where the decision is certain.

    Examples
    --------
    >>> import torch
    >>> decision_loss(torch.tensor([[0.0], [9.0], [-9.0]])).round(decimals=3)
    tensor([0.6930, 0.0000, 0.0000])
    """
    if logits.shape[1] == 1:
        return F.softplus(-logits[:, 0].abs())
    return F.cross_entropy(logits, logits.argmax(1), reduction="none")


class ADF(GradientSearch):
    """Adversarial discrimination finder: follows gradients of the loss.

    Rows of the data, in turn from each of a few clusters, are moved towards the
    decision boundary, in columns where the loss gradients of the row and of its twin
    agree in sign. The twin is the row with the sensitive values whose score differs
    most. From every hit a walker changes one column at a time, which it draws with a
    probability that falls with the two gradients, and goes on from there as long as the
    instance stays discriminatory.

    Parameters
    ----------
    n_global : int, default=1000
        Number of rows to start from, at most.

    n_local : int, default=1000
        Number of steps of each walker.

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
    EIDIG : The same with fewer gradients, which do not vanish where the model is sure.

    Notes
    -----
    All rows move in lockstep, as one batch. Where no column agrees, or every gradient
    is zero, a row takes a random step. Categories have no order: among all levels of
    all of them, the one change that helps row and twin most to first order is made. A
    walker whose step fails goes back by one step.

    References
    ----------
    .. [1] P. Zhang et al., "White-box fairness testing through adversarial sampling",
       ICSE 2020.

    Examples
    --------
    >>> import torch
    >>> from skfair_runner.fairness_testing import ADF
    >>> net = torch.nn.Linear(3, 1)
    >>> with torch.no_grad():
    ...     _ = net.weight.copy_(torch.tensor([[1.0, 1.0, 1.0]])), net.bias.fill_(-9.5)
    >>> X = torch.cartesian_prod(*[torch.arange(8.0)] * 2, torch.arange(2.0)).numpy()
    >>> search = ADF(n_global=20, n_local=50, random_state=0)
    >>> pairs = search.search(net, X, sensitive_features=2).pairs
    >>> pairs.eval("x0 + x1").unique().tolist()  # 9 alone, 10 with the sensitive one
    [9.0]
    """

    _parameter_constraints: dict = {
        "n_global": COUNT,
        "n_local": COUNT,
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
        n_clusters=4,
        max_iter=10,
        budget=None,
        random_state=None,
    ):
        self.n_global = n_global
        self.n_local = n_local
        self.n_clusters = n_clusters
        self.max_iter = max_iter
        self.budget = budget
        self.random_state = random_state

    def _objective(self, model, rng):
        return lambda inputs: decision_loss(model.logits(inputs))
