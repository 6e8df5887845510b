"""What the responsible neurons tell: how many to hold, and what silencing them does.

The questions RQ4 to RQ6 of Li et al. (RUNNER, ICSE 2024), on tables:

* how accuracy and difference depend on the share k of neurons that is held responsible,
  in the published settings and in ours;
* whether more important neurons discriminate more, in bands of a fifth of each layer's
  neurons, in an unrepaired net and in a repaired one;
* what silencing such a band of the unrepaired net does to loss, average precision and
  difference.

One row per data set, criterion, seed and setting or band, appended to two CSV files as
it is made; a run that was stopped goes on where it left off. All figures are of the
test part of 60/20/20 splits; nothing is chosen on it, or at all.

    python -m benchmarks.neurons --datasets compas credit lsac_sex adult --seeds 5
    python -m benchmarks.neurons --report --out docs/benchmarks
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import pandas as pd
import torch
from sklearn.metrics import average_precision_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._neuron_figures import (
    BANDS,
    DIFFERENCE,
    FORMS,
    NAMES,
    draw_discrimination,
    draw_shares,
    draw_silenced,
)
from benchmarks._report import append_row, known_keys, mean_and_spread, write_table
from benchmarks.effect import fit
from benchmarks.experiments.data import CRITERIA, load_case, measure_part
from skfair_runner import RunnerFairClassifier, diagnose_neurons, paper_settings
from skfair_runner.activations import silence_neurons, trace_layers
from skfair_runner.utils import SkfairRunnerWarning

SHARES = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
FOLDER = Path(__file__).parent / "results"
TOP_K, BANDED = "neurons_top_k.csv", "neurons_bands.csv"
TOP_K_KEY = ["dataset", "criterion", "settings", "top_k", "seed"]
BANDS_KEY = ["dataset", "criterion", "seed"]


def published(case, criterion, top_k):
    """The paper's settings on scaled features, with another share of neurons."""
    dataset = case.name.split("_")[0]
    if dataset not in ("adult", "compas", "credit", "lsac"):
        dataset = "adult"
    settings = {**paper_settings(criterion, dataset), "top_k": top_k}
    return make_pipeline(
        StandardScaler(with_mean=False),
        RunnerFairClassifier(
            **settings, pos_label=case.favourable, random_state=case.seed
        ),
    )


def penalty_alone(case, criterion, top_k):
    """Our net and schedule with the neuron penalty alone, as strong as the paper's."""
    return RunnerFairClassifier(
        criterion,
        difference_bound=None,
        alpha=1.0,
        top_k=top_k,
        pos_label=case.favourable,
        random_state=case.seed,
    )


def controlled(case, criterion, top_k):
    """Our default, whose output term does most of the work."""
    return RunnerFairClassifier(
        criterion, top_k=top_k, pos_label=case.favourable, random_state=case.seed
    )


SETTINGS = {
    "as published": published,
    "neurons alone": penalty_alone,
    "default": controlled,
}


def top_k_row(case, criterion, settings, top_k):
    """Test figures of one share of neurons."""
    classifier = SETTINGS[settings](case, criterion, top_k)
    fit(classifier, case.train.X, case.train.y, case.train.groups)
    figures = measure_part(classifier, case.test, case.favourable)
    return {"top_k": top_k, "settings": settings, **figures}


