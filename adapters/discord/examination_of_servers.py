"""Examines which servers the bot is in, and what it may do there and in the channels that are configured."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from adapters.discord.needed_permissions import MENTION_EVERYONE, VIEW_CHANNEL, granted_in, missing, needed
from bot.examination import Finding
from bot.examination.rest import Response, Rest
from bot.messages import Place
from bot.settings.tree import DiscordSettings

_MOST = 20
"""Servers, and channels, that are looked at; each takes a request or two."""

_UNKNOWN_CHANNEL = 10003
_MISSING_ACCESS = 50001


class _Servers:
    """Asks for servers, with the bot's roles in them; each once."""

    def __init__(self, rest: Rest, user: str) -> None:
        self._rest = rest
        self._user = user
        self._known: dict[str, tuple[Response, Response]] = {}

    async def granted(self, server: str, channel: Mapping[str, Any]) -> int | None:
        """Give what the bot may do in a channel; None where Discord does not tell."""
        guild, member = await self._look_up(server)
        if guild.status != 200 or member.status != 200:
            return None
        return granted_in(channel, guild.document, member.document)

    async def roles_not_to_be_mentioned(self, server: str) -> dict[str, str]:
        """Give the names of the roles that members may not mention, by id."""
        guild, _ = await self._look_up(server)
        roles = guild.document.get("roles", ())
        return {str(role["id"]): str(role["name"]) for role in roles if not role.get("mentionable")}

    async def _look_up(self, server: str) -> tuple[Response, Response]:
        if server not in self._known:
            self._known[server] = (
                await self._rest.ask("GET", f"guilds/{server}"),
                await self._rest.ask("GET", f"guilds/{server}/members/{self._user}"),
            )
        return self._known[server]

    async def channel(self, number: str) -> Response:
        """Ask for a channel, or for the one that a thread belongs to."""
        answer = await self._rest.ask("GET", f"channels/{number}")
        if answer.status == 200 and "permission_overwrites" not in answer.document and answer.document.get("parent_id"):
            return await self._rest.ask("GET", f"channels/{answer.document['parent_id']}")
        return answer


async def examine_servers(
    rest: Rest, user: str, ours: DiscordSettings, channels: Mapping[Place, Sequence[str]]
) -> AsyncIterator[Finding]:
    """Look at every server as such, and at every channel that is configured; at the first twenty of each.

    Args:
        user: the bot's own id.
        channels: see `Examined`.

    Raises:
        UnreachableError: Discord no longer answers.
    """
    servers = _Servers(rest, user)
    answer = await rest.ask("GET", "users/@me/guilds")
    yield _of_servers(answer)
    for guild in answer.items[:_MOST]:
        yield await _of_server(servers, guild, ours)
    called = {number: () for number in ours.thread_channels if number != "*"} | {
        place.channel: tuple(mentions) for place, mentions in channels.items() if place.platform == "discord"
    }
    for number in sorted(called)[:_MOST]:
        for finding in await _of_channel(servers, number, ours, called[number]):
            yield finding


def _of_servers(answer: Response) -> Finding:
    name = "discord: servers"
    if answer.status != 200:
        return Finding(name, "unknown", f"They could not be checked: Discord answers with {answer.status}.")
    if not answer.items:
        said = "The bot is in none; only direct messages of people it shares a server with would reach it."
        return Finding(name, "warning", said, "Invite it with the link of `preceptor discord invite`.")
    names = ", ".join(str(guild["name"]) for guild in answer.items[:_MOST])
    more = f" and {len(answer.items) - _MOST} more" if len(answer.items) > _MOST else ""
    return Finding(name, "ok", f"The bot is in {len(answer.items)}: {names}{more}.")


async def _of_server(servers: _Servers, guild: dict[str, Any], ours: DiscordSettings) -> Finding:
    name = _in(f"{guild['name']} ({guild['id']})")
    granted = await servers.granted(str(guild["id"]), {"permission_overwrites": ()})
    if granted is None:
        return Finding(name, "unknown", "They could not be checked: Discord does not tell the bot's roles there.")
    lacking = missing(needed(ours), granted)
    if not lacking:
        return Finding(name, "ok", "All that are needed are there; channels may still take some away.")
    said = f"Missing: {', '.join(lacking)}; only in channels that grant it themselves will it do."
    fix = (
        "Allow it to the bot's role under Server Settings › Roles, or invite the bot anew with the link of"
        " `preceptor discord invite`."
    )
    return Finding(name, "warning", said, fix)


async def _of_channel(
    servers: _Servers, number: str, ours: DiscordSettings, called: Sequence[str]
) -> Sequence[Finding]:
    if not number.isdecimal():
        fix = "Mend discord.thread_channels: right-click the channel › Copy Channel ID (with Developer Mode on)."
        return [Finding(f"discord: channel {number}", "failed", "That is no channel's id.", fix)]
    answer = await servers.channel(number)
    server = str(answer.document.get("guild_id", ""))
    granted = await servers.granted(server, answer.document) if answer.status == 200 and server else None
    if granted is None:
        return [_of_unseen(number, answer)]
    name = f"#{answer.document.get('name')} ({number})"
    lacking = missing(needed(ours), granted)
    found = _lacking(name, lacking) if lacking else Finding(_in(name), "ok", "All that are needed are there.")
    if granted & MENTION_EVERYONE:
        return [found]
    return [found, *_of_roles(name, called, await servers.roles_not_to_be_mentioned(server))]


def _of_unseen(number: str, answer: Response) -> Finding:
    code = answer.document.get("code")
    if code == _MISSING_ACCESS:
        return _lacking(f"channel {number}", [VIEW_CHANNEL.name])
    if code == _UNKNOWN_CHANNEL:
        fix = (
            "Take it out of discord.thread_channels; where it comes from /people, say `/people none` there, if you can."
        )
        return Finding(f"discord: channel {number}", "failed", "There is no such channel (any more).", fix)
    return Finding(
        f"discord: channel {number}", "unknown", f"It could not be checked: Discord answers with {answer.status}."
    )


def _in(name: str) -> str:
    return f"discord: permissions in {name}"


def _lacking(name: str, lacking: list[str]) -> Finding:
    fix = "Allow it to the bot or its role under Edit Channel › Permissions; a new invitation would not help there."
    return Finding(_in(name), "failed", f"Missing: {', '.join(lacking)}.", fix)


def _of_roles(name: str, called: Sequence[str], unmentionable: Mapping[str, str]) -> Iterator[Finding]:
    for mention in called:
        kind, _, number = mention.partition(":")
        if kind == "role" and number in unmentionable:
            yield Finding(
                f"discord: people called in {name}",
                "warning",
                f"The role {unmentionable[number]} is to be called when a person is wanted, and would not be notified.",
                f"Under Server Settings › Roles › {unmentionable[number]}, allow anyone to @mention this role.",
            )
