"""Where a conversation stands; what was said so far is in `app.bot.conversation.draft_order`."""

from aiogram.fsm.state import State, StatesGroup


class Talk(StatesGroup):
    """Every state can be left for any other: nothing a person does is refused."""

    source = State()
    """Asked: one of the ready styles, or pictures of one's own?"""
    gallery = State()
    """The ready styles are shown; without a photo yet, or with several styles to mix."""
    photo = State()
    """The style is known; a photo is to come."""
    pictures = State()
    """Pictures of one's own are coming, one or more of them are missing."""
    roles = State()
    """The pictures are shown with numbers; asked: which one is what?"""
