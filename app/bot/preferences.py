"""What people have set once and for all; kept over restarts."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, NoReturn, Self

from cachetools import LRUCache
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from app.bot.ui.i18n import languages
from app.jobs.model import Delivery
from app.storage.database import Database
from models.interface import (
    MAX_BRUSH,
    MAX_SIZE_PX,
    MAX_STRENGTH,
    MIN_BRUSH,
    MIN_SIZE_PX,
    MIN_STRENGTH,
    Quality,
    StyleOptions,
)
from styles.catalog import Preset

logger = logging.getLogger(__name__)

MIGRATIONS: Final = (
    """
    CREATE TABLE preferences (
        user_id INTEGER PRIMARY KEY,
        quality TEXT,
        size_px INTEGER,
        strength INTEGER,
        keep_colors INTEGER,
        brush REAL,
        delivery TEXT,
        language TEXT
    )
    """,
    "ALTER TABLE preferences ADD COLUMN keep_faces INTEGER",
)


def _known_language(code: str | None) -> str | None:
    if code is not None and code not in languages():
        raise ValueError("not a language of the bot")
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPreferences:
    """A person's settings; None leaves the choice to the style or to the bot.

    The fields are `StyleOptions`' own, and two more: how the result comes, and the language.
    """

    quality: Quality | None = None
    size_px: Annotated[int, Field(ge=MIN_SIZE_PX, le=MAX_SIZE_PX)] | None = None
    strength: Annotated[int, Field(ge=MIN_STRENGTH, le=MAX_STRENGTH)] | None = None
    keep_colors: bool | None = None
    keep_faces: bool | None = None
    brush: Annotated[float, Field(ge=MIN_BRUSH, le=MAX_BRUSH)] | None = None
    delivery: Delivery | None = None
    language: Annotated[str | None, AfterValidator(_known_language)] = None


REMEMBERED_PEOPLE: Final = 10_000
FIELDS: Final = tuple(UserPreferences.__dataclass_fields__)


class PreferencesRepository:
    """The settings of all people, in a file of their own."""

    def __init__(self, database: Database, *, defaults: StyleOptions) -> None:
        self._database = database
        self._defaults = defaults
        self._known: LRUCache[int, UserPreferences] = LRUCache(REMEMBERED_PEOPLE)
        self._reader = TypeAdapter(UserPreferences)

    @classmethod
    async def open(cls, path: Path, *, defaults: StyleOptions) -> Self:
        """Open or create the file; the bot goes on without what stood in a damaged one.

        Raises `app.storage.database.UnusableDatabaseError`.
        """
        return cls(await Database.open_or_begin_anew(path, MIGRATIONS), defaults=defaults)

    async def damaged(self) -> NoReturn:
        """Wait until the file is found damaged, and raise DamagedDatabaseError then."""
        await self._database.damaged()

    async def close(self) -> None:
        await self._database.close()

    async def of(self, user_id: int) -> UserPreferences:
        """What this person has set; asked for several times at every update."""
        known = self._known.get(user_id)
        if known is None:
            known = self._known[user_id] = await self._read(user_id)
        return known

    async def _read(self, user_id: int) -> UserPreferences:
        row = await self._database.read_one(
            f"SELECT {', '.join(FIELDS)} FROM preferences WHERE user_id = ?",  # noqa: S608
            (user_id,),
        )
        if row is None:
            return UserPreferences()
        values = dict(row)
        try:
            return self._reader.validate_python(values)
        except ValidationError as error:
            # Another version of the bot may know it: it stays where it is.
            unknown = {str(each["loc"][0]) for each in error.errors(include_input=False)}
            facts = {"fields": sorted(unknown)}  # not whose: a log names no people
            logger.warning("settings that this version does not know are left open", extra=facts)
            known = {name: value for name, value in values.items() if name not in unknown}
            return self._reader.validate_python(known)

    async def set(self, user_id: int, field: str, value: object) -> None:
        """Set one field; None leaves it open again. Raises ValueError if there is none such."""
        if field not in FIELDS:
            raise ValueError(f"{field!r} is nothing that can be set")
        await self._database.execute(
            f"INSERT INTO preferences (user_id, {field}) VALUES (?, ?)"  # noqa: S608
            f" ON CONFLICT DO UPDATE SET {field} = excluded.{field}",
            (user_id, value),
        )
        self._known.pop(user_id, None)

    async def forget(self, user_id: int) -> None:
        """Delete everything a person has set."""
        await self._database.execute("DELETE FROM preferences WHERE user_id = ?", (user_id,))
        self._known.pop(user_id, None)

    async def wipe(self) -> None:
        """Leave no byte of what was deleted. Raises sqlite3.Error."""
        await self._database.wipe()

    # What a new job asks for

    async def options(self, user_id: int, preset: Preset | None = None) -> StyleOptions:
        """The person's options; what the person left open is as the preset suggests."""
        chosen = await self.of(user_id)
        usual = preset.hinted(self._defaults) if preset else self._defaults
        own = {name: getattr(chosen, name) for name in FIELDS if hasattr(usual, name)}
        # 0 and False are choices too.
        return replace(usual, **{name: v for name, v in own.items() if v is not None})

    async def delivery(self, user_id: int) -> Delivery:
        return (await self.of(user_id)).delivery or Delivery.PHOTO

    async def language(self, user_id: int) -> str | None:
        """The language this person has chosen, if any."""
        return (await self.of(user_id)).language
