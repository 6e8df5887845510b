"""Neural classifiers whose group differences are found and reduced in the neurons."""

__version__ = "0.1.0"
