"""To sqlfluff each macro is a function, `wilson_lower(successes, trials)`: it judges the SQL that
stands in a file, not what a macro makes of it. Names come from the files, one macro each.
"""

from collections.abc import Callable
from pathlib import Path

# The project overrides these macros of dbt's; sqlfluff has stand-ins for them, which return tables.
TABLES = {"ref", "source", "is_incremental"}


def as_call(macro: str) -> Callable[..., str]:
    """Return a stand-in for a macro, writing the call itself."""
    return lambda *arguments, **named: f"{macro}({', '.join(str(each) for each in (*arguments, *named.values()))})"


globals().update(
    {
        path.stem: as_call(path.stem)
        for path in Path(__file__).resolve().parents[2].glob("macros/**/*.sql")
        if path.stem not in TABLES
    }
)
