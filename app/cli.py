"""run.py's commands: none is the bot; `stylize`, `styles`, `demo`, `sandbox`, `doctor`, `bench`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from pydantic import ValidationError

from app.commands.bench import add_bench, bench
from app.commands.doctor import doctor
from app.commands.paint import UsageError, add_stylize, demo, stylize
from app.commands.serve import healthcheck, sandbox, serve
from app.commands.styles import add_styles, styles
from app.settings import Settings
from models.interface import EngineError
from models.pictures import PictureError
from styles.catalog import CatalogError

Command = Callable[[argparse.Namespace, Settings], int]

EXIT_ENGINE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of `argv` and give its exit code; bad input is one line and a 2."""
    args = _parser().parse_args(argv)
    command: Command = args.command
    try:
        return command(args, Settings())
    except UnicodeDecodeError:
        return _complain("the settings in .env are not UTF-8 text", EXIT_USAGE)
    except ValidationError as error:
        return _complain("; ".join(map(_setting_problem, error.errors())), EXIT_USAGE)
    except (UsageError, PictureError, CatalogError) as error:
        return _complain(str(error), EXIT_USAGE)
    except EngineError as error:
        return _complain(str(error), EXIT_ENGINE)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


class _OneLineParser(argparse.ArgumentParser):
    """argparse prints its whole usage before an error; a script wants the error."""

    def error(self, message: str) -> NoReturn:
        self.exit(_complain(message, EXIT_USAGE))


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(prog="run.py", description="A style transfer bot for Telegram.")
    parser.set_defaults(command=serve)
    commands = parser.add_subparsers(title="commands (none: run the bot)", metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    add_stylize(add("stylize", stylize, "paint one picture"))
    add_styles(add("styles", styles, "list the presets, or show them on a photo"))
    add("demo", demo, "paint a sample photo and say where it lies")
    add("sandbox", sandbox, "serve the bot on a chat page of its own, without Telegram")
    add("doctor", doctor, "say what is wrong with this machine or its settings")
    add("healthcheck", healthcheck, "exit with 0 if the bot of this data folder is alive")
    add_bench(add("bench", bench, "measure the engine and the loop on this machine"))
    return parser


def _setting_problem(problem: object) -> str:
    # Without the value: it may be the token.
    assert isinstance(problem, dict)  # noqa: S101 - pydantic's own type for it is a TypedDict
    name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
    return f"{name}: {problem['msg']}"


def _complain(message: str, code: int) -> int:
    print(f"run.py: {' '.join(message.split())}", file=sys.stderr)
    return code
