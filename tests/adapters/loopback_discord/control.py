"""The scenario over HTTP, for tests that run the loopback as a process of its own.

All under ``/control``, JSON both ways; ids are strings; `CHANNEL` is a channel's id or ``dm:USER``.

    GET    /state                          addresses, token, guilds with channels and members, sessions, request counts
    POST   /guilds                         {name} → {id}
    POST   /guilds/GUILD/channels          {name} → {id}
    POST   /guilds/GUILD/members           {name, permissions?: int} → {id}
    POST   /messages                       {author, channel, text, mentions_bot?, reply_to?, attachments?: [{filename,
                                           data (base64), content_type?}]} → the message
    PATCH  /messages/MESSAGE               {text}
    DELETE /messages/MESSAGE
    GET    /messages/MESSAGE               the message with its history
    POST   /messages/MESSAGE/reactions     {author, emoji}
    POST   /messages/MESSAGE/redeliveries  MESSAGE_CREATE once more
    GET    /channels/CHANNEL/messages      ?after=ID&author=bot&wait=SECONDS, oldest first; waits until there is one
    POST   /interactions                   {author, channel, command, options?}, {author, message, command} (menu) or
                                           {author, message, button} → {id}
    GET    /interactions/INTERACTION       responses, messages, choices
    POST   /gateway                        {action: drop | reconnect | invalidate | silence | withhold_acks, code?}
    POST   /faults                         {kind: rate_limit, route, retry_after, times?} | {kind: fail, times?,
                                           status?, route?} | {kind: lose_answer, route, times?} | {kind: limit, route,
                                           requests, seconds} | {kind: realistic}
    POST   /clock                          {seconds}: puts the clock forward
"""

from __future__ import annotations

import base64
from collections import Counter
from typing import TYPE_CHECKING, Any

from aiohttp import web

from . import payloads
from .messages import Upload
from .permissions import Permission
from .posting import edit, redeliver

if TYPE_CHECKING:
    from .interactions import Interaction
    from .messages import Message
    from .people import Member, Person
    from .places import Channel, Guild
    from .server import LoopbackDiscord

Json = dict[str, Any]

_LONGEST_WAIT = 60.0


