"""Saving and loading without running anything from the file, and export to ONNX."""

from skfair_runner.persistence.export import export_onnx
from skfair_runner.persistence.loading import load
from skfair_runner.persistence.saving import save

__all__ = ["export_onnx", "load", "save"]
