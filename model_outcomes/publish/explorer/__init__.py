"""The explorer: the published snapshot in a browser, read-only, by Datasette with prepared queries and a dashboard."""

from model_outcomes.publish.explorer.server import explorer, serve

__all__ = ["explorer", "serve"]
