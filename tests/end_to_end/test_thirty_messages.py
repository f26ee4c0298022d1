"""One `preceptor run` on Discord and Slack at once: thirty messages of every kind, and what came back.

`pytest tests/end_to_end/test_thirty_messages.py -s` prints the transcript.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.contract import PICTURE
from tests.adapters.loopback_discord import Guild, LoopbackDiscord, Member, Permission, Upload
from tests.adapters.loopback_slack import LoopbackSlack, User

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))


@dataclass
class Transcript:
    """What was said, in order, and what came back."""

    lines: list[str] = field(default_factory=list)
    said: int = 0

    def note(self, who: str, did: str, came_back: str, *expected: str) -> None:
        """Write one exchange down, and check that what came back holds what was expected."""
        self.said += 1
        shown = came_back if len(came_back) < 400 else f"{came_back[:400]} …"
        self.lines.append(f"{self.said:>2}. {who}: {did}\n    → " + shown.replace("\n", "\n      "))
        for text in expected:
            assert text in came_back, f"{did}: {text!r} is not in {came_back!r}"


@asynccontextmanager
async def preceptor_run(
    folder: Path, discord: LoopbackDiscord, slack: LoopbackSlack, admins: str
) -> AsyncIterator[None]:
    (folder / "preceptor.toml").write_text(
        f"""
        http.enabled = false
        log.level = "warning"
        [access]
        admins = [{admins}]
        [discord]
        enabled = true
        token = "{discord.token}"
        base_url = "{discord.rest_url}"
        [slack]
        enabled = true
        bot_token = "{slack.bot_token}"
        app_token = "{slack.app_token}"
        base_url = "{slack.base_url}"
        """
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    process = await asyncio.create_subprocess_exec(
        PRECEPTOR, "run", cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert b"Preceptor is ready" in await asyncio.wait_for(process.stdout.readline(), 60)
        await discord.connected()
        await slack.connected()
        await discord.until(lambda: bool(discord.commands()), 10)
        yield
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_thirty_messages_on_two_platforms(tmp_path: Path) -> None:
    transcript = Transcript()
    async with LoopbackDiscord() as discord, LoopbackSlack() as slack:
        guild = discord.guild("Lab")
        boss, root = guild.member("Grace", permissions=Permission.MANAGE_GUILD), slack.user("Grace")
        async with preceptor_run(tmp_path, discord, slack, f'"discord:{boss.id}", "slack:{root.id}"'):
            await _on_discord(discord, guild, boss, transcript)
            await _on_slack(slack, root, transcript)
    sys.stdout.write("\n" + "\n".join(transcript.lines) + "\n")
    assert transcript.said == 30


async def _on_discord(discord: LoopbackDiscord, guild: Guild, boss: Member, transcript: Transcript) -> None:
    lab, ada = guild.channel("lab"), guild.member("Ada")

    async def _reply(holds: Callable[[str], bool]) -> str:
        await discord.until(lambda: any(holds(one.text) for one in lab.bot_messages), 20)
        await discord.calm()
        return next(one.text for one in reversed(lab.bot_messages) if holds(one.text))

    question = await ada.says(lab, "What is Newton's first law?", mentions_bot=True)
    answer = await lab.next_answer(20)
    transcript.note("Ada, #lab on Discord", "@Preceptor What is Newton's first law?", answer.text, "-# [1]", "at rest")
    assert answer.reference is question

    await ada.says(lab, "and the third one?", reply_to=answer)
    follow_up = await lab.next_answer(20)
    transcript.note("Ada, replying to it", "and the third one?", follow_up.text, "third law")

    await ada.says(ada.dm, "Why is the sky blue?")
    transcript.note("Ada, direct message", "Why is the sky blue?", (await ada.dm.next_answer(20)).text, "scatter")

    private = await ada.invokes(lab, "ask", {"question": "What is torque?", "private": True})
    shown = await private.answer(20)
    assert shown.ephemeral
    transcript.note("Ada, for herself alone", "/ask What is torque? private:true", shown.text, "orque")

    await ada.says(lab, "Who won the chess championship in Reykjavik?", mentions_bot=True)
    transcript.note("Ada", "Who won the chess championship …?", (await lab.next_answer(20)).text, "I don't know")

    edited = await ada.says(lab, "What is Ohm's law?", mentions_bot=True)
    ohm = await lab.next_answer(20)
    transcript.note("Ada", "What is Ohm's law?", ohm.text, "V = I")
    await ada.edits(edited, f"{discord.bot_user.mention} What is entropy?")
    await discord.until(lambda: "ntropy" in ohm.text, 20)
    transcript.note("Ada, editing that", "What is entropy?", ohm.text, "ntropy")

    await ada.deletes(edited)
    await discord.until(lambda: ohm.deleted, 20)
    transcript.note("Ada, deleting it", "(the question is gone)", "(the answer is gone)")

    lamp = await ada.invokes(lab, "describe", {"picture": Upload("lamp.png", PICTURE), "private": True})
    transcript.note("Ada", "/describe lamp.png", (await lamp.answer(20)).text, "PNG picture")

    people = await boss.invokes(lab, "people", {"who": boss.mention})
    transcript.note("Grace, an admin", "/people @Grace", (await people.answer(20)).text, f"user:{boss.id}")

    await ada.says(lab, "What is resonance?", mentions_bot=True)
    judged = await lab.next_answer(20)
    thumb = await ada.presses(judged, "👎")
    transcript.note("Ada", "presses 👎", (await thumb.answer(20)).text, "Thanks")

    await ada.presses(judged, "Not helpful? Ask a person")
    called = await _reply(lambda text: "would like a person" in text)
    transcript.note("Ada", "presses “Not helpful? Ask a person”", called, "resonance")
    call = next(one for one in lab.bot_messages if "would like a person" in one.text)
    assert call.pings.users == {boss.id}
    await boss.reacts(call, "✅")
    await discord.until(lambda: "Solved by" in call.text, 20)
    transcript.note("Grace", "puts ✅ on it", call.text, "Solved by")

    reload = await boss.invokes(lab, "reload")
    transcript.note("Grace", "/reload", (await reload.answer(20)).text, "856 passages", "nothing changed")
    stats = await boss.invokes(lab, "stats")
    transcript.note("Grace", "/stats", (await stats.answer(20)).text, "answered")


async def _on_slack(slack: LoopbackSlack, root: User, transcript: Transcript) -> None:
    lab, ada = slack.channel("lab"), slack.user("Ada")

    async def _answer(thread: str, holds: str) -> str:
        found = await slack.until(
            lambda: next((m for m in lab.from_bot if m.thread_ts == thread and holds in m.shown and m.buttons), None),
            20,
        )
        return str(found.shown)

    async def _private(holds: str, who: User = ada) -> str:
        found = await slack.until(
            lambda: next((m for m in who.sees(lab) if m.ephemeral_for and holds in m.shown), None), 20
        )
        return str(found.shown)

    first = await ada.says(lab, "<@BOT> What is Newton's first law?")
    transcript.note(
        "Ada, #lab on Slack", "@Preceptor What is Newton's first law?", await _answer(first.ts, "at rest"), "[1]"
    )
    await ada.says(lab, "and the third one?", thread=first.ts)
    transcript.note("Ada, in the thread", "and the third one?", await _answer(first.ts, "third law"), "[1]")
    for delivery in first.deliveries:
        await slack.redeliver(delivery)
    before = len(lab.from_bot)
    dm = slack.dm(ada)
    await ada.says(dm, "Why is the sky blue?")
    told = await slack.until(lambda: next((m for m in dm.from_bot if "scatter" in m.shown), None), 20)
    transcript.note("Ada, direct message", "Why is the sky blue?", told.shown)
    assert len(lab.from_bot) == before

    await ada.commands(lab, "/ask", "What is torque?")
    shown = await _private("orque")
    transcript.note("Ada, for herself alone", "/ask What is torque?", shown, "Share with everyone")
    mine = next(m for m in ada.sees(lab) if m.ephemeral_for and "orque" in m.shown)
    await ada.presses(mine, "Share with everyone")
    shared = await slack.until(
        lambda: next((m for m in lab.from_bot if "asked:" in m.shown and not m.ephemeral_for), None), 20
    )
    transcript.note("Ada", "presses “Share with everyone”", shared.shown, "orque")

    unknown = await ada.says(lab, "<@BOT> Who won the chess championship in Reykjavik?")
    said = await slack.until(
        lambda: next((m for m in lab.from_bot if m.thread_ts == unknown.ts and "know" in m.shown), None), 20
    )
    transcript.note("Ada", "Who won the chess championship …?", said.shown, "I don't know")

    edited = await ada.says(lab, "<@BOT> What is Ohm's law?")
    transcript.note("Ada", "What is Ohm's law?", await _answer(edited.ts, "V = I"))
    await ada.edits(edited, "<@BOT> What is entropy?")
    transcript.note("Ada, editing that", "What is entropy?", await _answer(edited.ts, "ntropy"))
    await ada.deletes(edited)
    await slack.until(lambda: all(m.deleted for m in lab.from_bot if m.thread_ts == edited.ts), 20)
    transcript.note("Ada, deleting it", "(the question is gone)", "(the answer is gone)")

    await ada.commands(lab, "/preceptor", "reload")
    transcript.note("Ada, who is no admin", "/preceptor reload", await _private("for admins"))
    await root.commands(lab, "/preceptor", f"people <@{root.id}>")
    transcript.note("Grace, an admin", "/preceptor people @Grace", await _private(f"user:{root.id}", root))

    judged = await ada.says(lab, "<@BOT> What is resonance?")
    await _answer(judged.ts, "esonance")
    answer = next(m for m in lab.from_bot if m.thread_ts == judged.ts and m.buttons)
    await ada.presses(answer, "👍")
    transcript.note("Ada", "presses 👍", await _private("Thanks"))
    await ada.presses(answer, "Not helpful? Ask a person")
    call = await slack.until(lambda: next((m for m in lab.from_bot if "would like a person" in m.shown), None), 20)
    transcript.note("Ada", "presses “Not helpful? Ask a person”", call.shown, "esonance")
    await root.presses(call, "Solved")
    await slack.until(lambda: "Solved by" in call.shown, 20)
    transcript.note("Grace", "presses “Solved”", call.shown, "Solved by")
    await root.commands(lab, "/preceptor", "reload")
    transcript.note("Grace", "/preceptor reload", await _private("856 passages", root), "nothing changed")
