"""Which Bot API server is spoken to."""

from __future__ import annotations

from aiogram.client.telegram import (
    BareFilesPathWrapper,
    FilesPathWrapper,
    SimpleFilesPathWrapper,
    TelegramAPIServer,
)

from app.settings import Settings


def api_server(settings: Settings) -> TelegramAPIServer:
    """Telegram's, or one of the owner's, whose files may lie in a folder of this machine."""
    files: FilesPathWrapper = BareFilesPathWrapper()
    if settings.telegram_api_files_dir is not None:
        files = SimpleFilesPathWrapper(
            settings.telegram_api_server_dir, settings.telegram_api_files_dir
        )
    return TelegramAPIServer.from_base(
        settings.telegram_api_url,
        is_local=settings.telegram_api_is_local,
        wrap_local_file=files,
    )
