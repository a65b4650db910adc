"""What can be wrong about a preset; every message is one English sentence."""

from __future__ import annotations


class CatalogError(Exception):
    """Something about a preset, or about the file it stands in, is wrong."""


class BadNameError(CatalogError):
    """No style can be called that."""


class NameTakenError(CatalogError):
    """Another preset, of the slug `taken_by`, is called that already in some language."""

    def __init__(self, name: str, taken_by: str) -> None:
        super().__init__(f"the name {name!r} is taken by the preset {taken_by!r}")
        self.name = name
        self.taken_by = taken_by


class BadPictureError(CatalogError):
    """The picture can't serve as a style."""


class NotOwnError(CatalogError):
    """Only presets that were added can be removed."""

    def __init__(self, slug: str) -> None:
        super().__init__(f"{slug!r} is not a preset that was added")
