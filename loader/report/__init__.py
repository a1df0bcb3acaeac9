"""The report: one HTML file that says what to do and shows why, and needs nothing but a browser.

`gathering` reads the marts, `wording` puts into words what follows from them, `charts` says how they are
drawn, and `rendering` makes the page of it all.
"""

from loader.report.rendering import write

__all__ = ["write"]
