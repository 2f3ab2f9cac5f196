"""The command line: which commands there are, and how an error becomes an exit code."""

import difflib
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

from likewise import __version__
from likewise.errors import LikewiseError

# name: (module, function, one line of help); imported only when the command is used
COMMANDS: Final = {
    "demo": ("likewise.cli.demo", "demo", "See it work on real code: train, measure, report."),
    "check": ("likewise.cli.check", "check", "Read data and say what it is; change nothing."),
    "train": ("likewise.cli.train", "train", "Train a model and measure what it gained."),
    "plan": ("likewise.cli.plan", "plan", "Say what a training run will take; write nothing."),
    "compare": ("likewise.cli.compare", "compare", "Train several set-ups and say which is best."),
    "losses": ("likewise.cli.losses", "losses", "List the losses, or the options of one."),
    "eval": ("likewise.cli.eval", "eval_", "Measure models on data, with intervals."),
    "encode": ("likewise.cli.encode", "encode", "Turn texts into vectors on disk."),
    "mine": ("likewise.cli.mine", "mine", "Find negatives for pairs, none known to be right."),
    "search": ("likewise.cli.search", "search", "Find the texts nearest to a question."),
    "report": ("likewise.cli.report", "report", "Write a run as one page of HTML."),
}

# what a docstring tells a reader of the code, and --help need not
_FOR_DEVELOPERS: Final = re.compile(r"\n\s*(Args|Returns|Raises):\n.*", re.DOTALL)


class LazyCommands(TyperGroup):
    """The commands of the table: `--help` lists them, and imports none."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, imported now, or None where there is none."""
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, or offer the one that was probably meant."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            offer = f'did you mean "{near[0]}"?' if near else f"one of: {', '.join(COMMANDS)}"
            ctx.fail(f'There is no command "{args[0]}"; {offer}')
        return super().resolve_command(ctx, args)


def load_command(name: str) -> Any:
    """Import the command `name` of the table and make it ready to be called.

    Args:
        name: one of `COMMANDS`.

    Returns:
        The command as typer builds it from the function's signature and docstring.
    """
    module, function_name, _ = COMMANDS[name]
    function: Callable[..., None] = getattr(import_module(module), function_name)
    one = typer.Typer(add_completion=False, rich_markup_mode=None)
    shown = _FOR_DEVELOPERS.sub("", function.__doc__ or "")
    one.command(name, help=shown, no_args_is_help=False)(function)
    return get_command(one)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"likewise {__version__}")
        raise typer.Exit


def _start(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="On an error, show the traceback too.")
    ] = False,
) -> None:
    """Train text embedding models you can trust.

    Start with `likewise demo`, or with your own data: `likewise check pairs.csv`.
    """


def build() -> Any:
    """The whole command line as one object, which `main` runs and tests inspect."""
    app = typer.Typer(
        cls=LazyCommands, add_completion=False, rich_markup_mode=None, no_args_is_help=True
    )
    app.callback()(_start)
    return get_command(app)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code.

    Args:
        arguments: what follows `likewise`; the process's own where None.

    Raises:
        SystemExit: always; 0 success, 1 the run failed, 2 the input is wrong, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    debug = "--debug" in given[:end]
    given = [word for word in given[:end] if word != "--debug"] + given[end:]
    try:
        try:
            build().main(given, prog_name="likewise")
        finally:
            sys.stdout.flush()  # here, where a closed pipe can still be answered quietly
    except LikewiseError as error:
        _leave(error, str(error), code=error.exit_code, debug=debug)
    except BrokenPipeError:
        _close_stdout()
    except OSError as error:
        _leave(error, str(error), code=1, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last place: a user never sees a traceback
        fault = "This is a fault in Likewise, not in your input; --debug shows where it happened"
        _leave(error, f"{type(error).__name__}: {error}\n{fault}", code=1, debug=debug)
    sys.exit(1)


def _leave(error: Exception, message: str, *, code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exception(error)
    typer.echo(typer.style("Error: ", fg="red", bold=True) + message, err=True)
    sys.exit(code)


def _close_stdout() -> None:
    """Whoever read our output is gone: nothing more can be said there, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
