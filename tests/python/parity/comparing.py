"""One mart on two engines, cell by cell: counts, texts, flags and sums of money are the same, derived doubles
agree to 1e-9 of their size or to 1e-12."""

import math
from collections.abc import Iterable
from typing import Any

from model_outcomes.answers.queries import Answer
from model_outcomes.warehouse.marts import Mart

RELATIVE, ABSOLUTE = 1e-9, 1e-12
# A sum of whole nano-dollars, divided once: no engine has a reason to differ.
EXACT = ("total_cost", "total_cost_difference", "infrastructure_cost", "cost_usd")


def differences(mart: Mart, ours: Answer, theirs: Answer) -> list[str]:
    """In words, each way in which two engines' rows of a mart are not the same."""
    here, there = _by_key(mart, ours), _by_key(mart, theirs)
    found = [f"{mart.name}: {key} is missing there" for key in here.keys() - there.keys()]
    found += [f"{mart.name}: {key} is missing here" for key in there.keys() - here.keys()]
    for key in here.keys() & there.keys():
        found += _of_row(mart, key, here[key], there[key])
    return found


def _by_key(mart: Mart, rows: Answer) -> dict[tuple[Any, ...], dict[str, Any]]:
    assert mart.key, f"{mart.name} has no key"
    keyed = {tuple(row[name] for name in mart.key): row for row in rows}
    assert len(keyed) == len(rows), f"{mart.name}: a key comes twice"
    return keyed


def _of_row(mart: Mart, key: tuple[Any, ...], here: dict[str, Any], there: dict[str, Any]) -> Iterable[str]:
    if list(here) != list(there):
        return [f"{mart.name}: columns {list(here)} and {list(there)}"]
    return [
        f"{mart.name}.{name} of {key}: {here[name]!r} and {there[name]!r}"
        for name in here
        if not _agrees(mart, name, here[name], there[name])
    ]


def _agrees(mart: Mart, name: str, here: Any, there: Any) -> bool:
    if type(here) is not type(there):
        return False
    if isinstance(here, float) and not name.endswith(EXACT):
        return math.isclose(here, there, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return bool(here == there)
