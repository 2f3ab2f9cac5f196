"""`likewise demo`: the whole story on real input, with nothing to download."""

import json as json_module
import shlex
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from likewise.cli.console import answer, emit_json, program, say
from likewise.cli.results import describe, show_evaluation
from likewise.cli.watch import Watch
from likewise.data.builtin import CodeSet, python_code, stdlib_code
from likewise.evaluation import to_json
from likewise.methods.run import Existing, train
from likewise.report import write_report
from likewise.report.wording import verdict_sentence

# One epoch at a high peak rate: the set is small and the base has never seen code search.
SETTINGS: Final[dict[str, Any]] = {
    "epochs": 1.0,
    "batch_size": 64,
    "max_tokens": 128,
    "micro_tokens": 2048,
    "learning_rate": 1e-4,
    "dropout": 0.0,
    "symmetric": True,
    "keep": "last",
    "evaluations": 3,
}
METRICS = ("ndcg@10", "recall@10", "mrr@10")


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("likewise-demo"),
    code: Annotated[
        Path | None, typer.Option(help="Your own Python code instead of the standard library's.")
    ] = None,
    base: Annotated[str, typer.Option(help="Model to start from.")] = "minilm",
    seed: Annotated[int, typer.Option(help="Of the split, the order and dropout.")] = 42,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier demo in --out.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the result only.")] = False,
) -> None:
    """Teach MiniLM to find a function by a question, and measure what it learned.

    The docstring summaries of Python's standard library ask for the code that they describe. The
    modules are split, so that no module is both trained on and measured on.

    Example: likewise demo --code ~/my-project
    """
    found = stdlib_code(seed=seed) if code is None else python_code(code, seed=seed)
    what = "Python's standard library" if code is None else str(code)
    say(
        f"{len(found.train):,} documented functions of {what} to train on, "
        f"{len(found.test):,} of other modules to search",
        quiet=quiet,
    )
    existing: Existing = "resume" if resume else "overwrite" if overwrite else "refuse"
    with Watch(quiet=quiet) as watch:
        run = train(
            base,
            found.train,
            method="mnr",
            dev=found.test,
            out=out,
            existing=existing,
            tell=watch.tell(),
            seed=seed,
            **SETTINGS,
        )
    functions = write_functions(out / "functions.jsonl", found)
    report = write_report(out)
    if run.evaluation is None:
        raise RuntimeError("the demo is always measured")
    if json:
        emit_json(to_json(run.evaluation))
        return
    show_evaluation(run.evaluation, METRICS)
    for difference in run.evaluation.differences:
        if difference.metric in METRICS[1:] and difference.against == base:
            answer(describe(difference))
    answer(verdict_sentence(run.evaluation))
    model = out / "model"
    answer(f"\nmodel:  {model}  (loads in sentence-transformers too)\nreport: {report}\n")
    question = shlex.quote("read a file line by line")
    answer("Find a function by a question with the new model:")
    answer(f"  {program()} search {model} {question} --in {functions} --show place")
    answer("Train on your own data:")
    answer(f"  {program()} check pairs.csv && {program()} train pairs.csv --out runs/first")


def write_functions(path: Path, found: CodeSet) -> Path:
    """Write every function, trained on and held out, as lines of place and text."""
    trained = zip(
        (f"{where.path}:{where.row}" for where in map(found.train.where, range(len(found.train)))),
        found.train.texts("positive"),
        strict=True,
    )
    held_out = zip(found.functions, found.test.documents, strict=True)
    with path.open("w", encoding="utf-8") as file:
        for place, text in (*trained, *held_out):
            file.write(json_module.dumps({"place": place, "text": text}, ensure_ascii=False) + "\n")
    return path
