"""The warehouse of model outcomes: record what models did, ask which one to use."""

from loader.api import ModelOutcomes

__all__ = ["ModelOutcomes"]
