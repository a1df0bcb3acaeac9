"""Rows of an answer with names that nobody would choose but a stranger."""

from typing import Any

import pytest
from statsmodels.stats.proportion import proportion_confint

HOSTILE = {
    "formula": '=HYPERLINK("http://example.org")',
    "markup": "</script><script>document.title='x'</script>",
    "long": f"first-{'x' * 290}-last",
    "controls": "\x1b[31mred\x1b[0m\r\nnew\tline\x07",
    "override": "safe\u202egnirts",
    "from the right": "מודל-טוב",
    "wide": "日本語のとても長いモデルの名前でありますから短くなります",
    "accents": "a\u0301" * 100,
}


def row(model_id: str, successes: int, trials: int, **fields: Any) -> dict[str, Any]:
    lower, upper = proportion_confint(successes, trials, method="wilson") if trials else (None, None)
    return {
        "rank": 1,
        "task_type": "edit_code",
        "model_id": model_id,
        "trials": trials,
        "success_rate": successes / trials if trials else None,
        "success_rate_lower": lower,
        "success_rate_upper": upper,
        "cost_per_success": 0.1049,
        "total_cost": 24.8902,
        "last_used": "2026-11-24T12:00:00.000000Z",
        "outcome_date": "2026-11-24",
        **fields,
    }


@pytest.fixture
def plain() -> list[dict[str, Any]]:
    return [row("aurora-large", 1489, 1727), row("cirrus-pro", 1513, 1791), row("ember-base", 203, 378)]


@pytest.fixture
def hostile() -> list[dict[str, Any]]:
    return [row(name, number, 9, task_type=name) for number, name in enumerate(HOSTILE.values(), 1)]
