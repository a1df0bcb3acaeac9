"""Names that differ only in spelling, and so are probably one model or one task type.

Case, Unicode form and separators do not matter. A separator between two digits matters, but not which one: claude-3.5
equals claude-3-5 but not claude-35. In names of models, provider prefixes (openai/gpt-5, openai:chat:gpt-5,
accounts/fireworks/models/...), release dates and `:latest` do not matter either. The time taken grows with the number
of names, not with its square.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

# Providers and their interfaces, as gateways and eval tools write them before a model's name.
PROVIDERS = frozenset({
    "openai", "azure", "azureml", "azureopenai", "azureai", "anthropic", "google", "gemini", "vertex", "vertexai",
    "googlevertex", "googleai", "aws", "bedrock", "amazon", "mistral", "mistralai", "groq", "together",
    "togetherai", "togethercomputer", "fireworks", "fireworksai", "openrouter", "ollama", "ollamachat", "cohere",
    "deepseek", "deepseekai", "xai", "meta", "metallama", "huggingface", "hf", "replicate", "perplexity", "nvidia",
    "nvidianim", "litellm", "litellmproxy", "moonshot", "moonshotai", "zai", "zhipu", "zhipuai", "qwen", "alibaba",
    "dashscope", "cerebras", "sambanova", "deepinfra", "anyscale", "databricks", "cloudflare", "github",
    "githubmodels", "githubcopilot", "copilot", "vllm", "lmstudio", "localai", "minimax", "ai21", "novita",
    "hyperbolic", "baseten", "portkey", "vercel", "snowflake", "watsonx", "ibm", "sagemaker", "openaicompatible",
    "chat", "completion", "completions", "responses", "messages", "text", "models", "model", "inference",
    "accounts", "publishers", "deployments", "converse", "us", "eu", "apac", "global"
})  # fmt: skip
DATE = re.compile(r"[-_.@ ](20\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])$")
BEDROCK_VERSION = re.compile(r"-v\d+:\d+$")
PATH_OF_MODEL = re.compile(r"^.*(?:^|/)models/(?=[^/]+$)")
PREFIX = re.compile(r"^([^/:.]+)([/:.])(?=.)")
BETWEEN_DIGITS = re.compile(r"(?<=\d)-(?=\d)")


def task_types(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of two and more names that are probably one task type, each sorted."""
    groups = defaultdict(list)
    for name in names:
        groups[_spelling(name)].append(name)
    return _several(groups.values())


def models(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of two and more names that are probably one model, each sorted.

    A name with a date equals the same name without it, unless the log has several dates of it, which are then versions
    kept apart on purpose. An unknown prefix makes a different name, unless the rest is a recorded name too.
    """
    names = list(names)
    unprefixed = {_model(name)[0] for name in names if "/" not in name}
    by_stem: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        stem, date = _model(name)
        last, last_date = _model(name.rsplit("/", 1)[-1])
        if "/" in name and last in unprefixed:
            stem, date = last, last_date
        by_stem[stem][date].append(name)
    groups: list[list[str]] = []
    for by_date in by_stem.values():
        if len([date for date in by_date if date]) <= 1:
            groups.append([name for own in by_date.values() for name in own])
        else:
            groups += by_date.values()
    return _several(groups)


def _several(groups: Iterable[list[str]]) -> list[list[str]]:
    return sorted(sorted(group) for group in groups if len(group) > 1)


def _model(name: str) -> tuple[str, str]:
    """Return the normal form of a model's name without provider and date, and the date ('' if it has none)."""
    text = unicodedata.normalize("NFKC", name).casefold().strip()
    text = BEDROCK_VERSION.sub("", text.removesuffix(":latest"))
    text = PATH_OF_MODEL.sub("", text)
    while (prefix := PREFIX.match(text)) and _spelling(prefix[1]) in PROVIDERS:
        text = text[prefix.end() :]
    date = DATE.search(text)
    if date and date.start():
        return _spelling(text[: date.start()]), date[1] + date[3] + date[4]
    return _spelling(text), ""


def _spelling(name: str) -> str:
    """Return a name in lower case without separators; a separator between digits becomes a hyphen."""
    text = unicodedata.normalize("NFKC", name).casefold()
    parts = "".join("-" if _separates(character) else character for character in text)
    joined = re.sub("-+", "-", parts).strip("-")
    return BETWEEN_DIGITS.sub("\0", joined).replace("-", "").replace("\0", "-") or text


def _separates(character: str) -> bool:
    """Return True for punctuation, spaces and invisible characters, but not for the signs of `c#` and `c++`."""
    return character == "=" or (character != "#" and unicodedata.category(character)[0] in "PZC")
