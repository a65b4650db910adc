"""What an owner can set, by environment or `.env`; every value has a unit in its name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, SecretStr, TypeAdapter, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.interface import MAX_SIZE_PX, MIN_SIZE_PX, Quality, named_devices

UserIds = Annotated[frozenset[int], NoDecode]
"""Telegram ids, written with commas or spaces between them."""


ChatIds = UserIds
"""Likewise; those of groups begin with a minus."""


class Settings(BaseSettings):
    """Read once at start. Raises pydantic's ValidationError, which never shows a value."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # Telegram
    bot_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    """Of the Bot API server; another than Telegram's own for one of one's own."""
    telegram_api_is_local: bool = False
    """The server runs with `--local`: files are read from its folder, up to 2 GB of them."""
    telegram_api_server_dir: Path = Path("/var/lib/telegram-bot-api")
    """The server's folder by the name that the server has for it..."""
    telegram_api_files_dir: Path | None = None
    """...and where that folder is here, if it is at another place."""

    messages_per_second: int = Field(25, ge=1)
    """To all chats together, edits included; Telegram takes about 30."""
    private_edit_every_s: float = Field(3.0, ge=0)
    """Between two edits of a picture in progress: edits count like messages."""
    group_edit_every_s: float = Field(6.0, ge=0)

    # Who may come in
    admin_ids: UserIds = frozenset()
    allowed_user_ids: UserIds = frozenset()
    allowed_chat_ids: ChatIds = frozenset()
    """Groups whose members come in. Both lists empty let everybody in; admins always come in."""
    flood_burst_messages: int = Field(30, ge=1)
    """So many messages of one person are read at once..."""
    flood_messages_per_minute: int = Field(40, ge=1)
    """...and so many a minute after that."""

    # The engine
    encoder: Literal["auto", "vgg16", "slim"] = "auto"
    device: str = "auto"
    """`auto` is every GPU, or the processor where there is none; see `named_devices`."""
    cpu_workers: int = Field(1, ge=1)
    """How many pictures the processor paints at a time, each with its share of the cores."""
    gpu_half_precision: bool = False
    gpu_graphs: bool = False
    """Both make a GPU quicker perhaps; neither was measured on one yet (`make gpu`)."""
    ray_address: str | None = None
    """Of a Ray cluster, `auto` or HOST:PORT: its GPUs paint, and none of this process."""
    default_quality: Quality = Quality.STANDARD
    default_size_px: int = Field(768, ge=MIN_SIZE_PX, le=MAX_SIZE_PX)
    """Long side of the result, for people who set none of their own."""
    step_timeout_s: float = Field(120.0, gt=0)
    """A step that takes longer hangs: its device is given up. With the last one the process ends
    and its supervisor starts another."""

    # Clips
    clip_max_seconds: float = Field(15.0, ge=0, le=600)
    """A longer GIF, video or video note is not painted; 0 takes none at all."""
    clip_size_px: int | None = Field(None, ge=MIN_SIZE_PX, le=MAX_SIZE_PX)
    """The long side that clips are painted at, at most. If not set, what a machine paints in
    reasonable time: 720 on a GPU, 480 without."""

    # The queue
    queue_max_jobs: int = Field(200, ge=1)
    queue_max_jobs_per_user: int = Field(12, ge=1)
    """An album of ten photos is ten jobs."""

    daily_pictures_per_user: int | None = Field(None, ge=1)
    """In 24 hours; as many as they like if not set."""

    # The disk
    data_dir: Path = Path("data")
    keep_pictures_hours: float = Field(24.0, gt=0)
    disk_quota_mb: int = Field(5000, ge=100)
    """For all of `data_dir`. Before it would be passed, the oldest pictures that no open job needs
    are deleted; if that is not enough, further pictures are not taken for a while."""
    disk_quota_per_user_mb: int = Field(500, ge=1)
    """Above it a person's further pictures are not taken until older ones are deleted."""

    # Seen from outside
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_port: int | None = Field(None, ge=1, le=65535)
    """Of the Prometheus endpoint on loopback; none if not set."""
    sandbox_port: int = Field(8080, ge=0, le=65535)
    """Of the chat page on loopback; 0 takes any free one."""

    @property
    def cache_dir(self) -> Path:
        """What can be made or fetched again: weights, gallery pictures."""
        return self.data_dir / "cache"

    @property
    def styles_dir(self) -> Path:
        """The presets that the owner added."""
        return self.data_dir / "styles"

    @property
    def heartbeat_path(self) -> Path:
        """Touched every few seconds while the event loop is alive."""
        return self.data_dir / "heartbeat"

    def lets_in(self, user_id: int, chat_id: int | None = None) -> bool:
        """Whether this person may use the bot, in that chat."""
        is_open = not self.allowed_user_ids and not self.allowed_chat_ids
        is_invited = user_id in self.allowed_user_ids | self.admin_ids
        return is_open or is_invited or chat_id in self.allowed_chat_ids

    @field_validator("admin_ids", "allowed_user_ids", "allowed_chat_ids", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        ids = value.replace(",", " ").split()
        if not ids:
            # Whoever writes something means somebody; nobody would be an open door.
            raise ValueError("must hold at least one Telegram id, or not be set at all")
        return ids

    @field_validator("device")
    @classmethod
    def _names_devices(cls, value: str) -> str:
        return ",".join(named_devices(value))

    @field_validator("ray_address")
    @classmethod
    def _is_auto_or_has_a_port(cls, value: str | None) -> str | None:
        if value is None or value == "auto":
            return value
        host, _, port = value.rpartition(":")
        if not host or set(host) & set("/ \t\r\n") or not (port.isascii() and port.isdigit()):
            raise ValueError("must be auto or HOST:PORT, such as 10.0.0.1:6379")
        if not 0 < int(port) < 65536:
            raise ValueError("must have a port from 1 to 65535")
        return value

    @field_validator("bot_token")
    @classmethod
    def _looks_like_a_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            # Here and not above: aiogram takes a second to import, and few commands need it.
            from aiogram.utils.token import TokenValidationError, validate_token

            try:
                validate_token(value.get_secret_value())
            except TokenValidationError:
                raise ValueError("does not look like a token of @BotFather") from None
        return value

    @field_validator("telegram_api_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        try:
            address = TypeAdapter(HttpUrl).validate_python(value)
        except ValueError:
            raise ValueError("must be the address of a server") from None
        # A method's name comes behind it, and aiogram fills in what stands in braces.
        is_base = address.query is None and address.fragment is None and address.port != 0
        if not is_base or set(value) & set("{} \t\r\n\\"):
            raise ValueError("must be the address of a server")
        return value.rstrip("/")
