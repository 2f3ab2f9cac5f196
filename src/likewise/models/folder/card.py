"""The model card that a folder gets where it has none: what it is and how to use it."""

import json
import re

from likewise.models.folder.contents import ModelFolder
from likewise.models.folder.static_layout import is_static
from likewise.models.folder.trained_on import describe_data, front_matter

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
TAGS = ("sentence-transformers", "sentence-similarity", "feature-extraction", "likewise")


def write_card(contents: ModelFolder, *, name: str, dimensions: int) -> str:
    """A README.md with the front matter that the hub reads; nothing is looked up anywhere.

    Args:
        contents: of the folder.
        name: of the folder, for the title and the snippets.
        dimensions: width of a vector.
    """
    base = hub_name_or_none(contents.base_model)
    lines = ["---", *front_matter(TAGS, contents.trained_on, base)]
    lines += ["pipeline_tag: sentence-similarity", "library_name: sentence-transformers", "---"]
    return "\n".join([*lines, "", f"# {name}", "", *_facts(contents, dimensions), *_usage(name)])


def hub_name_or_none(name: str | None) -> str | None:
    """The name where it may be one on the hub, for the front matter."""
    return name if name is not None and HUB_NAME.fullmatch(name) else None


def _facts(contents: ModelFolder, dimensions: int) -> list[str]:
    limit = f"{contents.max_tokens} tokens; longer ones are cut"
    if is_static(contents):
        limit = "any length"
    elif contents.max_tokens is None:
        limit = "the tokenizer's limit; longer ones are cut"
    facts = [
        f"A text embedding model ({contents.config.get('model_type')}): a text becomes a vector "
        f"of {dimensions} numbers.",
        "",
        f"- Base model: {contents.base_model or 'not recorded'}",
        f"- Training data: {describe_data(contents.trained_on)}",
        f"- Longest text: {limit}",
        f"- Pooling: {', '.join(contents.pooling.modes)}",
        f"- Similarity: {contents.similarity}",
    ]
    for name, text in contents.prompts.items():
        facts.append(f"- Prompt `{name}`: `{json.dumps(text, ensure_ascii=False)}`")
    return [*facts, ""]


def _usage(name: str) -> list[str]:
    return [
        "## Usage",
        "",
        "```python",
        "import likewise",
        "",
        f"model = likewise.load({json.dumps(name)})",
        'vectors = model.encode(["a text", "another"])',
        "```",
        "",
        "It is a sentence-transformers folder too:",
        "",
        "```python",
        "from sentence_transformers import SentenceTransformer",
        "",
        f"model = SentenceTransformer({json.dumps(name)})",
        'vectors = model.encode(["a text", "another"])',
        "```",
        "",
    ]
