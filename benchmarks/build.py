"""A build after 10,000 new outcomes, on a long history against a short one.

What is compared is the time that dbt spends in its nodes, seeds and tests included. Both histories
span the same days and cells, which is what the marts' own size depends on; only the outcomes per
cell and day differ. Target: at most 1.2 times the time.
"""

from __future__ import annotations

import statistics

from benchmarks.measuring import History, paired_ratio, print_table

NEW_ROWS = 10_000
SHORT_ROWS = 100_000
ROUNDS = 5


def main(history: History) -> None:
    short = History(history.path.parent, SHORT_ROWS)
    seconds: dict[int, list[float]] = {history.rows: [], short.rows: []}
    for number in range(ROUNDS + 1):
        for one in (history, short) if number % 2 else (short, history):
            one.append(NEW_ROWS)
            taken = one.build()
            if number:  # the first round warms up
                seconds[one.rows].append(taken)
    print_table(
        f"Build after {NEW_ROWS:,} new outcomes, {ROUNDS} rounds (target: ratio <= 1.2)",
        ("history", "median", "all"),
        [
            *((f"{rows:,}", f"{statistics.median(all_):.2f} s", ", ".join(f"{one:.2f}" for one in all_))
              for rows, all_ in seconds.items()),
            ("ratio", f"**{paired_ratio(*seconds.values()):.2f}**", ""),
        ],
    )  # fmt: skip
