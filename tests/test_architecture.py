"""The arrows between the packages, held by reading every import.

import-linter's contracts say the same of imports that are written down, at the price of five more
packages; what loads torch when the chat side really is imported they don't see.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TORCH = {"torch", "torchvision", "safetensors"}

# The chat side may know these of the engine; the composition root and the commands may load it.
ENGINE_WORDS = {
    "models.files",
    "models.interface",
    "models.pictures.encoding",
    "models.pictures.headers",
    "models.pictures.problems",
    "models.pictures.reading",
    "models.pictures.sizes",
    "models.pictures.written_formats",
    "models.clips.interface",
    "models.clips.probing",
}
ENGINE_LOADERS = {"app/engine.py", "app/process.py", "app/commands"}


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sources(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("path", sources("app"), ids=relative)
def test_app_never_imports_torch(path: Path) -> None:
    assert not TORCH & {top(name) for name in imports(path)}


@pytest.mark.parametrize("path", sources("models", "styles"), ids=relative)
def test_models_and_styles_know_nothing_of_app(path: Path) -> None:
    assert "app" not in {top(name) for name in imports(path)}


@pytest.mark.parametrize("path", sources("models"), ids=relative)
def test_models_know_nothing_of_styles_chats_or_databases(path: Path) -> None:
    forbidden = {"styles", "aiogram", "asyncio", "sqlite3", "aiosqlite"}
    assert not forbidden & {top(name) for name in imports(path)}


@pytest.mark.parametrize("path", sources("app"), ids=relative)
def test_app_knows_of_the_engine_only_its_words(path: Path) -> None:
    if any(relative(path).startswith(loader) for loader in ENGINE_LOADERS):
        return
    known = {name for name in imports(path) if top(name) == "models"}
    assert known <= ENGINE_WORDS


@pytest.mark.parametrize("path", sources("app/jobs"), ids=relative)
def test_jobs_know_nothing_of_telegram(path: Path) -> None:
    names = set(imports(path))
    assert "aiogram" not in {top(name) for name in names}
    assert not any(name.startswith("app.bot") for name in names)


def test_importing_the_chat_side_does_not_load_torch() -> None:
    modules = [name for name in all_modules("app") if not name.endswith("__main__")]
    code = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def all_modules(package: str) -> list[str]:
    found = importlib.import_module(package)
    return [package, *(info.name for info in pkgutil.walk_packages(found.__path__, f"{package}."))]


@pytest.mark.parametrize("name", [m for p in ("app", "models", "styles") for m in all_modules(p)])
def test_every_module_can_be_imported(name: str) -> None:
    if not name.endswith("__main__"):
        importlib.import_module(name)


def test_no_file_reaches_outside_the_project() -> None:
    outside = "../" + "shared"
    suffixes = {".py", ".md", ".toml", ".txt", ".yml", ".service", ".html", ".js", ".css"}
    rooms = ("app", "models", "styles", "tests", "deploy", "docs")
    found = [path for room in rooms for path in (ROOT / room).rglob("*")] + list(ROOT.iterdir())
    texts = [path for path in found if path.suffix in suffixes]
    assert texts
    assert not [relative(p) for p in texts if outside in p.read_text(encoding="utf-8")]
