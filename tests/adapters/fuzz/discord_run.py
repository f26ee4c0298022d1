"""Bent events through discord.py: the loopback's gateway sends them as Discord would."""

import asyncio
import contextlib
import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback_discord import Channel, Guild, Interaction, LoopbackDiscord, Member, Message, Upload

from bot.application import Application

from .mutations import MARK, Mutator
from .runs import EVERY, QUESTIONS, Found, drained, fuzz_settings, logged, loop_troubles, rows

Json = dict[str, Any]
Event = tuple[str, Json]

_BATCH = 100
_WAITING = 200
"""Rows that may be open before more is sent: what cannot be delivered is tried for a while."""
_FRAMES = (
    *("{", "[]", "null", '"text"', "{}", '{"op": 0}', '{"op": 0, "t": "MESSAGE_CREATE"}', '{"op": null, "d": 1}'),
    *('{"op": 99, "d": {}}', '{"op": 0, "t": "RESUMED", "s": null, "d": null}', '{"op": 0, "t": 7, "s": 1, "d": {}}'),
)
"""What is no event at all; each costs the connection, which must come again."""

_THE_CONNECTIONS_OWN = frozenset({"READY", "RESUMED", "USER_UPDATE"})
"""Whoever bends these tells the bot that it is somebody else: there is nothing right to do then."""


@dataclass
class _Scene:
    """The servers: one in which valid questions are asked, and one whose state the bent events distort."""

    discord: LoopbackDiscord
    lab: Guild
    victim: Guild
    channels: list[Channel]
    people: list[Member]
    asked: list[tuple[Message | Interaction, str]]


def _scene(discord: LoopbackDiscord) -> _Scene:
    lab, victim = discord.guild("Lab"), discord.guild("Victim")
    channels = [lab.channel(f"channel-{number}") for number in range(4)]
    return _Scene(discord, lab, victim, channels, [lab.member(f"Person {number}") for number in range(4)], [])


async def _shapes(scene: _Scene) -> list[Event]:
    """Have people do everything once in the other server, and give what the gateway told of it."""
    discord, place = scene.discord, scene.victim.channel("square")
    eve, words = scene.victim.member("Eve"), f"When does the {MARK} office open?"
    began = discord.live_sessions[0].sequence
    first = await eve.says(place, words, mentions_bot=True, attachments=(Upload("x.png", b"x" * 60, "image/png"),))
    answer = await place.next_answer()
    await eve.says(place, words, reply_to=answer)
    await eve.says(eve.dm, words)
    await eve.forwards(first, place)
    thread = await eve.starts_thread(place, MARK, on=first)
    await eve.says(thread, words, mentions_bot=True)
    await eve.reacts(answer, "✅")
    await eve.unreacts(answer, "✅")
    await eve.edits(first, f"{discord.bot_user.mention} Where does {MARK} park?")
    for command, options in (("ask", {"question": words}), ("diagnose", {"symptoms": MARK}), ("help", {})):
        await (await eve.invokes(place, command, options)).answer()
    await eve.invokes(place, "describe", {"picture": Upload("x.png", b"x" * 60, "image/png"), "question": words})
    for menu in ("Answer this", "Describe image"):
        await eve.invokes_on(first, menu)
    await eve.types(place, "ask", "question", "When")
    pressed = next((message for message in place.bot_messages if message.buttons), None)
    if pressed is not None:
        await eve.presses(pressed, pressed.buttons[0]["label"])
    await discord.calm(0.5)
    await eve.deletes(first)
    await discord.unfurl(answer, MARK)
    session = discord.live_sessions[0]
    told = [json.loads(text) for number, text in session.kept if number > began]
    seen = [(one["t"], one["d"]) for one in told if one["t"] not in _THE_CONNECTIONS_OWN]
    return [*seen, *_state(scene, place)]


def _state(scene: _Scene, place: Channel) -> list[Event]:
    """Give events of a server's state, as Discord documents them."""
    guild, channel = str(scene.victim.id), str(place.id)
    somebody = {"id": "31337", "username": MARK, "discriminator": "0", "avatar": None, "global_name": MARK}
    member = {"user": somebody, "roles": [], "joined_at": "2024-01-01T00:00:00+00:00", "nick": None, "flags": 0}
    created = next(json.loads(text)["d"] for _, text in scene.discord.live_sessions[0].kept if f'"{guild}"' in text)
    role = {"id": "777", "name": MARK, "permissions": "0", "position": 1, "color": 0, "hoist": False, "managed": False}
    text_channel = {
        "id": channel,
        "type": 0,
        "guild_id": guild,
        "name": MARK,
        "position": 0,
        "permission_overwrites": [],
    }
    return [
        ("GUILD_CREATE", created),
        ("GUILD_UPDATE", created),
        ("CHANNEL_CREATE", text_channel),
        ("CHANNEL_UPDATE", text_channel),
        ("CHANNEL_DELETE", text_channel | {"id": "4242"}),
        ("CHANNEL_PINS_UPDATE", {"guild_id": guild, "channel_id": channel, "last_pin_timestamp": None}),
        ("GUILD_ROLE_CREATE", {"guild_id": guild, "role": role}),
        ("GUILD_ROLE_UPDATE", {"guild_id": guild, "role": role}),
        ("GUILD_ROLE_DELETE", {"guild_id": guild, "role_id": "777"}),
        ("GUILD_MEMBER_ADD", member | {"guild_id": guild}),
        ("GUILD_MEMBER_UPDATE", member | {"guild_id": guild}),
        ("GUILD_MEMBER_REMOVE", {"guild_id": guild, "user": somebody}),
        ("GUILD_EMOJIS_UPDATE", {"guild_id": guild, "emojis": []}),
        ("GUILD_DELETE", {"id": "424242", "unavailable": True}),
        ("THREAD_DELETE", {"id": "4343", "guild_id": guild, "parent_id": channel, "type": 11}),
        ("THREAD_LIST_SYNC", {"guild_id": guild, "threads": [], "members": []}),
        ("MESSAGE_DELETE_BULK", {"ids": ["1", "2"], "channel_id": channel, "guild_id": guild}),
        ("TYPING_START", {"channel_id": channel, "user_id": "31337", "timestamp": 1, "guild_id": guild}),
        ("PRESENCE_UPDATE", {"user": somebody, "guild_id": guild, "status": "online", "activities": []}),
        ("VOICE_STATE_UPDATE", {"guild_id": guild, "channel_id": None, "user_id": "31337", "session_id": "x"}),
        ("INVITE_CREATE", {"channel_id": channel, "code": "x", "created_at": "2024-01-01T00:00:00+00:00", "uses": 0}),
        ("A_KIND_OF_TOMORROW", {"guild_id": guild, "text": MARK}),
    ]


