"""`python -m skfair_runner` is the command `skfair-runner`."""

from skfair_runner.cli import main

if __name__ == "__main__":
    main()
