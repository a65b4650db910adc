"""`make constraints`: pin every version that is installed, as far as the requirements reach."""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
FILE = ROOT / "constraints.txt"
REQUIREMENTS = (
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-bench.txt",
    "requirements-ray.txt",
)
HEADER = """\
# Every version that is installed, with all that the requirements bring along; written by
# `make constraints`. Without hashes, for torch is another file on each kind of machine: with CUDA,
# without it, or from an index of its own. What its CUDA build brings along torch itself pins.
"""


def required(name: str) -> list[Requirement]:
    """What a file of requirements asks for itself."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def closure(requirements: list[Requirement]) -> dict[str, str]:
    """Version by name of all that `requirements` need, as installed here.

    Without the mark of a build (`+cpu`). Raises PackageNotFoundError for what is not installed.
    """
    found: dict[str, str] = {}
    waiting = [(requirement.name, requirement.extras) for requirement in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        key = (canonicalize_name(name), frozenset(extras))
        if key in seen:
            continue
        seen.add(key)
        package = distribution(name)
        found[key[0]] = Version(package.version).public
        for needed in map(Requirement, package.requires or ()):
            marks = [{"extra": extra} for extra in ("", *extras)]
            if needed.marker is None or any(map(needed.marker.evaluate, marks)):
                waiting.append((needed.name, needed.extras))
    return found


def main() -> int:
    """Write `FILE`."""
    asked = [requirement for name in REQUIREMENTS for requirement in required(name)]
    pins = [f"{name}=={version}\n" for name, version in sorted(closure(asked).items())]
    FILE.write_text(HEADER + "".join(pins), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
