"""The paper's effectiveness and efficiency experiments, and the fronts to beat.

One row per data set, criterion, method, setting and seed, with the figures of the
validation part, on which all choices are made, and of the test part, which is reported.

    python -m benchmarks.experiments --seeds 5
    python -m benchmarks.experiments --report --out docs/benchmarks
    python -m benchmarks.experiments --quick
"""
