"""Answers as text: tables that fit the terminal for people, JSON and CSV for programs."""

from model_outcomes.answers.terminal.output import (
    RANKING,
    RECOMMENDATIONS,
    RUNS,
    STATS,
    TRENDS,
    comparison,
    grouped,
    shown,
    spreadsheet_safe,
)
from model_outcomes.answers.terminal.tables import Column, day, dollars, integer, name, percent
from model_outcomes.answers.terminal.words import shortened

__all__ = [
    "RANKING",
    "RECOMMENDATIONS",
    "RUNS",
    "STATS",
    "TRENDS",
    "Column",
    "comparison",
    "day",
    "dollars",
    "grouped",
    "integer",
    "name",
    "percent",
    "shortened",
    "shown",
    "spreadsheet_safe",
]
