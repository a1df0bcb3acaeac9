"""The plugin for Datasette: titles, descriptions, prepared queries and the dashboard of the current snapshot."""

from __future__ import annotations

import html
import sqlite3
from typing import Any

from datasette import hookimpl

from model_outcomes.base import console
from model_outcomes.publish.explorer import dashboard, markup, prepared_queries, spreadsheets
from model_outcomes.publish.explorer.asgi import Application
from model_outcomes.publish.explorer.published import Published

DASHBOARD = "outcomes"


@hookimpl  # type: ignore[untyped-decorator]  # datasette has no types
def get_metadata(datasette: Any) -> dict[str, Any]:
    if not _is_ours(datasette):
        return {}
    descriptions = datasette.databases[dashboard.DATABASE].descriptions()
    address = datasette.urls.path(f"/-/dashboards/{DASHBOARD}")
    tables: dict[str, Any] = {
        name: {"description": description, "columns": descriptions.columns.get(name, {})}
        for name, description in descriptions.tables.items()
    }
    tables["snapshot_run"] = {"description": "One row: the run that published this snapshot."}
    tables["snapshot_descriptions"] = {"description": "One row per table and column: what it means."}
    return {
        "title": "Model outcomes",
        "description_html": f'<p><a href="{html.escape(address)}">Dashboard</a></p>',
        "databases": {
            dashboard.DATABASE: {
                "description": f"The marts as of {descriptions.as_of}, published by run {descriptions.run_id}.",
                "queries": {name: dict(query) for name, query in prepared_queries.PREPARED.items()},
                "tables": tables,
            }
        },
        "plugins": {"datasette-dashboards": {DASHBOARD: dashboard.page(descriptions.most_used)}},
    }


@hookimpl  # type: ignore[untyped-decorator]  # datasette has no types
def asgi_wrapper(datasette: Any) -> Any:
    def wrapped(application: Application) -> Application:
        def applies() -> bool:
            return _is_ours(datasette)

        return markup.visible(spreadsheets.safe(application, applies), applies)

    return wrapped


@hookimpl  # type: ignore[untyped-decorator]  # datasette has no types
def extra_css_urls(datasette: Any) -> list[str]:
    return [datasette.urls.path("/outcomes-static/explorer.css")] if _is_ours(datasette) else []


@hookimpl  # type: ignore[untyped-decorator]  # datasette has no types
def prepare_connection(conn: sqlite3.Connection) -> None:
    conn.create_function("as_html", 1, _as_html, deterministic=True)
    conn.create_function("as_text", 1, _as_text, deterministic=True)


def _is_ours(datasette: Any) -> bool:
    """Return True if this Datasette serves our snapshot. Others in this process do not, nor does a new one at first."""
    return isinstance(datasette.databases.get(dashboard.DATABASE), Published)


def _as_html(text: Any) -> Any:
    return html.escape(_as_text(text)) if isinstance(text, str) else text


def _as_text(text: Any) -> Any:
    return console.escaped(text, kept="") if isinstance(text, str) else text
