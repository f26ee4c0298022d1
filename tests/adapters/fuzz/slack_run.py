"""Bent events, commands and interactions through slack_bolt: half of them signed over HTTP, half in Socket Mode."""

import asyncio
import copy
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loopback_slack import Call, Channel, Delivery, LoopbackSlack, Message, User
from slack_lab import Lab, Mode

from adapters.slack.manifest import bot_scopes
from bot.settings import Settings

from .mutations import MARK, Mutator
from .runs import EVERY, QUESTIONS, Found, drained, fuzz_settings, logged, loop_troubles, rows

Json = dict[str, Any]

_BATCH = 50
_WAITING = 200
"""Rows that may be open before more is sent: what cannot be delivered is tried for a while."""
_ACK_SECONDS = 3.0
_FRAMES = (
    *("{", "[]", "null", '"text"', "{}", '{"type": "hello"}', '{"type": null}', '{"envelope_id": 7, "type": []}'),
    *('{"envelope_id": "x", "type": "events_api"}', '{"envelope_id": "x", "type": "interactive", "payload": null}'),
    *('{"envelope_id": "x", "type": "slash_commands", "payload": []}', '{"type": "disconnect"}', "\u0000", ""),
)
"""What Slack never sends on a websocket."""


@dataclass
class _Scene:
    """Channels in which valid questions are asked, one that only bent events know, and what was asked."""

    slack: LoopbackSlack
    channels: list[Channel]
    people: list[User]
    square: Channel
    asked: list[tuple[Message, str]] = field(default_factory=list)
    commanded: Counter[tuple[str, str, str]] = field(default_factory=Counter)


async def _shapes(scene: _Scene, lab: Lab) -> list[Delivery]:
    """Have people do everything once in the square, and give what Slack told of it."""
    slack, place, eve = scene.slack, scene.square, slack_user(scene)
    words = f"When does the {MARK} office open?"
    first = await eve.says(place, f"<@BOT> {words}", files=[("x.png", b"x" * 60)])
    answer = await place.next_message()
    await eve.says(place, words, thread=first)
    await eve.says(slack.dm(eve), words)
    await eve.edits(first, f"<@BOT> Where does {MARK} park?")
    await eve.reacts(answer, "white_check_mark")
    await eve.takes_back(answer, "white_check_mark")
    for command, text in (("/ask", words), ("/preceptor", "help"), ("/preceptor", f"diagnose {MARK}")):
        await eve.commands(place, command, text)
    for shortcut in ("answer_this", "describe_image"):
        await eve.uses_shortcut(first, shortcut)
    await eve.uses_global_shortcut("some_shortcut")
    if answer.buttons:
        await eve.presses(answer, answer.buttons[0].label)
    for tab in ("home", "messages"):
        await eve.opens_home(tab)
    thread = await eve.opens_assistant(place)
    await eve.views(thread, place)
    await eve.invites_bot(place)
    await slack.unfurls(answer)
    await eve.deletes(first)
    await lab.calm()
    return [delivery for delivery in slack.deliveries if delivery.payload.get("type") != "url_verification"]


def slack_user(scene: _Scene) -> User:
    """Give the one who does it."""
    return scene.slack.user("Eve")


class _Sender:
    """Sends bent payloads, each as a new one; some as they were before, for those must be known again."""

    def __init__(self, slack: LoopbackSlack, shapes: list[Delivery], mutator: Mutator, found: Found) -> None:
        self._slack = slack
        self._shapes = shapes
        self._mutator = mutator
        self._found = found
        self.statuses: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()

    async def send(self) -> None:
        random = self._mutator.random
        shape = random.choice(self._shapes)
        payload = copy.deepcopy(shape.payload)
        if random.random() < 0.8:
            self._renew(payload)
        # Slack's envelope is rarely what is wrong; mostly it is what stands in it.
        inner = payload.get("event")
        if isinstance(inner, dict) and random.random() < 0.8:
            payload["event"] = self._mutator.bent(inner)
        else:
            payload = self._mutator.bent(payload)
        if shape.kind == "slash_commands":
            payload = {name: _form(value) for name, value in payload.items()}
        await self._deliver(Delivery(shape.kind, payload))

    async def _deliver(self, delivery: Delivery) -> None:
        attempt = await self._slack.dispatch.road.carry(delivery)
        self.statuses[f"{delivery.kind} {attempt.status} {attempt.failure}"] += 1
        if attempt.status >= 500 and attempt.status != 503:
            self._found.trouble[f"{delivery.kind} answered with {attempt.status}"] += 1

    def _renew(self, payload: Json) -> None:
        ids, event = self._slack.workspace.ids, payload.get("event")
        if isinstance(event, dict):
            payload["event_id"] = ids.event()
            for name in ("ts", "event_ts"):
                if name in event:
                    event[name] = ids.timestamp()
        if "trigger_id" in payload:
            payload["trigger_id"] = f"1.{ids.timestamp()}"

    async def send_no_envelope(self) -> None:
        frame = self._mutator.random.choice(_FRAMES)
        for connection in self._slack.socket.open_connections:
            await connection.socket.send_str(frame)
        await asyncio.sleep(0.05)
        await self._slack.connected(within=60)


