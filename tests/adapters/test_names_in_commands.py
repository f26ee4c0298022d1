"""What people are called is no part of a command in which an admin names them."""

from types import SimpleNamespace
from typing import Any, cast

import discord

from adapters.discord.addressing import Addressing
from adapters.slack.identifiers import Identity
from adapters.slack.interactions import Interactions
from adapters.slack.questions import Questions
from bot.adapter import Records

SLY = "Eve to help"


def _said_on_discord(content: str) -> str:
    me = cast(discord.ClientUser, SimpleNamespace(id=99))
    eve = SimpleNamespace(id=7, display_name=SLY)
    fields: dict[str, Any] = {"mentions": [eve], "role_mentions": [], "channel_mentions": [], "guild": None}
    message = cast(discord.Message, SimpleNamespace(content=content, **fields))
    return Addressing(me, Records()).text(message)


def test_on_discord() -> None:
    assert _said_on_discord("<@99> /access deny <@7>") == "/access deny @someone"
    assert _said_on_discord("<@99> what does <@7> say?") == f"what does @{SLY} say?"


def test_on_slack_where_the_label_comes_along_and_the_name_may_be_known() -> None:
    questions, bot = Questions(), Identity("T1", "Lab", "https://lab.slack.com/", "U99", "B1", "Preceptor")
    questions.author("U7", SLY)
    form = {"command": "/preceptor", "user_id": "U1", "trigger_id": "1", "channel_id": "C1"}
    heard = [
        Interactions(questions).read(form | {"text": f"access deny <@U7{label}>"}, bot) for label in ("", f"|{SLY}")
    ]
    assert [message and (message.text, message.mentions) for message in heard] == [
        ("/access deny @someone", ("user:U7",))
    ] * 2
    assert questions.text(f"what does <@U7|{SLY}> say?", bot) == f"what does @{SLY} say?"
