"""The Bot API server, spoken to by aiogram as the real one would be."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot, Dispatcher
from aiogram.enums import ChatAction, ParseMode
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramUnauthorizedError,
)
from aiogram.methods import SendVenue
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    ReplyParameters,
    Update,
)
from PIL import Image

from app.sandbox.people import Attachment, Person
from tests.app.sandbox.faulty_sandbox import FaultySandbox
from tests.app.sandbox.pictures import picture

pytestmark = pytest.mark.asyncio(loop_scope="module")


def upload(data: bytes, name: str = "picture.png") -> BufferedInputFile:
    return BufferedInputFile(data, name)


def keyboard(data: str) -> InlineKeyboardMarkup:
    button = InlineKeyboardButton(text="Press", callback_data=data)
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


async def test_an_aiogram_bot_answers_over_long_polling(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    dispatcher = Dispatcher()

    @dispatcher.message()
    async def echo(message: Message) -> None:
        await message.answer(f"You said: {message.text}")

    polling = asyncio.create_task(dispatcher.start_polling(bot, handle_signals=False))
    with sandbox.world.watch() as feed:
        anna.write("hello")
        await feed.get()
        await feed.get()
    await dispatcher.stop_polling()
    await polling
    assert [m.text for m in anna.chat.messages.values()] == ["hello", "You said: hello"]


async def test_updates_come_again_until_a_higher_offset_confirms_them(
    bot: Bot, anna: Person
) -> None:
    anna.write("one")
    anna.write("two")
    first = await bot.get_updates()
    again = await bot.get_updates(offset=first[0].update_id)
    rest = await bot.get_updates(offset=first[1].update_id)
    assert [u.update_id for u in first] == [u.update_id for u in again]
    assert [u.message and u.message.text for u in rest] == ["two"]
    assert await bot.get_updates(offset=first[1].update_id + 1) == []


async def test_a_poll_waits_for_the_next_update(bot: Bot, anna: Person) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=10))
    await asyncio.sleep(0.05)
    assert not poll.done()
    anna.write("now")
    updates = await poll
    assert updates[0].message is not None


async def test_a_second_poll_ends_the_first_with_a_conflict(bot: Bot, anna: Person) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=10))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(bot.get_updates(timeout=10))
    with pytest.raises(TelegramConflictError, match="only one bot instance"):
        await first
    anna.write("to the second")
    assert await second


async def test_a_repeated_update_arrives_twice_though_confirmed(
    sandbox: FaultySandbox, bot: Bot, anna: Person
) -> None:
    anna.write("once")
    update = (await bot.get_updates())[0]
    sandbox.world.updates.repeat(update.model_dump(mode="json", exclude_none=True, by_alias=True))
    repeats = await bot.get_updates(offset=update.update_id + 1)
    assert [u.update_id for u in repeats] == [update.update_id]


async def test_html_becomes_entities_in_utf16_units(bot: Bot, anna: Person) -> None:
    sent = await bot.send_message(
        anna.user.id, "🎨 <b>bold &amp; <i>both</i></b>", parse_mode=ParseMode.HTML
    )
    assert sent.text == "🎨 bold & both"
    assert [(e.type, e.offset, e.length) for e in sent.entities or []] == [
        ("bold", 3, 11),
        ("italic", 10, 4),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a < b", "Unclosed start tag at byte offset 2"),
        ("<h1>Big</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</b></i>", "Unmatched end tag at byte offset 7"),
        ("x</b>", "Unexpected end tag at byte offset 1"),
    ],
)
async def test_broken_html_is_refused_as_by_telegram(
    bot: Bot, anna: Person, text: str, complaint: str
) -> None:
    with pytest.raises(TelegramBadRequest, match="can't parse entities") as refusal:
        await bot.send_message(anna.user.id, text, parse_mode=ParseMode.HTML)
    assert complaint in refusal.value.message
    assert not anna.chat.messages


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("  ", "message text is empty"), ("x" * 4097, "message is too long")],
)
async def test_texts_have_limits(bot: Bot, anna: Person, text: str, complaint: str) -> None:
    with pytest.raises(TelegramBadRequest, match=complaint):
        await bot.send_message(anna.user.id, text)


async def test_a_caption_has_a_limit(bot: Bot, anna: Person) -> None:
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.send_photo(anna.user.id, upload(picture()), caption="x" * 1025)


async def test_callback_data_has_at_most_64_bytes(bot: Bot, anna: Person) -> None:
    await bot.send_message(anna.user.id, "fits", reply_markup=keyboard("я" * 32))
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await bot.send_message(anna.user.id, "too long", reply_markup=keyboard("я" * 33))


async def test_a_photo_comes_back_in_sizes_and_can_be_downloaded(bot: Bot, anna: Person) -> None:
    sent = await bot.send_photo(anna.user.id, upload(picture(1600, 900)), caption="wide")
    assert sent.photo is not None
    assert [(size.width, size.height) for size in sent.photo] == [
        (90, 51),
        (320, 180),
        (800, 450),
        (1280, 720),
    ]
    data = await bot.download(sent.photo[-1])
    assert data is not None
    assert Image.open(data).size == (1280, 720)


async def test_a_photo_can_be_sent_again_by_its_id(bot: Bot, anna: Person, ben: Person) -> None:
    sent = await bot.send_photo(anna.user.id, upload(picture()))
    assert sent.photo is not None
    again = await bot.send_photo(ben.user.id, sent.photo[-1].file_id)
    assert again.photo == sent.photo
    with pytest.raises(TelegramBadRequest, match="can't use file of type Photo as Document"):
        await bot.send_document(ben.user.id, sent.photo[-1].file_id)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (picture(9000, 1001), "PHOTO_INVALID_DIMENSIONS"),
        (picture(210, 10), "PHOTO_INVALID_DIMENSIONS"),
        (picture() + bytes(10 * 1024 * 1024), "too big for a photo"),
    ],
    ids=["text", "sides", "ratio", "bytes"],
)
async def test_what_is_no_photo_is_refused(
    bot: Bot, anna: Person, data: bytes, complaint: str
) -> None:
    with pytest.raises(TelegramBadRequest, match=complaint):
        await bot.send_photo(anna.user.id, upload(data))


async def test_a_document_stays_as_it_is(bot: Bot, anna: Person) -> None:
    data = picture()
    sent = await bot.send_document(anna.user.id, upload(data, "mine.png"))
    assert sent.document is not None
    assert sent.document.file_name == "mine.png"
    got = await bot.download(sent.document)
    assert got is not None
    assert got.read() == data


async def test_files_over_20_mb_are_not_given_to_bots(bot: Bot, anna: Person) -> None:
    sent = await anna.send_files(Attachment(bytes(20 * 1024 * 1024 + 1), "large.bin"))
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await bot.get_file(sent[0].content["document"]["file_id"])


async def test_an_album_arrives_as_one_group(bot: Bot, anna: Person) -> None:
    photos = [InputMediaPhoto(media=upload(picture(color=color))) for color in ("red", "blue")]
    sent = await bot.send_media_group(anna.user.id, list(photos))
    assert len({message.media_group_id for message in sent}) == 1
    assert len(anna.chat.messages) == 2
    with pytest.raises(TelegramBadRequest, match="2-10 items"):
        await bot.send_media_group(anna.user.id, list(photos[:1]))


async def test_an_album_of_a_person_is_one_update_per_item(bot: Bot, anna: Person) -> None:
    await anna.send_photos(Attachment(picture()), Attachment(picture()), caption="/style both")
    messages = [u.message for u in await bot.get_updates()]
    assert [m and m.caption for m in messages] == ["/style both", None]
    assert len({m and m.media_group_id for m in messages}) == 1


async def test_a_text_becomes_a_photo_in_place(bot: Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.user.id, "Wait…", reply_markup=keyboard("stop"))
    media = InputMediaPhoto(media=upload(picture()), caption="draft")
    await bot.edit_message_media(media, chat_id=anna.user.id, message_id=sent.message_id)
    message = anna.chat.messages[sent.message_id]
    assert message.text == "draft"
    assert "photo" in message.content
    assert message.buttons == []
    with pytest.raises(TelegramBadRequest, match="no text in the message to edit"):
        await bot.edit_message_text("text", chat_id=anna.user.id, message_id=sent.message_id)
    document = InputMediaDocument(media=upload(picture()))
    await bot.edit_message_media(document, chat_id=anna.user.id, message_id=sent.message_id)
    assert "document" in message.content


async def test_an_edit_that_changes_nothing_is_refused(bot: Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.user.id, "same", reply_markup=keyboard("x"))
    where = {"chat_id": anna.user.id, "message_id": sent.message_id}
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await bot.edit_message_text("same", reply_markup=keyboard("x"), **where)  # type: ignore[arg-type]
    await bot.edit_message_text("same", **where)  # type: ignore[arg-type]
    assert anna.chat.messages[sent.message_id].buttons == []


async def test_only_the_bots_own_messages_can_be_edited(bot: Bot, anna: Person) -> None:
    theirs = anna.write("mine")
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await bot.edit_message_text("yours", chat_id=anna.user.id, message_id=theirs.id)
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await bot.edit_message_text("gone", chat_id=anna.user.id, message_id=theirs.id + 1)


async def test_a_deleted_message_is_gone(bot: Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.user.id, "soon gone")
    await bot.delete_message(anna.user.id, sent.message_id)
    with pytest.raises(TelegramBadRequest, match="message to delete not found"):
        await bot.delete_message(anna.user.id, sent.message_id)


async def test_a_pressed_button_is_answered_once_known(bot: Bot, anna: Person) -> None:
    sent = await bot.send_message(anna.user.id, "choose", reply_markup=keyboard("yes"))
    query = anna.press(anna.chat.messages[sent.message_id], "yes")
    update = (await bot.get_updates())[0]
    assert update.callback_query is not None
    assert update.callback_query.data == "yes"
    await bot.answer_callback_query(update.callback_query.id, "Done", show_alert=True)
    assert query.answer == {"text": "Done", "show_alert": True}
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query("12345")


async def test_who_blocked_the_bot_gets_nothing(bot: Bot, anna: Person) -> None:
    anna.block()
    with pytest.raises(TelegramForbiddenError, match="blocked by the user"):
        await bot.send_message(anna.user.id, "hello?")
    anna.unblock()
    await bot.send_message(anna.user.id, "hello!")
    statuses = [
        u.my_chat_member and u.my_chat_member.new_chat_member.status
        for u in await bot.get_updates()
    ]
    assert statuses == ["kicked", "member"]


async def test_replies_name_their_message(sandbox: FaultySandbox, bot: Bot, anna: Person) -> None:
    group = sandbox.world.open_group(-1001, "Painters")
    photo = (await anna.send_photos(Attachment(picture()), chat=group))[0]
    anna.write("/style", chat=group, reply_to=photo)
    message = (await bot.get_updates())[-1].message
    assert message is not None
    assert message.chat.type == "supergroup"
    assert message.reply_to_message is not None
    assert message.reply_to_message.photo
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(-1001, "lost", reply_parameters=ReplyParameters(message_id=1))


async def test_the_menu_follows_the_language(sandbox: FaultySandbox, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand(command="help", description="Help")])
    await bot.set_my_commands(
        [BotCommand(command="help", description="Помощь")], language_code="ru"
    )
    menu = sandbox.world.profile.menu
    assert [command["description"] for command in menu("ru")] == ["Помощь"]
    assert [command["description"] for command in menu("ru-ru")] == ["Помощь"]
    assert [command["description"] for command in menu("de")] == ["Help"]
    assert (await bot.get_my_commands(language_code="ru"))[0].description == "Помощь"


async def test_the_bot_can_introduce_itself(bot: Bot, anna: Person) -> None:
    me = await bot.me()
    assert me.is_bot
    await bot.set_my_description("I paint", language_code="en")
    assert (await bot.get_my_description(language_code="en")).description == "I paint"
    assert (await bot.get_chat(anna.user.id)).first_name == "Анна"
    assert await bot.send_chat_action(anna.user.id, ChatAction.UPLOAD_PHOTO)
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_an_unknown_method_is_a_404_and_a_log_line(
    bot: Bot, anna: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(TelegramNotFound):
        await bot(SendVenue(chat_id=anna.user.id, latitude=0, longitude=0, title="x", address="y"))
    assert "sendVenue" in caplog.text


async def test_another_token_is_unauthorized(sandbox: FaultySandbox, bot: Bot) -> None:
    async with Bot("1:wrong", session=bot.session) as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.me()


async def test_anything_else_a_person_sends_is_a_valid_update(bot: Bot, anna: Person) -> None:
    anna.send({"location": {"latitude": 55.75, "longitude": 37.62}})
    edited = anna.write("first")
    anna.edit(edited, "second")
    updates: list[Update] = await bot.get_updates()
    assert updates[0].message is not None
    assert updates[0].message.location is not None
    assert updates[-1].edited_message is not None
    assert updates[-1].edited_message.text == "second"


async def test_a_film_is_sent_and_sent_again_by_its_id(bot: Bot, anna: Person) -> None:
    film = BufferedInputFile(b"no film, but who looks", "film.mp4")
    sent = await bot.send_video(anna.user.id, film, width=64, height=48, duration=3)
    assert sent.video is not None
    assert (sent.video.width, sent.video.height, sent.video.duration) == (64, 48, 3)
    again = await bot.send_video(anna.user.id, sent.video.file_id)
    assert again.video == sent.video
    with pytest.raises(TelegramBadRequest, match="as Photo"):
        await bot.send_photo(anna.user.id, sent.video.file_id)


async def test_photos_and_films_go_together_and_files_do_not(bot: Bot, anna: Person) -> None:
    photo = await bot.send_photo(anna.user.id, upload(picture()))
    assert photo.photo is not None
    film = InputMediaVideo(media=BufferedInputFile(b"a film", "film.mp4"), width=64, height=48)
    copy = InputMediaPhoto(media=photo.photo[-1].file_id)
    album = await bot.send_media_group(anna.user.id, [copy, film])
    assert len({message.media_group_id for message in album}) == 1
    assert album[0].photo == photo.photo
    file = InputMediaDocument(media=BufferedInputFile(b"a file", "file.bin"))
    with pytest.raises(TelegramBadRequest, match="can't be mixed"):
        await bot.send_media_group(anna.user.id, [copy, file])
