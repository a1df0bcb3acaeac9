"""Our YAML has no key that dbt v2 refuses: dbt 1.11 warns of them only for the engines of its own cloud."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from dbt import deprecations as dbt_deprecations
from dbt.jsonschemas import jsonschemas

ROOT = Path(__file__).resolve().parents[3]
Check = Callable[[str, dict[str, Any]], list[tuple[str, str]]]


@pytest.fixture
def deprecations(monkeypatch: pytest.MonkeyPatch) -> Check:
    """A function that returns the deprecations that dbt finds in a parsed file: their kinds and keys."""
    warnings: list[tuple[str, str]] = []

    def warn(kind: str, key: str = "", violation: str = "", **_: str) -> None:
        warnings.append((kind, key or violation))

    monkeypatch.setattr(jsonschemas, "_can_run_validations", lambda: True)
    monkeypatch.setattr(jsonschemas, "_get_allowed_config_key_aliases", list)
    monkeypatch.setattr(dbt_deprecations, "warn", warn)

    def check(name: str, content: dict[str, Any]) -> list[tuple[str, str]]:
        warnings.clear()
        is_project = name == "dbt_project.yml"
        schema = jsonschemas.project_schema() if is_project else jsonschemas.resources_schema()
        jsonschemas.jsonschema_validate(schema, content, name)
        return list(warnings)

    return check


def test_dbt_deprecates_no_key_of_ours(deprecations: Check) -> None:
    files = [file for folder in ("models", "macros", "seeds", "workspace") for file in ROOT.glob(f"{folder}/**/*.yml")]
    names = ["dbt_project.yml", *(str(file.relative_to(ROOT)) for file in files)]
    assert len(names) > 20
    by_file = {name: deprecations(name, yaml.safe_load((ROOT / name).read_text())) for name in names}
    assert {name: keys for name, keys in by_file.items() if keys} == {}


def test_a_key_of_no_schema_is_noticed(deprecations: Check) -> None:
    config = {"name": "x", "models": {"x": {"rollup": {"+watermark": "id"}}}}
    assert deprecations("dbt_project.yml", config) == [("custom-key-in-config-deprecation", "+watermark")]
    config["models"] = {"x": {"rollup": {"+meta": {"watermark": "id"}}}}
    assert deprecations("dbt_project.yml", config) == []
    properties = {"models": [{"name": "rollup", "config": {"watermark": "id"}}]}
    assert deprecations("models/x.yml", properties) == [("custom-key-in-config-deprecation", "watermark")]