def bands_of(neurons):
    """Band of each neuron, 1 the most important fifth of its layer.

    Parameters
    ----------
    neurons : DataFrame
        Columns layer and rank (1 is the most important).

    Returns
    -------
    bands : Series of int
        In 1 to 5.
    """
    size = neurons.groupby("layer")["rank"].transform("size")
    return ((neurons["rank"] - 1) * BANDS // size + 1).astype(int)


def _diagnosis(classifier, part, criterion, form):
    found = diagnose_neurons(
        classifier,
        part.X,
        part.y,
        sensitive_features=part.groups,
        constraint=criterion,
        importance=form,
    )
    return found.assign(band=bands_of(found))


def _figures(classifier, part, favourable, criterion):
    """Loss, average precision and difference."""
    scores = classifier.predict_proba(part.X)
    column = classifier.classes_.tolist().index(favourable)
    return {
        "loss": log_loss(part.y, scores, labels=classifier.classes_),
        "AP": average_precision_score(part.y == favourable, scores[:, column]),
        "difference": measure_part(classifier, part, favourable)[DIFFERENCE[criterion]],
    }


def silenced(classifier, neurons, part, favourable, criterion):
    """Figures of a classifier while some of its neurons emit nothing."""
    module = classifier.net_.module_
    layers = trace_layers(module, torch.zeros(2, part.X.shape[1]))
    chosen = {
        layer: torch.tensor(rows["neuron"].tolist())
        for layer, rows in neurons.groupby("layer")
    }
    with silence_neurons(module, layers, chosen):
        return _figures(classifier, part, favourable, criterion)


def band_rows(case, criterion):
    """Rows of all bands and forms of importance, from one net and one repaired."""
    train, test = case.train, case.test
    nets = {
        "unrepaired": RunnerFairClassifier(None, random_state=case.seed),
        "repaired": RunnerFairClassifier(
            criterion,
            difference_bound=0.0,
            pos_label=case.favourable,
            random_state=case.seed,
        ),
    }
    rows = []
    for net, classifier in nets.items():
        fit(classifier, train.X, train.y, train.groups)
        whole = _figures(classifier, test, case.favourable, criterion)
        for form in FORMS:
            found = _diagnosis(classifier, test, criterion, form)
            for band, part in found.groupby("band"):
                row = {
                    "net": net,
                    "importance form": form,
                    "band": band,
                    "neurons": len(part),
                    "importance": part["importance"].mean(),
                    "discrimination": part["discrimination"].mean(),
                }
                without = silenced(classifier, part, test, case.favourable, criterion)
                row |= {
                    f"{name} silenced": without[name] - value
                    for name, value in whole.items()
                }
                rows.append({**row, **whole})
    return rows


def run(options):
    """Make the rows that are not there yet, seed after seed."""
    torch.set_num_threads(1)
    top_k, bands = options.results / TOP_K, options.results / BANDED
    for seed in range(options.seeds):
        for dataset in options.datasets:
            case = None
            for criterion in CRITERIA:
                tasks = [(settings, k) for settings in options.methods for k in SHARES]
                known = known_keys(top_k, TOP_K_KEY)
                about = {"dataset": dataset, "criterion": criterion, "seed": seed}
                for settings, k in tasks:
                    if (dataset, criterion, settings, k, seed) in known:
                        continue
                    case = case or load_case(dataset, seed, options.data_home)
                    append_row(
                        {**about, **top_k_row(case, criterion, settings, k)}, top_k
                    )
                if (dataset, criterion, seed) not in known_keys(bands, BANDS_KEY):
                    case = case or load_case(dataset, seed, options.data_home)
                    for row in band_rows(case, criterion):
                        append_row({**about, **row}, bands)


def table_of_shares(rows):
    """Average precision and difference by share of neurons."""
    table = []
    keys = ["dataset", "criterion", "settings"]
    for (dataset, criterion, settings), part in rows.groupby(keys, sort=False):
        measure = DIFFERENCE[criterion]
        for column, title in (("AP", "AP"), (measure, "difference")):
            line = {
                "data set": NAMES[dataset],
                "constraint": criterion.replace("_", " "),
                "settings": settings,
                "": title,
                "seeds": part["seed"].nunique(),
            }
            for share, own in part.groupby("top_k"):
                line[f"k = {share:.0%}"] = mean_and_spread(own[column])
            table.append(line)
    return pd.DataFrame(table)


def table_of_bands(rows):
    """Discrimination, and what silencing changes, by band; band 1 matters most."""
    table = []
    keys = ["dataset", "criterion", "importance form", "net"]
    shown = {
        "discrimination": "discrimination",
        "loss silenced": "change of loss",
        "AP silenced": "change of AP",
        "difference silenced": "change of difference",
    }
    for (dataset, criterion, form, net), part in rows.groupby(keys, sort=False):
        for column, title in shown.items():
            if net == "repaired" and column != "discrimination":
                continue
            line = {
                "data set": NAMES[dataset],
                "constraint": criterion.replace("_", " "),
                "importance": form,
                "net": net,
                "": title,
                "seeds": part["seed"].nunique(),
            }
            whole = column.removesuffix(" silenced")
            line["nothing silenced"] = ""
            if whole != column:
                line["nothing silenced"] = mean_and_spread(
                    part.groupby("seed")[whole].first()
                )
            for band, own in part.groupby("band"):
                line[f"band {band}"] = mean_and_spread(own[column])
            table.append(line)
    return pd.DataFrame(table)


def report(folder, out):
    """Print the tables; write them, and the figures, where that was asked for."""
    top_k, bands = pd.read_csv(folder / TOP_K), pd.read_csv(folder / BANDED)
    write_table(
        table_of_shares(top_k),
        title="Share of neurons held responsible",
        out=out,
        name="neurons_top_k",
    )
    write_table(
        table_of_bands(bands),
        title="Bands of a fifth of the neurons, most important first",
        out=out,
        name="neurons_bands",
    )
    if out is not None:
        draw_shares(top_k, Path(out) / "neurons_top_k.png")
        draw_discrimination(bands, Path(out) / "neurons_discrimination.png")
        draw_silenced(bands, Path(out) / "neurons_silenced.png")


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--datasets", nargs="+", default=["compas", "credit", "lsac_sex", "adult"]
    )
    parser.add_argument(
        "--methods", nargs="+", default=list(SETTINGS), choices=list(SETTINGS)
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-home", default=None)
    parser.add_argument("--results", type=Path, default=FOLDER, help="folder")
    parser.add_argument("--report", action="store_true", help="only print the tables")
    parser.add_argument("--out", type=Path, default=None, help="folder for the tables")
    parser.add_argument("--quick", action="store_true", help="generated data, one seed")
    options = parser.parse_args(arguments)
    if options.quick:
        options.datasets, options.seeds = ["biased"], 1
        options.methods = ["default"]
        options.results = Path(tempfile.mkdtemp())
    if not options.report:
        with warnings.catch_warnings():
            # Constant classifiers and unmet bounds are seen in the figures.
            warnings.simplefilter("ignore", SkfairRunnerWarning)
            run(options)
    report(options.results, options.out)


if __name__ == "__main__":
    main()