class Control:
    """Serves the scenario of one loopback."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self._discord = discord
        self._world = discord.world

    def mount(self, application: web.Application) -> None:
        """Add the routes."""
        for method, path, handler in (
            ("GET", "/state", self._state),
            ("POST", "/guilds", self._add_guild),
            ("POST", "/guilds/{id}/channels", self._add_channel),
            ("POST", "/guilds/{id}/members", self._add_member),
            ("POST", "/messages", self._say),
            ("GET", "/messages/{id}", self._show),
            ("PATCH", "/messages/{id}", self._edit),
            ("DELETE", "/messages/{id}", self._delete),
            ("POST", "/messages/{id}/reactions", self._react),
            ("POST", "/messages/{id}/redeliveries", self._redeliver),
            ("GET", "/channels/{id}/messages", self._list),
            ("POST", "/interactions", self._interact),
            ("GET", "/interactions/{id}", self._show_interaction),
            ("POST", "/gateway", self._trouble_gateway),
            ("POST", "/faults", self._plan_fault),
            ("POST", "/clock", self._advance),
        ):
            application.router.add_route(method, f"/control{path}", handler)

    async def _state(self, request: web.Request) -> web.Response:
        discord = self._discord
        state = {
            "rest_url": discord.rest_url,
            "gateway_url": discord.gateway_url,
            "token": discord.token,
            "bot_id": str(discord.bot_user.id),
            "guilds": [_guild(guild) for guild in discord.guilds],
            "sessions": [
                {"shard": session.shard, "connected": session.connected, "resumed": session.resumed}
                for session in discord.sessions
            ],
            "heartbeats": discord.gateway.heartbeats,
            "commands": discord.commands(),
            "requests": Counter(f"{one.route} {one.status}" for one in discord.requests),
        }
        return web.json_response(state)

    async def _add_guild(self, request: web.Request) -> web.Response:
        return _named(self._discord.guild((await request.json())["name"]).id)

    async def _add_channel(self, request: web.Request) -> web.Response:
        guild = self._world.guilds[int(request.match_info["id"])]
        return _named(guild.channel((await request.json())["name"]).id)

    async def _add_member(self, request: web.Request) -> web.Response:
        guild = self._world.guilds[int(request.match_info["id"])]
        body = await request.json()
        return _named(guild.member(body["name"], permissions=Permission(body.get("permissions", 0))).id)

    async def _say(self, request: web.Request) -> web.Response:
        body = await request.json()
        channel = self._channel(body["channel"])
        reply_to = self._world.messages[int(body["reply_to"])] if body.get("reply_to") else None
        files = tuple(
            Upload(one["filename"], base64.b64decode(one["data"]), one.get("content_type"))
            for one in body.get("attachments", [])
        )
        message = await self._person(body["author"], channel).says(
            channel,
            body.get("text", ""),
            mentions_bot=body.get("mentions_bot", False),
            reply_to=reply_to,
            attachments=files,
        )
        return web.json_response(payloads.message(message))

    async def _show(self, request: web.Request) -> web.Response:
        message = self._message(request)
        history = [{"content": one.content, "at": one.at.timestamp()} for one in message.history]
        return web.json_response(payloads.message(message) | {"history": history, "deleted": message.deleted})

    async def _edit(self, request: web.Request) -> web.Response:
        edit(self._world, self._message(request), {"content": (await request.json())["text"]})
        return await self._done()

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        await message.author.deletes(message)
        return await self._done()

    async def _react(self, request: web.Request) -> web.Response:
        body, message = await request.json(), self._message(request)
        await self._person(body["author"], message.channel).reacts(message, body["emoji"])
        return await self._done()

    async def _redeliver(self, request: web.Request) -> web.Response:
        redeliver(self._world, self._message(request))
        return await self._done()

    async def _list(self, request: web.Request) -> web.Response:
        channel = self._channel(request.match_info["id"])
        after = int(request.query.get("after", 0))
        bot_only = request.query.get("author") == "bot"
        wait = min(float(request.query.get("wait", 0)), _LONGEST_WAIT)

        def wanted() -> list[Message]:
            return [
                message
                for message in channel.messages_after(after)
                if not bot_only or message.author is self._world.bot
            ]

        if wait:
            try:
                await self._world.until(lambda: bool(wanted()), wait)
            except TimeoutError:
                return web.json_response([])
        return web.json_response([payloads.message(message) for message in wanted()])

    async def _interact(self, request: web.Request) -> web.Response:
        body = await request.json()
        source = self._world.messages[int(body["message"])] if "message" in body else None
        channel = source.channel if source else self._channel(body["channel"])
        person = self._person(body["author"], channel)
        if source and "button" in body:
            interaction = await person.presses(source, body["button"])
        elif source:
            interaction = await person.invokes_on(source, body["command"])
        else:
            interaction = await person.invokes(channel, body["command"], body.get("options"))
        return _named(interaction.id)

    async def _show_interaction(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"])
        interaction = next(one for one in self._world.interactions.values() if one.id == number)
        return web.json_response(_interaction(interaction))

    async def _trouble_gateway(self, request: web.Request) -> web.Response:
        body, discord = await request.json(), self._discord
        match body["action"]:
            case "drop":
                await discord.drop_connection(body.get("code", 4000))
            case "reconnect":
                await discord.request_reconnect()
            case "invalidate":
                await discord.invalidate_session()
            case "silence":
                discord.go_silent()
            case "withhold_acks":
                discord.withhold_acks()
            case unknown:
                raise web.HTTPBadRequest(text=f"there is no action {unknown!r}")
        return await self._done()

    async def _plan_fault(self, request: web.Request) -> web.Response:
        body, discord = await request.json(), self._discord
        match body.pop("kind"):
            case "rate_limit":
                discord.rate_limit(body.pop("route"), body.pop("retry_after"), **body)
            case "fail":
                discord.fail_next(**body)
            case "lose_answer":
                discord.lose_answer(**body)
            case "limit":
                discord.limit(**body)
            case "realistic":
                discord.realistic_limits()
            case unknown:
                raise web.HTTPBadRequest(text=f"there is no fault {unknown!r}")
        return await self._done()

    async def _advance(self, request: web.Request) -> web.Response:
        self._discord.advance((await request.json())["seconds"])
        return await self._done()

    async def _done(self) -> web.Response:
        await self._world.delivered()
        return web.Response(status=204)

    def _channel(self, name: str) -> Channel:
        if name.startswith("dm:"):
            return self._world.direct_channel(self._world.users[int(name[3:])])
        return self._world.channels[int(name)]

    def _person(self, number: str, channel: Channel) -> Person:
        member: Member | None = channel.guild.members.get(int(number)) if channel.guild else None
        return member or self._world.users[int(number)]

    def _message(self, request: web.Request) -> Message:
        return self._world.messages[int(request.match_info["id"])]


def _named(number: int) -> web.Response:
    return web.json_response({"id": str(number)})


def _guild(guild: Guild) -> Json:
    return {
        "id": str(guild.id),
        "name": guild.name,
        "channels": {place.name: str(place.id) for place in guild.channels.values()},
        "members": {member.name: str(member.id) for member in guild.members.values()},
    }


def _interaction(interaction: Interaction) -> Json:
    return {
        "id": str(interaction.id),
        "responses": [
            {"type": one.kind, "flags": one.flags, "at": one.at.timestamp(), "data": one.data}
            for one in interaction.responses
        ],
        "messages": [payloads.message(message) for message in interaction.messages],
        "choices": interaction.choices,
        "refused": interaction.refused,
    }