class _Sender:
    """Sends bent events, each as a new one; some as they were before, for those must be known again."""

    def __init__(self, scene: _Scene, shapes: list[Event], mutator: Mutator) -> None:
        self._discord = scene.discord
        self._shapes = shapes
        self._heard = [shape for shape in shapes if shape[0].startswith(("MESSAGE_", "INTERACTION_"))]
        self._mutator = mutator

    async def send(self) -> None:
        random = self._mutator.random
        # What the bot listens to comes more often than what only its picture of the servers is made of.
        name, data = random.choice(self._heard if random.random() < 0.7 else self._shapes)
        data = copy.deepcopy(data)
        if random.random() < 0.8 and name in ("MESSAGE_CREATE", "INTERACTION_CREATE"):
            data["id"] = str(self._discord.world.ids.next())
            if "token" in data:
                data["token"] = f"token-{data['id']}"
        bent = self._mutator.bent(data)
        name = name if random.random() < 0.99 else name.lower()
        for session in self._discord.gateway.sessions:
            for _ in range(2 if random.random() < 0.03 else 1):
                session.dispatch(name, bent)

    async def send_no_event(self) -> None:
        """Send what is no event, and wait until the bot is there again where that cost it the connection.

        What is used while nobody is connected is lost, as it is on Discord; messages are looked up later.
        """
        frame = self._mutator.random.choice(_FRAMES)
        before = [session.connection for session in self._discord.live_sessions if session.connection]
        for connection in before:
            connection.put(frame)
        with contextlib.suppress(TimeoutError):
            await self._discord.until(lambda: any(one.socket.closed for one in before), within=2)
        await self._discord.connected(within=60)
        await self._discord.calm(0.5)


async def discord_run(folder: Path, events: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> Found:
    """Send so many events, every hundredth a valid question; give what came of it."""
    found, began = Found(seed), time.monotonic()
    async with LoopbackDiscord() as discord:
        section = {"enabled": True, "token": discord.token, "base_url": discord.rest_url}
        settings = fuzz_settings(folder, discord=section)
        scene = _scene(discord)
        application = Application(settings)
        adapter = application.adapter("discord")
        with logged() as log, loop_troubles(found):
            found.log = log
            async with application.running([adapter]):
                await discord.connected()
                await discord.until(lambda: bool(discord.commands()))
                await _send_all(scene, Mutator(seed), events, found, settings, tell)
                await drained(settings, 60)
                await discord.calm(1.0)
                rows(settings, found)
        _judge(scene, found)
    found.seconds = time.monotonic() - began
    return found


async def _send_all(
    scene: _Scene, mutator: Mutator, events: int, found: Found, settings: Any, tell: Callable[[str], None]
) -> None:
    sender = _Sender(scene, await _shapes(scene), mutator)
    for number in range(events):
        if number % EVERY == EVERY - 1:
            await _ask(scene, found)
        elif number % 2_000 == 1_500:
            await scene.discord.gateway.delivered()
            await drained(settings, 5, left=_WAITING)
            await sender.send_no_event()
        else:
            await sender.send()
        found.events += 1
        if number % _BATCH == _BATCH - 1:
            await scene.discord.gateway.delivered()
            await asyncio.sleep(0)
            await drained(settings, 5, left=_WAITING)
        if number % 1_000 == 999:
            tell(f"{number + 1:,} events")


async def _ask(scene: _Scene, found: Found) -> None:
    turn = found.questions
    question, words = QUESTIONS[turn % len(QUESTIONS)]
    channel, person = scene.channels[turn % 4], scene.people[turn // 4 % 4]
    asked: Message | Interaction
    if turn % 3:
        asked = await person.says(channel, question, mentions_bot=True)
    else:
        asked = await person.invokes(channel, "ask", {"question": question})
    scene.asked.append((asked, words))
    found.questions += 1


def _judge(scene: _Scene, found: Found) -> None:
    """Count the answers that stand under each valid question."""
    answers: dict[int, list[str]] = {}
    for channel in scene.channels:
        for message in channel.bot_messages:
            if message.reference is not None:
                answers.setdefault(message.reference.id, []).append(message.text)
    for asked, words in scene.asked:
        given = answers.get(asked.id, []) if isinstance(asked, Message) else [one.text for one in asked.messages]
        if not any(words in text for text in given):
            found.unanswered.append(f"{words} ({type(asked).__name__}, {len(given)} answers)")
        elif len(given) > 1:
            found.doubled.append(f"{words} ({type(asked).__name__}, {len(given)} answers)")
    found.answered_bent = sum(len(channel.bot_messages) for channel in scene.victim.channels.values())
