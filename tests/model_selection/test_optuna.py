"""Candidates that optuna proposes: where from, how often, with which knowledge."""

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint, uniform

optuna = pytest.importorskip("optuna", reason="needs the extra optuna")

from skfair_runner.model_selection._optuna import OptunaProposals  # noqa: E402

SPACE = {
    "rate": loguniform(1e-4, 1e-1),
    "share": uniform(2, 3),
    "width": randint(3, 6),
    "anything": norm(),
    "kind": ["a", None, (8, 8)],
}


def test_proposals_lie_in_the_space():
    asked = OptunaProposals(SPACE, 0).ask(60)
    assert len(asked) == 60
    rates = np.array([each["rate"] for each in asked])
    assert ((rates >= 1e-4) & (rates <= 1e-1)).all()
    assert 0.2 < (rates < 10**-2.5).mean() < 0.8  # even on its own scale
    assert all(2 <= each["share"] <= 5 for each in asked)
    assert {each["width"] for each in asked} == {3, 4, 5}
    assert all(type(each["width"]) is int for each in asked)
    assert {each["kind"] for each in asked} == {"a", None, (8, 8)}
    assert all(np.isfinite(each["anything"]) for each in asked)


def test_the_seed_decides():
    first, again, other = (OptunaProposals(SPACE, seed).ask(5) for seed in (0, 0, 1))
    assert first == again != other


def test_of_several_spaces_one_is_taken():
    asked = OptunaProposals([{"a": [1, 2]}, {"b": uniform()}], 0).ask(20)
    assert {tuple(each) for each in asked} == {("a",), ("b",)}


def test_nothing_is_proposed_twice_and_what_is_known_is_told_again():
    proposals = OptunaProposals({"a": [1, 2]}, 0)
    assert len(proposals.ask(10)) == 2
    proposals.tell([0.9, 0.8], [0.1, 0.0])
    assert proposals.ask(10) == []
    proposals.tell([], [])
    assert all(
        trial.state == optuna.trial.TrialState.COMPLETE
        for trial in proposals._study.trials
    )


def test_what_failed_is_told_as_failed():
    proposals = OptunaProposals({"a": uniform()}, 0)
    proposals.ask(2)
    proposals.tell([0.9, np.nan], [0.1, np.nan])
    states = [trial.state.name for trial in proposals._study.trials]
    assert states == ["COMPLETE", "FAIL"]


def test_later_proposals_are_better_than_earlier_ones():
    """Utility and difference both want `a` near 0.5 and `b` small."""
    proposals = OptunaProposals({"a": uniform(), "b": uniform()}, 0)
    distances = []
    for _ in range(12):
        asked = proposals.ask(5)
        far = np.array([abs(each["a"] - 0.5) + each["b"] for each in asked])
        proposals.tell(-far, far)
        distances.append(far.mean())
    assert np.mean(distances[-4:]) < 0.5 * np.mean(distances[:2])


def test_a_sampler_of_the_users_is_copied():
    sampler = optuna.samplers.NSGAIISampler(population_size=5, seed=0)
    first, again = (OptunaProposals(SPACE, 9, sampler).ask(3) for _ in range(2))
    assert first == again


def test_a_distribution_needs_quantiles():
    class Draws:
        def rvs(self, random_state=None):
            return 1.0

    with pytest.raises(ValueError, match="that of 'a' has no method ppf"):
        OptunaProposals({"a": Draws()}, 0)
