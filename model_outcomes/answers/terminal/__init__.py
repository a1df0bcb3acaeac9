"""Answers as text: tables that fit the terminal for people, JSON and CSV for programs."""

from model_outcomes.answers.terminal.output import (
    PAIRS,
    RANKING,
    RECOMMENDATIONS,
    RUNS,
    STATS,
    TRENDS,
    as_json,
    comparison,
    grouped,
    ranking,
    shown,
    spreadsheet_safe,
)
from model_outcomes.answers.terminal.tables import Column, day, dollars, integer, name, percent
from model_outcomes.answers.terminal.words import shortened

__all__ = [
    "PAIRS",
    "RANKING",
    "RECOMMENDATIONS",
    "RUNS",
    "STATS",
    "TRENDS",
    "Column",
    "as_json",
    "comparison",
    "day",
    "dollars",
    "grouped",
    "integer",
    "name",
    "percent",
    "ranking",
    "shortened",
    "shown",
    "spreadsheet_safe",
]
