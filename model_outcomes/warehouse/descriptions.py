"""Describes the columns in dbt's manifest. A column without a description takes the doc block of its name.

So a name that many tables share is explained once, in models/docs/, and a column needs a description of its own only
if it means something else.
"""

from __future__ import annotations

from typing import Any


def inherit(manifest: dict[str, Any]) -> None:
    """Give each listed column without a description the doc block of its name, in place."""
    blocks = {(block["package_name"], block["name"]): block["block_contents"] for block in manifest["docs"].values()}
    for node in [*manifest["sources"].values(), *manifest["nodes"].values()]:
        for name, column in node.get("columns", {}).items():
            column["description"] = column["description"] or blocks.get((node["package_name"], name), "")
