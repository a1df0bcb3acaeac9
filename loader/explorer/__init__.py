"""The published snapshot in a browser: Datasette with prepared queries and a dashboard, for reading alone."""

from loader.explorer.serving import explorer, serve

__all__ = ["explorer", "serve"]
