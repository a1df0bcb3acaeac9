"""The published snapshot in a browser: Datasette with prepared queries and a dashboard, for reading alone."""

from model_outcomes.publish.explorer.server import explorer, serve

__all__ = ["explorer", "serve"]
