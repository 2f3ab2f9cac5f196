"""Which of a model's prompts goes before a text."""

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["query", "document"]

PROMPT_NAMES: Mapping[Role, tuple[str, ...]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}


def task_prompt(
    prompts: Collection[str], *, task: str, task_type: str, role: Role | None
) -> str | None:
    """The name of the prompt for the texts of a task, in MTEB's order: the most special first.

    That is task name and role, task name, task type and role, task type, role; a role by any of
    the names that sentence-transformers looks for. None where there is none of them: then the
    model's default prompt stands.

    Args:
        prompts: names of those that the model has.
        task: such as "ArguAna".
        task_type: such as "Retrieval".
        role: of the texts; None where the task has no sides.

    >>> task_prompt(["query", "Retrieval-query"], task="NQ", task_type="Retrieval", role="query")
    'Retrieval-query'
    """
    special = [f"{name}{end}" for name in (task, task_type) for end in _ends(role)]
    roles = () if role is None else PROMPT_NAMES[role]
    return next((name for name in (*special, *roles) if name in prompts), None)


def _ends(role: Role | None) -> tuple[str, ...]:
    return ("",) if role is None else (f"-{role}", "")
