"""The model card of a cross-encoder that has none: what it is and how to use it."""

import json

from likewise.models.folder.card import hub_name_or_none
from likewise.models.folder.cross_encoder import CrossEncoderFolder
from likewise.models.folder.trained_on import describe_data, front_matter

TAGS = ("sentence-transformers", "cross-encoder", "likewise")


def write_cross_card(contents: CrossEncoderFolder, *, name: str, labels: tuple[str, ...]) -> str:
    """A README.md with the front matter that the hub reads; nothing is looked up anywhere.

    Args:
        contents: of the folder.
        name: of the folder, for the title and the snippets.
        labels: names of the classes, if they have any.
    """
    base = hub_name_or_none(contents.base_model)
    lines = ["---", *front_matter(TAGS, contents.trained_on, base)]
    task = "text-classification" if labels else "text-ranking"
    lines += [f"pipeline_tag: {task}", "library_name: sentence-transformers", "---", ""]
    return "\n".join([*lines, f"# {name}", "", *_facts(contents, labels), *_usage(name)])


def _facts(contents: CrossEncoderFolder, labels: tuple[str, ...]) -> list[str]:
    limit = "the tokenizer's limit" if contents.max_tokens is None else str(contents.max_tokens)
    answer = f"one number a class: {', '.join(labels)}" if labels else "a score"
    return [
        f"A cross-encoder ({contents.config.get('model_type')}): it reads two texts together and "
        f"answers with {answer}.",
        "",
        f"- Base model: {contents.base_model or 'not recorded'}",
        f"- Training data: {describe_data(contents.trained_on)}",
        f"- Longest pair: {limit} tokens; the longer text of a longer pair is cut",
        f"- Activation: {contents.activation}",
        "",
    ]


def _usage(name: str) -> list[str]:
    return [
        "## Usage",
        "",
        "```python",
        "from likewise.models.cross_encoder import load_cross_encoder",
        "",
        f"model = load_cross_encoder({json.dumps(name)})",
        'scores = model.predict([("a text", "another")])',
        "```",
        "",
        "It is a sentence-transformers folder too:",
        "",
        "```python",
        "from sentence_transformers import CrossEncoder",
        "",
        f"model = CrossEncoder({json.dumps(name)})",
        'scores = model.predict([("a text", "another")])',
        "```",
        "",
    ]
