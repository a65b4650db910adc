"""run.py's commands: none is the bot; the others stand in `_COMMANDS`.

argparse and not typer: that takes 0.2 s to start and brings five packages to keep, for a help page
in colour. Only the module of the command that was typed is imported: `--help` answers at once.
"""

from __future__ import annotations

import argparse
import codecs
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from app.commands.errors import UsageError, complain, explained
from app.exit_codes import MEANINGS, ExitCode

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


@dataclass(frozen=True, slots=True)
class _Command:
    """A command: `function` of `app.commands.{module}`, which may declare arguments."""

    name: str
    module: str
    help: str
    arguments: str | None = None
    """The function of that module that declares them."""

    def function(self, name: str) -> Callable[..., int]:
        """A function of its module, which is imported now."""
        found: Callable[..., int] = getattr(
            importlib.import_module(f"app.commands.{self.module}"), name
        )
        return found


_BOT = _Command("serve", "serve", "run the bot")
_COMMANDS = (
    _Command("stylize", "paint", "paint one photo or many", "add_stylize"),
    _Command("clip", "clip", "paint a video, a GIF or another moving picture", "add_clip"),
    _Command("styles", "styles", "list the presets, or show them on a photo", "add_styles"),
    _Command("demo", "paint", "paint a sample photo and say where it lies"),
    _Command("sandbox", "serve", "serve the bot on a chat page of its own, without Telegram"),
    _Command("doctor", "doctor", "say what is wrong with this machine or its settings"),
    _Command("healthcheck", "healthcheck", "exit with 0 if the bot of this data folder is alive"),
    _Command("bench", "bench", "measure the engine and the loop on this machine", "add_bench"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of `argv` and give its exit code; bad input is one line and a 2."""
    _prepare_streams()
    try:
        try:
            return _run(sys.argv[1:] if argv is None else argv)
        finally:
            # Here and not at the interpreter's end, where nobody catches what goes wrong.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return ExitCode.OUTPUT_CLOSED
    except Exception as error:
        explanation = explained(error)
        if explanation is None:
            raise
        sentence, code = explanation
        complain(sentence)
        _let_go_of_stdout()
        return code


def _run(argv: Sequence[str]) -> int:
    args = _parser(argv).parse_args(argv)
    command: _Command = args.command
    run = command.function(command.name)
    from app.settings import Settings  # takes a moment, which `--help` spares

    try:
        settings = Settings()
    except UnicodeDecodeError as error:
        raise UsageError("the settings in .env are not UTF-8 text") from error
    return int(run(args, settings))


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its whole usage before an error; a script wants the error."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        # argparse's own swallows what goes wrong in writing.
        print(self.format_help(), end="", file=file)

    def error(self, message: str) -> NoReturn:
        complain(message)
        self.exit(ExitCode.USAGE)


class _Version(argparse.Action):
    """`--version`, which reads the file that holds it only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from app.version import app_version

        print(f"run.py {app_version()}")
        parser.exit()


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser, with the arguments of those commands that stand in `argv`."""
    parser = _OneLineParser(
        prog="run.py",
        description="A style transfer bot for Telegram.",
        epilog=_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is")
    parser.set_defaults(command=_BOT)
    commands = parser.add_subparsers(title="commands (none: run the bot)", metavar="COMMAND")
    for command in _COMMANDS:
        added = commands.add_parser(command.name, help=command.help, description=command.help)
        added.set_defaults(command=command)
        if command.arguments is not None and command.name in argv:
            command.function(command.arguments)(added)
    return parser


def _exit_codes() -> str:
    lines = (f"  {code:<5}{meaning}" for code, meaning in MEANINGS.items())
    return "\n".join(["exit codes:", *lines])


def _prepare_streams() -> None:
    """Printing a name never fails, whatever bytes it is made of and whatever stdout can show.

    What was closed (`>&-`) leads nowhere from now on; Python leaves None in its place.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    if isinstance(sys.stdout, io.TextIOWrapper):
        is_utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")


def _let_go_of_stdout() -> None:
    """What could not be written is not tried again at the interpreter's end."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
