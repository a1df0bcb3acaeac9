"""The command line, with a stand-in for dbt: it builds the marts of STAND_IN by itself, in a tenth of the time.

For tests of what a run does before and after dbt. As a program it takes the loader's arguments.
"""

import json
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from loader.cli import main
from model_outcomes.base import paths
from model_outcomes.warehouse import builds

# The marts that a run reads, with no statistics behind them: the real project takes a run ten seconds more.
STAND_IN = {
    "dbt_project.yml": "name: model_outcomes\nprofile: model_outcomes\nflags: {send_anonymous_usage_stats: false}\n"
    "models: {model_outcomes: {marts: {+materialized: table, model_stats: {+materialized: view}}}}\n",
    "models/marts/model_stats.sql": """
        select task_type, model_id, count(*) as trials, sum(success) as successes, avg(success) as success_rate,
            0 as infrastructure_failures, 0.0 as lost_share, 0 as has_many_lost_attempts, 0 as unknown_failures,
            max(timestamp) as last_used,
            sum(cost_usd) as total_cost, sum(cost_source is not null) as priced_trials,
            0 as legacy_successes, 0 as legacy_failures
        from {{ source('model_outcomes', 'model_outcomes') }} group by task_type, model_id
    """,
    "models/marts/model_rankings.sql": """
        select *, row_number() over (partition by task_type order by successes desc, model_id) as rank,
            0 as is_degenerate, 0 as is_retired, null as same_task_rank
        from {{ ref('model_stats') }}
    """,
    "models/marts/model_pairs.sql": """
        select task_type, model_id, 'x' as rival_model_id, 'tasks' as strata_name, 0.1 as difference,
            0.2 as naive_difference, 'no_verdict_yet' as verdict, 0 as is_confounded
        from {{ ref('model_rankings') }} where trials < 0
    """,
    "models/marts/demotion_candidates.sql": """
        select task_type, model_id, 'x' as incumbent_model_id, 'fails' as reason,
            case when task_type = 'led' then 0 else 1 end as is_worse_than_incumbent,
            case when task_type = 'led' then 1 else 0 end as is_worse_than_leader, 1 as is_drifting,
            '2026-01-01' as drifting_since
        from {{ ref('model_rankings') }} where successes = 0
    """,
    "models/marts/ab_test_candidates.sql": """
        select task_type, model_id, 'x' as incumbent_model_id, 'young' as reason
        from {{ ref('model_rankings') }} where trials < 0
    """,
    "models/marts/recommendations.sql": """
        select task_type, 'keep' as action, model_id, model_id as incumbent_model_id, null as alternative_model_id,
            'leads' as reason
        from {{ ref('model_rankings') }} where rank = 1
    """,
    "models/marts/ab_comparisons.sql": """
        select task_type as experiment_id, task_type, 'x' as incumbent_model_id, model_id as challenger_model_id,
            case when successes < trials then 'was_challenger_better' else 'challenger_better' end as verdict,
            '2026-01-01' as first_decided_at, 0 as is_mix_shifted, 0 as has_traffic_mismatch
        from {{ ref('model_rankings') }} where trials >= 1000
    """,
    "models/marts/_marts.yml": """
models:
  - name: model_stats
    description: One row per task type and model.
    data_tests: [{rules: {name: model_stats_rules, arguments: {key: [task_type, model_id]}}}]
    columns:
      - {name: task_type, data_type: text, description: The task type.}
      - {name: model_id, data_type: text, description: The model.}
      - {name: trials, data_type: bigint, description: Outcomes.}
      - {name: total_cost, data_type: double, description: US dollars.}
""",
}

MARTS = [Path(name).stem for name in STAND_IN if name.endswith(".sql")]  # each after those that it reads


def run_dbt(
    database: Path,
    commands: Sequence[Sequence[str]],
    target: str = "sqlite",
    *,
    logs: Path,
    artifacts: Path | None = None,
    output: Any = None,
    quiet: bool = False,
    vars: Mapping[str, Any] | None = None,
) -> list[builds.CommandResult]:
    """Do what `builds.run_dbt` does for the commands of a run: build, with results and a manifest, and freshness."""
    folder = artifacts or paths.build_folder(database, target) / "target"
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    with closing(sqlite3.connect(database, isolation_level=None)) as log:
        for mart in MARTS:
            log.executescript(f"drop table if exists {mart}; create table {mart} as {_sql(mart)}")
            results.append({"unique_id": _id(mart), "status": "success", "execution_time": 0.0, "message": None})
            if not quiet:
                print(f"START sql table model main.{mart}", file=output or sys.stdout, flush=True)
        ((count,),) = log.execute("select count(*) from model_outcomes")
    source = {
        "unique_id": "source.model_outcomes.model_outcomes.model_outcomes",
        "status": "pass" if count else "error",
    }
    (folder / "run_results.json").write_text(json.dumps({"results": results}))
    (folder / "sources.json").write_text(json.dumps({"results": [source]}))
    (folder / "manifest.json").write_text(json.dumps({"nodes": _nodes(), "sources": {}, "docs": {}}))
    return [builds.CommandResult(command, success=True) for command in commands]


def _id(mart: str) -> str:
    return f"model.model_outcomes.{mart}"


def _sql(mart: str) -> str:
    """Return the query of a mart without Jinja."""
    sql = STAND_IN[f"models/marts/{mart}.sql"].replace(
        "{{ source('model_outcomes', 'model_outcomes') }}", "model_outcomes"
    )
    for other in MARTS:
        sql = sql.replace(f"{{{{ ref('{other}') }}}}", other)
    return sql


def _nodes() -> dict[str, Any]:
    """Return the nodes of dbt's manifest, as far as a publication reads them."""
    (documented,) = yaml.safe_load(STAND_IN["models/marts/_marts.yml"])["models"]
    nodes: dict[str, Any] = {
        _id(mart): {"alias": mart, "description": "", "columns": {}, "resource_type": "model",
                    "fqn": ["model_outcomes", "marts", mart], "config": {}, "package_name": "model_outcomes"}
        for mart in MARTS
    }  # fmt: skip
    columns = {column["name"]: column for column in documented["columns"]}
    nodes[_id(documented["name"])] |= {"description": documented["description"], "columns": columns}
    ((name, test),) = documented["data_tests"][0].items()
    nodes["test.model_outcomes.key"] = {
        "resource_type": "test", "config": {}, "attached_node": _id(documented["name"]),
        "test_metadata": {"name": name, "kwargs": test["arguments"]},
    }  # fmt: skip
    return nodes


if __name__ == "__main__":
    builds.run_dbt = run_dbt
    main()
