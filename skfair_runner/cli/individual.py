"""`skfair-runner test`: search a saved model for individual discrimination."""

import warnings
from pathlib import Path

from skfair_runner.cli.cases import CaseError
from skfair_runner.cli.models import read_model
from skfair_runner.cli.options import (
    DATA_OPTIONS,
    MODEL_ARGUMENT,
    OUTPUT_OPTIONS,
    SEED_OPTION,
    check_choice,
    find_case,
    make_folder,
    usage_errors,
)
from skfair_runner.cli.results import write_csv
from skfair_runner.cli.screen import open_console, say, say_notes
from skfair_runner.cli.tables import count_rows
from skfair_runner.fairness_testing import Space, search
from skfair_runner.fairness_testing._search import METHODS

TEST_OPTIONS = {
    **MODEL_ARGUMENT,
    **DATA_OPTIONS,
    "method": (str, {"help": f"Which search, one of {', '.join(METHODS)}."}),
    "budget": (
        int | None,
        {"help": "Distinct instances to try; chosen by the method.", "min": 1},
    ),
    "immutable": (
        list[str] | None,
        {"help": "Column that is not changed; repeat it.", "metavar": "<str>"},
    ),
    **SEED_OPTION,
    **OUTPUT_OPTIONS,
}


def test(
    model,
    dataset=None,
    data_home=None,
    data=None,
    target=None,
    sensitive=None,
    positive=None,
    method="eidig",
    budget=None,
    immutable=None,
    seed=0,
    out=Path("individual-discrimination"),
    quiet=False,
):
    """Search a model for people who would be decided otherwise with another group.

    MODEL is a folder or zip file that skfair_runner.save wrote, of a model that is fed
    with the sensitive columns. Pairs of rows that are alike but for these columns, and
    that the model decides differently, are written to pairs.csv in the folder --out;
    the course of the search to trace.csv; and to rates.csv how frequent such people
    are.
    """
    screen = open_console(quiet=quiet)
    with usage_errors():
        case = find_case(dataset, data_home, data, target, sensitive, positive)
        check_choice("--method", method, METHODS)
        make_folder(out)
        trained = read_model(model, case, saved_only=True)
        X, notes = _rows(trained, case)
        result, told = _search(
            trained.estimator,
            X,
            sensitive=list(case.groups),
            immutable=immutable or [],
            method=method,
            budget=budget,
            random_state=seed,
        )
    say(screen, result.summary())
    say_notes(screen, [*case.notes, *notes, *told])
    write_csv(screen, "Pairs", result.pairs, out / "pairs.csv", index=False)
    write_csv(screen, "Trace", result.trace, out / "trace.csv", index=False)
    write_csv(screen, "Rates", result.rates, out / "rates.csv", index=True)


def _rows(trained, case):
    """The columns that the model takes, in rows where no number is missing."""
    names = getattr(trained.estimator, "feature_names_in_", None)
    if names is None or trained.own_module:
        raise CaseError(
            "MODEL",
            f"the model at {trained.path} does not know its features by name, so it "
            "cannot be told which of them are exchanged: save one that was trained on "
            "a table with column names.",
        )
    absent = [name for name in case.groups if name not in names]
    if absent:
        raise CaseError(
            "--sensitive",
            f"the model at {trained.path} is not fed with {absent[0]!r}, so its "
            f"decisions cannot depend on that column alone; its features are "
            f"{', '.join(map(str, names))}.",
        )
    X = case.X[[name for name in names if name in case.X.columns]]
    missing = X.select_dtypes("number").isna().any(axis=1)
    missing |= X[list(case.groups)].isna().any(axis=1)
    if missing.all():
        raise CaseError(
            "--data",
            f"every one of the {len(X)} rows of {case.name} lacks a number or a group: "
            "fill them first.",
        )
    notes = []
    if missing.any():
        notes.append(
            f"Left out: {missing.sum()} of {count_rows(len(X))} without a number or a "
            "group."
        )
    return X[~missing], notes


def _search(model, X, *, sensitive, immutable, method, budget, random_state):
    """Result of the search, and what was warned of."""
    unknown = [name for name in immutable if name not in X.columns]
    if unknown:
        raise CaseError(
            "--immutable",
            f"{unknown[0]!r} is not a feature of the model; they are "
            f"{', '.join(map(str, X.columns))}.",
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            space = Space.from_data(
                X, sensitive_features=sensitive, immutable=immutable
            )
            result = search(
                model,
                X,
                space=space,
                method=method,
                budget=budget,
                random_state=random_state,
            )
        except (ImportError, TypeError, ValueError) as error:
            raise CaseError("--method", str(error)) from error
    return result, [str(each.message) for each in caught]
