"""Tables fit the screen, whatever the names are, and say what matters most."""

import re
import unicodedata
from typing import Any

import pytest

from model_outcomes.answers.terminal import output, tables, words
from model_outcomes.answers.terminal.screen import Screen

from .conftest import HOSTILE, row

DRAWN = {"stats": output.STATS, "rank": output.RANKING, "trends": output.TRENDS}
Rows = list[dict[str, Any]]


def cells(text: str) -> int:
    """Cells of a terminal, by Unicode's own tables and in no other words than these."""
    return sum(
        0 if unicodedata.combining(each) or each in "\u2068\u2069" else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


@pytest.mark.parametrize("columns", DRAWN.values(), ids=DRAWN)
def test_a_table_fits_80_columns_with_any_names_and_still_draws_the_interval(columns: Any, hostile: Rows) -> None:
    lines = tables.table(hostile, columns, Screen(80)).splitlines()
    assert len(lines) == len(hostile) + 2
    assert max(map(cells, lines)) <= 80
    assert all("●" in line for line in lines[2:])


def test_short_names_leave_room_for_figures_and_a_wide_screen_for_everything(plain: Rows) -> None:
    assert tables.table(plain, output.RANKING, Screen(80)) == "\n".join(
        [
            "rank  model         trials  success   interval  45     95 %      90  per success",
            "----  ------------  ------  -------  ---------  -------------------  -----------",
            "   1  aurora-large   1,727    86.2%  84.5-87.8                  ●┤       $0.1049",
            "   1  cirrus-pro     1,791    84.5%  82.7-86.1                 ├●        $0.1049",
            "   1  ember-base       378    53.7%  48.7-58.7   ├─●─┤                   $0.1049",
        ]
    )
    assert "last used" in tables.table(plain, output.RANKING, Screen(100))


def test_lost_attempts_have_a_column_if_there_are_any(plain: Rows) -> None:
    assert "lost" not in tables.table(plain, output.RANKING, Screen(100))
    rows = [*plain, row("unlucky", 7, 7, infrastructure_failures=854)]
    heading, _, *lines = tables.table(rows, output.RANKING, Screen(80)).splitlines()
    assert "lost" in heading
    assert ["99.2%" in line for line in lines] == [False, False, False, True]  # 854 of 861


def test_names_are_cut_in_the_middle_the_longest_first(hostile: Rows) -> None:
    lines = tables.table([row("short", 1, 2), row(HOSTILE["long"], 1, 2)], output.STATS, Screen(80)).splitlines()
    assert "short " in lines[2]
    assert re.search(r"  first-x+…x+-last  ", lines[3])
    assert "edit_code" in lines[3]
    assert "success" in lines[0]
    assert "interval" not in lines[0]


def test_every_column_begins_at_the_same_cell_in_every_line(hostile: Rows) -> None:
    lines = tables.table(hostile, output.RANKING, Screen(80)).splitlines()
    ends = {cells(line[: line.index(" 9 ") + 2]) for line in lines[2:]}
    assert ends == {lines[0].index("trials") + len("trials")}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_name_is_text_and_nothing_else(name: str) -> None:
    shown = tables.table([row(name, 1, 2)], output.RANKING, Screen(200))
    body = shown.splitlines()
    assert len(body) == 3
    assert [each for each in body[2] if unicodedata.category(each) in ("Cc", "Cf") and each not in "\u2068\u2069"] == []


def test_a_name_from_the_right_cannot_turn_its_line_around() -> None:
    line = tables.table([row(HOSTILE["from the right"], 1, 2)], output.RANKING, Screen(80)).splitlines()[2]
    assert f"\u2068{HOSTILE['from the right']}\u2069" in line


def recommendation(action: str, **fields: Any) -> dict[str, Any]:
    row = {"task_type": "review_code", "model_id": "able", "incumbent_model_id": None, "alternative_model_id": None}
    return {**row, "action": action, "reason": "why not", **fields}


@pytest.mark.parametrize("width", [40, 80, 200])
def test_what_one_copies_from_a_list_of_runs_is_whole(width: int) -> None:
    run = {"run_id": "20260131T120000.000Z-1", "status": "interrupted", "exit_code": 143, "accepted_count": 1_234_567,
           "rejected_count": 0, "dbt_node_count": 152, "dbt_seconds": 1234.5}  # fmt: skip
    message = f"/srv/{'a-long-folder/' * 8}agents.jsonl is binary, not jsonl; stopped by SIGTERM"
    lines = tables.table(
        [{**run, "message": message}, {**run, "message": None}], output.RUNS, Screen(width)
    ).splitlines()
    assert [line.split()[0] for line in lines[2:]] == [run["run_id"], message.split()[0], run["run_id"]]
    assert lines[3].strip() == message
    if width >= 80:
        assert max(len(line) for number, line in enumerate(lines) if number != 3) <= width
    assert all("1,234,567" in line for line in (lines[2], lines[4]))


def test_reasons_are_broken_into_lines_that_fit(plain: Rows) -> None:
    reason = "it is surely better, with 1012 successes in 1177 trials against 755 in 1021; decided on 2026-03-01"
    rows = [recommendation("replace", alternative_model_id="m" * 300, incumbent_model_id="o" * 300, reason=reason)]
    lines = tables.table(rows, output.RECOMMENDATIONS, Screen(80)).splitlines()
    assert max(map(cells, lines)) <= 80
    begin = lines[0].index("why")
    assert " ".join(line[begin:].strip() for line in lines[2:]) == reason


def test_an_endless_reason_ends(plain: Rows) -> None:
    rows = [recommendation("keep", reason="no " * 1000)]
    assert len(tables.table(rows, output.RECOMMENDATIONS, Screen(80)).splitlines()) == 2 + tables.PROSE_LINES


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (recommendation("keep"), ["keep", "able", "why", "not"]),
        (
            recommendation("replace", model_id="new", incumbent_model_id="old", alternative_model_id="new"),
            ["replace", "new", "old", "why", "not"],
        ),
        (recommendation("try", alternative_model_id="cheap"), ["try", "cheap", "able", "why", "not"]),
        (
            recommendation("cannot_tell", model_id=None, incumbent_model_id="able"),
            ["cannot", "tell", "why", "not"],
        ),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else None,
)
def test_a_recommendation_says_what_to_do_with_which_model_in_whose_place(
    row: dict[str, Any], shown: list[str]
) -> None:
    lines = tables.table([row], output.RECOMMENDATIONS, Screen(80)).splitlines()
    assert lines[2].split() == ["review_code", *shown]


def test_what_is_not_known_is_left_empty(plain: Rows) -> None:
    lines = tables.table([*plain, row("untried", 0, 0)], output.STATS, Screen(80)).splitlines()
    assert lines[-1].split() == ["edit_code", "untried", "0", "$24.8902"]


@pytest.mark.parametrize(
    ("cost", "in_a_table", "in_a_text"),
    [
        (0, "$0.0000", "$0.00"),
        (1.1728e-05, "$0.0000117", "$0.0000117"),
        (7.33e-09, "$0.00000000733", "$0.00000000733"),
        (0.009996, "$0.0100", "$0.0100"),
        (0.1049, "$0.1049", "$0.105"),
        (0.99999, "$1.0000", "$1.00"),
        (24.8902, "$24.8902", "$24.89"),
        (3e10, "$30,000,000,000.0000", "$30,000,000,000.00"),
    ],
)
def test_a_price_has_three_significant_digits_and_no_exponent(cost: float, in_a_table: str, in_a_text: str) -> None:
    assert tables.dollars("cost")({"cost": cost}) == in_a_table
    assert words.dollars(cost) == in_a_text


def test_a_price_that_nobody_knows_is_blank() -> None:
    assert tables.dollars("cost")({"cost": None}) == ""