def _is_refused(call: Call) -> bool:
    return isinstance(call.answer, dict) and "error" in call.answer


def _form(value: object) -> str:
    """Give a value as it stands in a form, which knows no lone surrogates."""
    return str(value).encode(errors="replace").decode()


async def slack_run(folder: Path, events: int, seed: int, tell: Callable[[str], None] = lambda line: None) -> Found:
    """Send so many events, every hundredth a valid question; give what came of it."""
    found, began = Found(seed), time.monotonic()
    with logged() as log, loop_troubles(found):
        found.log = log
        for mode in ("http", "socket"):
            (folder / mode).mkdir()
            await _mode_run(folder / mode, mode, events // 2, seed, found, tell)
    found.seconds = time.monotonic() - began
    return found


async def _mode_run(
    folder: Path, mode: Mode, events: int, seed: int, found: Found, tell: Callable[[str], None]
) -> None:
    async with LoopbackSlack(ack_seconds=_ACK_SECONDS) as slack:
        settings = _settings(folder, slack, mode)
        slack.scopes.intersection_update(bot_scopes(settings))
        channels = [slack.channel(f"channel-{number}") for number in range(4)]
        people = [slack.user(f"Person {number}") for number in range(4)]
        lab = Lab(slack, channels[0], people[0], settings)
        scene = _Scene(slack, channels, people, slack.channel("square"))
        async with lab.running():
            shapes = await _shapes(scene, lab)
            sender = _Sender(slack, shapes, Mutator(seed), found)
            await _send_all(scene, sender, mode, events, found, settings, tell)
            if not await drained(settings, 60):
                found.trouble[f"rows open at the end ({mode})"] += 1
            await slack.settle()
            await asyncio.sleep(0.5)
        rows(settings, found)
        tell(f"{mode}: {dict(sender.statuses)}, {dict(sender.refusals)}")
        _judge(scene, found)


def _settings(folder: Path, slack: LoopbackSlack, mode: Mode) -> Settings:
    section = {
        "enabled": True,
        "mode": mode,
        "bot_token": slack.bot_token,
        "app_token": slack.app_token,
        "signing_secret": slack.signing_secret,
        "base_url": slack.base_url,
    }
    return fuzz_settings(folder, slack=section, http={"enabled": mode == "http", "port": 0, "body_kilobytes": 1_024})


async def _send_all(
    scene: _Scene,
    sender: _Sender,
    mode: Mode,
    events: int,
    found: Found,
    settings: Settings,
    tell: Callable[[str], None],
) -> None:
    for start in range(0, events, _BATCH):
        numbers = range(start, min(start + _BATCH, events))
        await asyncio.gather(*(_one(scene, sender, number, found) for number in numbers))
        if mode == "socket" and start % 1_000 == 500:
            await sender.send_no_envelope()
        await drained(settings, 5, left=_WAITING)
        sender.refusals.update(
            f"{call.method} {call.answer['error']}" for call in scene.slack.calls if _is_refused(call)
        )
        scene.slack.calls.clear()
        if start % 1_000 == 1_000 - _BATCH:
            tell(f"{mode}: {start + _BATCH:,} events")


async def _one(scene: _Scene, sender: _Sender, number: int, found: Found) -> None:
    found.events += 1
    if number % EVERY == EVERY - 1:
        await _ask(scene, found)
    else:
        await sender.send()


async def _ask(scene: _Scene, found: Found) -> None:
    turn = found.questions
    found.questions += 1
    question, words = QUESTIONS[turn % len(QUESTIONS)]
    channel, person = scene.channels[turn % 4], scene.people[turn // 4 % 4]
    if turn % 5:
        scene.asked.append((await person.says(channel, f"<@BOT> {question}"), words))
    else:
        scene.commanded[(channel.id, person.id, words)] += 1
        await person.commands(channel, "/ask", question)


def _judge(scene: _Scene, found: Found) -> None:
    """Count the answers in each valid question's thread, and those for one person's eyes."""
    answers: dict[str, list[str]] = {}
    shown: Counter[tuple[str, str, str]] = Counter()
    for channel in scene.channels:
        for message in channel.from_bot:
            if not message.deleted and not message.ephemeral_for:
                answers.setdefault(message.thread_ts, []).append(message.shown)
        for message in channel.messages:
            for _, words in QUESTIONS:
                if message.ephemeral_for and words in message.shown:
                    shown[(channel.id, message.ephemeral_for, words)] += 1
    for asked, words in scene.asked:
        given = answers.get(asked.ts, [])
        if not any(words in text for text in given):
            found.unanswered.append(f"{words} (mention, {len(given)} answers)")
        elif len(given) > 1:
            found.doubled.append(f"{words} (mention, {len(given)} answers)")
    for key, count in scene.commanded.items():
        if shown[key] < count:
            found.unanswered.append(f"{key[2]} (/ask, {shown[key]} of {count})")
        elif shown[key] > count:
            found.doubled.append(f"{key[2]} (/ask, {shown[key]} for {count})")
    found.answered_bent += len(scene.square.from_bot)
