"""Names that differ in spelling alone are found, and names that differ in more are not."""

import pytest

from model_outcomes.answers.caveats import twins


@pytest.mark.parametrize(
    "names",
    [
        ["gpt-5", "GPT-5"],
        ["gpt-5", "gpt5", "gpt_5", "GPT 5"],
        ["claude-3.5-sonnet", "claude-3-5-sonnet", "claude_3_5_sonnet"],
        ["gpt-5", "openai/gpt-5", "openai:chat:gpt-5", "openrouter/openai/gpt-5", "azure/gpt-5"],
        ["llama-v3-8b", "accounts/fireworks/models/llama-v3-8b", "fireworks_ai/llama-v3-8b"],
        ["gemini-2.5-pro", "models/gemini-2.5-pro",
         "projects/p/locations/us-east1/publishers/google/models/gemini-2.5-pro"],
        ["claude-sonnet-4", "us.anthropic.claude-sonnet-4-20250514-v1:0"],
        ["gpt-5", "gpt-5-2025-08-07", "gpt-5-20250807", "gpt-5@20250807"],
        ["llama3", "llama3:latest"],
        ["gpt-5", "\uff47\uff50\uff54\uff0d\uff15"],  # fullwidth
        ["mod\u00e8le", "mode\u0300le"],
        ["gpt-5", "gpt\u200b-5", "gpt\u20115"],  # zero-width space, non-breaking hyphen
        ["some-org/own-model-7b", "own-model-7b"],
        ["gpt-4o-2024-05-13", "gpt-4o@20240513"],
    ],
)  # fmt: skip
def test_one_model_under_several_names_is_found(names: list[str]) -> None:
    assert twins.models(names) == [sorted(names)]


@pytest.mark.parametrize(
    "names",
    [
        ["gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-5.1", "gpt-50"],
        ["claude-3-5", "claude-35"],
        ["gpt-4.1", "gpt-41"],
        ["llama3:8b", "llama3:70b"],
        ["gpt-4-0613", "gpt-4-1106"],
        ["gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-2024-08-06"],  # versions that somebody keeps apart
        ["gpt-5/high", "claude/high", "gpt-5/low"],
        ["model-2025-13-01", "model"],  # no date
        ["o1", "o3"],
        ["\U0001f98a", "\U0001f43b"],
        ["-", "_"],
        ["openai", "azure"],
    ],
)
def test_models_that_differ_in_more_are_not_called_one(names: list[str]) -> None:
    assert twins.models(names) == []


def test_task_types_differ_by_what_stands_before_a_slash() -> None:
    assert twins.task_types(
        ["fix tests", "fix-tests", "Fix_Tests", "code/fix", "code-fix", "backend/fix", "docs/fix"]
    ) == [
        ["Fix_Tests", "fix tests", "fix-tests"],
        ["code-fix", "code/fix"],
    ]
    assert twins.task_types(["review c", "review c++", "review c#"]) == []
    assert twins.task_types(["bench-2024-05-01", "bench-2025-05-01", "bench"]) == []


def test_each_name_is_in_one_group_at_most() -> None:
    names = [f"{prefix}{model}" for prefix in ("", "openai/", "x/") for model in ("a-1", "A_1", "b-2", "c")]
    groups = twins.models(names)
    told = [name for group in groups for name in group]
    assert len(told) == len(set(told)) == 12
    assert [len(group) for group in groups] == [6, 3, 3]
