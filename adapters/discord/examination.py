"""Examines the Discord set-up: token, application, intent, servers, permissions, clock; nothing is posted."""

from collections.abc import AsyncIterator, Iterator

from adapters.discord.application_id import of_token
from adapters.discord.examination_of_servers import examine_servers
from bot.examination import Examined, Finding
from bot.examination.clock import of_date
from bot.examination.rest import AddressError, Response, Rest, UnreachableError, connected
from bot.settings.tree import DiscordSettings

_TOKEN, _CLOCK = "discord: token", "discord: clock"
_APPLICATION, _INTENT = "discord: application", "discord: message content"
_PERMISSIONS = "discord: servers and permissions"
_AFTER_TOKEN = (_APPLICATION, _INTENT, _PERMISSIONS)

_MESSAGE_CONTENT = 1 << 18 | 1 << 19
"""GATEWAY_MESSAGE_CONTENT and GATEWAY_MESSAGE_CONTENT_LIMITED ("Application Flags")."""

_RENEW = (
    "At discord.com/developers/applications, open the application › Bot › Reset Token and set discord.token to the new"
    " one."
)


async def examine(examined: Examined) -> AsyncIterator[Finding]:
    """Ask Discord what it thinks of the settings."""
    ours: DiscordSettings = examined.settings.discord
    token = ours.token.get_secret_value()
    if not of_token(token):
        yield Finding(_TOKEN, "failed", "discord.token has not the shape of a bot token.", _RENEW)
        for finding in _not_asked():
            yield finding
        return
    try:
        async with connected(ours.base_url, ours.proxy, f"Bot {token}") as rest:
            async for finding in _asked(rest, ours, examined):
                yield finding
    except AddressError as error:
        yield Finding("discord: address", "failed", f"discord.base_url and discord.proxy: {error.sentence}", error.fix)


async def _asked(rest: Rest, ours: DiscordSettings, examined: Examined) -> AsyncIterator[Finding]:
    try:
        me = await rest.ask("GET", "users/@me")
    except UnreachableError as error:
        yield Finding(_TOKEN, "unknown", error.sentence, error.fix)
        for name in (_CLOCK, *_AFTER_TOKEN):
            yield Finding(name, "unknown", error.sentence)
        return
    yield _of_token(me)
    yield of_date(_CLOCK, me.headers.get("date", ""))
    if me.status != 200:
        for finding in _not_asked():
            yield finding
        return
    try:
        for finding in _of_application(await rest.ask("GET", "applications/@me"), ours):
            yield finding
        async for finding in examine_servers(rest, str(me.document["id"]), ours, examined.channels):
            yield finding
    except UnreachableError as error:
        yield Finding("discord: the rest", "unknown", error.sentence, error.fix)


def _not_asked() -> Iterator[Finding]:
    for name in _AFTER_TOKEN:
        yield Finding(name, "unknown", "It could not be checked: without a valid token Discord tells nothing.")


def _of_token(me: Response) -> Finding:
    if me.status == 200 and "id" in me.document:
        return Finding(_TOKEN, "ok", f"Discord knows it: {me.document.get('username')} ({me.document['id']}).")
    if me.status == 401:
        return Finding(_TOKEN, "failed", "Discord refuses it (401).", _RENEW)
    if me.status == 429 or me.status >= 500:
        fix = "Run `preceptor doctor` again in a minute."
        return Finding(_TOKEN, "unknown", f"It could not be checked: Discord answers with {me.status}.", fix)
    fix = "Set discord.base_url to https://discord.com/api/v10, or to your gateway."
    return Finding(
        _TOKEN, "failed", f"What answers at discord.base_url is not Discord's API (status {me.status}).", fix
    )


def _of_application(answer: Response, ours: DiscordSettings) -> Iterator[Finding]:
    application = answer.document
    if answer.status != 200:
        for name in (_APPLICATION, _INTENT):
            yield Finding(name, "unknown", f"It could not be checked: Discord answers with {answer.status}.")
        return
    yield _of_installation(bool(application.get("interactions_endpoint_url")), bool(application.get("bot_public")))
    yield _of_intent(bool(int(application.get("flags") or 0) & _MESSAGE_CONTENT), wanted=ours.message_content)


def _of_installation(has_endpoint: bool, is_public: bool) -> Finding:
    if has_endpoint:
        return Finding(
            _APPLICATION,
            "failed",
            "It has an Interactions Endpoint URL: Discord sends commands and buttons there, and the bot hears none.",
            "In the developer portal, empty General Information › Interactions Endpoint URL.",
        )
    if is_public:
        return Finding(
            _APPLICATION,
            "warning",
            "The bot is public: whoever has its id can add it to a server and ask it what the knowledge base says.",
            "Unless that is meant: in the developer portal, set Installation › Install Link to None, then switch Bot ›"
            " Public Bot off.",
        )
    return Finding(_APPLICATION, "ok", "Only its owner can add the bot to servers.")


def _of_intent(allowed: bool, *, wanted: bool) -> Finding:
    if wanted and not allowed:
        return Finding(
            _INTENT,
            "failed",
            "discord.message_content is true, and the application may not have that intent: Discord closes the"
            " connection (4014), the bot does not start.",
            "In the developer portal, switch Bot › Message Content Intent on, or set discord.message_content to false.",
        )
    if wanted:
        return Finding(_INTENT, "ok", "The intent is on: follow-ups in the bot's threads need no mention.")
    if allowed:
        more = "It is on for the application, yet not used: discord.message_content is false."
        return Finding(_INTENT, "ok", f"{more} The bot hears mentions, replies to it and direct messages.")
    return Finding(_INTENT, "ok", "Not used, not needed: the bot hears mentions, replies to it and direct messages.")
