"""Who the bot is, who others are, and what the bot says about itself."""

from __future__ import annotations

from app.sandbox.errors import bad_request
from app.sandbox.methods.method import Json, Method, chat_of
from app.sandbox.params import Params
from app.sandbox.world import World


async def get_me(world: World, params: Params) -> Json:
    abilities = {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": world.has_inline_mode,
    }
    return world.bot.as_json() | abilities


async def get_chat(world: World, params: Params) -> Json:
    limits = {"accent_color_id": 0, "max_reaction_count": 0, "accepted_gift_types": _NO_GIFTS}
    return chat_of(world, params).as_json() | limits


async def get_chat_administrators(world: World, params: Params) -> list[Json]:
    rights = dict.fromkeys(_RIGHTS, False) | {"can_be_edited": False, "is_anonymous": True}
    people = chat_of(world, params).administrators
    return [{"user": user.as_json(), "status": "administrator"} | rights for user in people]


async def get_chat_member(world: World, params: Params) -> Json:
    chat_of(world, params)
    user = world.users.get(params.number("user_id"))
    if user is None:
        raise bad_request("user not found")
    return {"user": user.as_json(), "status": "member"}


async def set_my_commands(world: World, params: Params) -> bool:
    world.profile.commands[_scope(params)] = params.json("commands", list[Json]) or []
    for chat in world.chats.values():
        world.publish("commands", chat, {})
    return True


async def delete_my_commands(world: World, params: Params) -> bool:
    world.profile.commands.pop(_scope(params), None)
    return True


async def get_my_commands(world: World, params: Params) -> list[Json]:
    return world.profile.commands.get(_scope(params), [])


def _scope(params: Params) -> tuple[str, str]:
    scope = params.json("scope", Json) or {}
    return str(scope.get("type", "default")), params.text("language_code")


def _setter(name: str) -> Method:
    async def set_text(world: World, params: Params) -> bool:
        world.profile.texts[name, params.text("language_code")] = params.text(name)
        return True

    return set_text


def _getter(name: str) -> Method:
    async def get_text(world: World, params: Params) -> Json:
        texts, language = world.profile.texts, params.text("language_code")
        return {name: texts.get((name, language)) or texts.get((name, ""), "")}

    return get_text


async def accept(world: World, params: Params) -> bool:
    """Nothing that one would see in this world."""
    return True


_NO_GIFTS = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}

_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
METHODS: dict[str, Method] = {
    "getMe": get_me,
    "getChat": get_chat,
    "getChatAdministrators": get_chat_administrators,
    "getChatMember": get_chat_member,
    "setMyCommands": set_my_commands,
    "deleteMyCommands": delete_my_commands,
    "getMyCommands": get_my_commands,
    "setMyName": _setter("name"),
    "getMyName": _getter("name"),
    "setMyDescription": _setter("description"),
    "getMyDescription": _getter("description"),
    "setMyShortDescription": _setter("short_description"),
    "getMyShortDescription": _getter("short_description"),
    "setChatMenuButton": accept,
    "setMyDefaultAdministratorRights": accept,
    "logOut": accept,
    "close": accept,
}
