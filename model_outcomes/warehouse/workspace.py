"""The user's workspace: outcomes.toml, seeds/ and models/, which belong to the user and which no upgrade touches.

dbt reads the seeds and the dbt models of a workspace beside those of the product. They must have relative paths in
the dbt project: dbt writes the compiled SQL of a model to `target/` + its path, so if the path is absolute, it writes
over the user's own file. A project of links gives every file such a path.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from model_outcomes.base import paths, settings
from model_outcomes.base.errors import OutcomesError
from model_outcomes.warehouse import seeds

FOLDER = "workspace"  # in the dbt project: the empty workspace of the product, or the user's
PARTS = ("seeds", "models")
OF_PRODUCT = (".dbtignore", "dbt_project.yml", "profiles.yml", "models", "macros", "seeds", "tests", "analyses")


def create(folder: Path, project: Path) -> list[Path]:
    """Write the files of a workspace that `folder` lacks, and return them. Files that exist stay as they are."""
    texts = {Path(paths.SETTINGS): settings.template()}
    texts |= {path.relative_to(project / FOLDER): path.read_text("utf-8") for path in _files(project / FOLDER)}
    written = []
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        written.append(path)
    return written


def project_of(project: Path, folder: Path) -> Path:
    """Return the dbt project to run: `project`, or a project of links in `folder` that has the user's workspace.

    Call it while no other build runs. Raises SettingsError if the workspace cannot be trusted, SeedError if one of
    the seeds in force has a fault.
    """
    workspace = settings.workspace()
    if (own := (workspace or project / FOLDER) / "seeds").is_dir():
        seeds.check(own)
    if workspace is None:
        return project
    targets = {name: project / name for name in OF_PRODUCT} | {f"{FOLDER}/{part}": workspace / part for part in PARTS}
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, target in targets.items():
        link = folder / name
        if link.is_symlink() and (link.readlink() != target or not target.exists()):
            link.unlink()
        if target.exists() and not link.is_symlink():
            _link(link, target, folder)
    return folder


def _link(link: Path, target: Path, folder: Path) -> None:
    try:
        link.symlink_to(target)
    except FileExistsError:
        # A copy of the folder that followed its links. It could be removed here, but it may be somebody's work.
        raise OutcomesError(f"{link} is no link: remove the folder {folder}, and the build makes it again") from None


def _files(folder: Path) -> Iterator[Path]:
    for part in PARTS:
        yield from sorted(path for path in (folder / part).iterdir() if path.suffix in (".csv", ".md"))
