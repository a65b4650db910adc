"""The answer to an inline query."""

from __future__ import annotations

from pydantic import BaseModel

from app.sandbox.errors import MAX_INLINE_RESULTS, QUERY_TOO_OLD, bad_request
from app.sandbox.methods.method import Json, Method, caption_content
from app.sandbox.params import Params
from app.sandbox.world import World

CACHED_KINDS = {
    "photo": "photo",
    "document": "document",
    "video": "video",
    "mpeg4_gif": "animation",
}
"""Of results, and what each is as a message."""


class _Result(BaseModel):
    """An `InlineQueryResult`, as far as the sandbox knows it."""

    id: str = ""
    type: str = ""
    photo_file_id: str = ""
    document_file_id: str = ""
    video_file_id: str = ""
    mpeg4_file_id: str = ""
    caption: str | None = None
    parse_mode: str | None = None
    caption_entities: list[Json] | None = None


async def answer_inline_query(world: World, params: Params) -> bool:
    query = world.inline_queries.get(params.text("inline_query_id"))
    if query is None or query.contents is not None:
        raise bad_request(QUERY_TOO_OLD)
    results = params.json("results", list[_Result]) or []
    if len(results) > MAX_INLINE_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    contents = {result.id: _content(world, result) for result in results}
    if len(contents) != len(results):
        raise bad_request("RESULT_ID_DUPLICATE")
    query.contents = contents
    query.is_personal = params.flag("is_personal")
    return True


def _content(world: World, result: _Result) -> Json:
    """What is sent when a person chooses the result, one of Telegram's own copies."""
    kind = CACHED_KINDS.get(result.type)
    if kind is None:
        raise bad_request(f"unsupported inline result type {result.type}")
    media = world.files.media(
        result.photo_file_id
        or result.document_file_id
        or result.video_file_id
        or result.mpeg4_file_id
    )
    if media is None or kind not in media:
        raise bad_request("wrong file identifier/HTTP URL specified")
    caption = caption_content(
        result.caption or "", result.parse_mode or "", result.caption_entities
    )
    return media | caption


METHODS: dict[str, Method] = {"answerInlineQuery": answer_inline_query}
