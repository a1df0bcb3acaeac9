"""To sqlfluff each macro is a function, `wilson_lower(successes, trials)`: it judges the SQL that
is written in a file, not the result of a macro. Names come from the files under macros/.
"""

import re
from collections.abc import Callable
from pathlib import Path

# The project overrides these macros of dbt's; sqlfluff has stand-ins for them, which return tables.
TABLES = {"ref", "source", "is_incremental"}


def as_call(macro: str) -> Callable[..., str]:
    """Return a stand-in for a macro, writing the call itself."""
    return lambda *arguments, **named: f"{macro}({', '.join(str(each) for each in (*arguments, *named.values()))})"


globals().update(
    {
        name: as_call(name)
        for path in Path(__file__).resolve().parents[2].glob("macros/**/*.sql")
        for name in re.findall(r"{%-? macro (\w+)", path.read_text())
        if name not in TABLES
    }
)
