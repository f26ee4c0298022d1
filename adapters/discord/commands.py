"""The application commands: what people find under ``/`` and in a message's menu."""

from typing import Any, cast

import discord
from discord import app_commands

from adapters.discord import message_text
from adapters.discord.addressing import names_in
from adapters.discord.attachments import attachments_of, files_of
from adapters.discord.interactions import HasInteractions, Interactions, asker_of

_PRIVATE = "Only you see the answer."


def _heard(interaction: discord.Interaction) -> Interactions:
    return cast("HasInteractions", interaction.client).interactions


@app_commands.command(description="Ask me a question; I answer from my knowledge base.")
@app_commands.describe(question="Your question, in your own words.", private=_PRIVATE)
async def ask(interaction: discord.Interaction, question: str, private: bool = False) -> None:
    """Ask a question."""
    await _heard(interaction).command(interaction, "ask", question, private=private)


@ask.autocomplete("question")
async def complete_question(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Offer titles of the knowledge base."""
    titles = await _heard(interaction).titles(asker_of(interaction, current))
    return [app_commands.Choice(name=title, value=title) for title in titles]


@app_commands.command(description="Tell me symptoms; I tell what they may point to.")
@app_commands.describe(symptoms="What is wrong, in your own words. Only you see the answer.")
async def diagnose(interaction: discord.Interaction, symptoms: str) -> None:
    """Describe symptoms."""
    await _heard(interaction).command(interaction, "diagnose", symptoms, private=True)


@app_commands.command(description="Show me a picture; I tell what is in it.")
@app_commands.describe(
    picture="The picture.",
    question="What you want to know of it; left out, I say what is in it.",
    picture2="One more.",
    picture3="One more.",
    picture4="One more.",
    private=_PRIVATE,
)
async def describe(
    interaction: discord.Interaction,
    picture: discord.Attachment,
    question: str = "",
    picture2: discord.Attachment | None = None,
    picture3: discord.Attachment | None = None,
    picture4: discord.Attachment | None = None,
    private: bool = False,
) -> None:
    """Show pictures."""
    files = attachments_of([file for file in (picture, picture2, picture3, picture4) if file])
    await _heard(interaction).command(interaction, "describe", question, private=private, attachments=files)


@app_commands.command(name="help", description="What I can do.")
async def help_(interaction: discord.Interaction) -> None:
    """Tell what the bot can do."""
    await _heard(interaction).command(interaction, "help", private=True)


@app_commands.command(description="What I answer from.")
async def knowledge(interaction: discord.Interaction) -> None:
    """Tell of the knowledge base."""
    await _heard(interaction).command(interaction, "knowledge", private=True)


@app_commands.command(description="What was said in this conversation.")
async def history(interaction: discord.Interaction) -> None:
    """Give the conversation."""
    await _heard(interaction).command(interaction, "history", private=True)


@app_commands.command(description="Delete what you asked and what I answered.")
@app_commands.describe(who="Somebody else, for admins: mention them. Left out, it is about you.")
async def forget(interaction: discord.Interaction, who: str = "") -> None:
    """Delete what is kept of a person; the core asks back first."""
    mentions = message_text.mentions(who)
    await _heard(interaction).command(interaction, "forget", who, private=True, mentions=mentions)


@app_commands.command(description="Get everything I keep of you, as a file.")
@app_commands.describe(who="Somebody else, for admins: mention them. Left out, it is about you.")
async def export(interaction: discord.Interaction, who: str = "") -> None:
    """Hand over what is kept of a person."""
    mentions = message_text.mentions(who)
    await _heard(interaction).command(interaction, "export", who, private=True, mentions=mentions)


@app_commands.command(name="reload", description="Read the knowledge base again (admins).")
@app_commands.default_permissions(manage_guild=True)
async def reload_(interaction: discord.Interaction) -> None:
    """Read the knowledge base again."""
    await _heard(interaction).command(interaction, "reload", private=True)


@app_commands.command(description="How much I am asked, and how well I do (admins).")
@app_commands.default_permissions(manage_guild=True)
async def stats(interaction: discord.Interaction) -> None:
    """Give the figures."""
    await _heard(interaction).command(interaction, "stats", private=True)


@app_commands.command(description="Whom I call in this channel when somebody asks for a person (admins).")
@app_commands.describe(who="Mention people or roles; “none” calls nobody. Left out, I tell who is called.")
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
async def people(interaction: discord.Interaction, who: str = "") -> None:
    """Set whom "Ask a person" calls."""
    mentions = message_text.mentions(who)
    await _heard(interaction).command(interaction, "people", who, private=True, mentions=mentions)


@app_commands.command(description="Who may do what here; I tell it, or change it (admins).")
@app_commands.describe(change="For example: deny @someone in #channel to ask. Left out, I tell the rules.")
@app_commands.default_permissions(manage_guild=True)
async def access(interaction: discord.Interaction, change: str = "") -> None:
    """Show or change the policy."""
    mentions = message_text.mentions(change)
    await _heard(interaction).command(interaction, "access", change, private=True, mentions=mentions)


@app_commands.command(description="What I keep and hide in this place, and for how long; or change it (admins).")
@app_commands.describe(change="For example: keep off, redact on, retention 30 server. Left out, I tell what holds.")
@app_commands.default_permissions(manage_guild=True)
async def settings(interaction: discord.Interaction, change: str = "") -> None:
    """Show or change what holds in a place."""
    await _heard(interaction).command(interaction, "settings", change, private=True)


@app_commands.command(description="Replies that could not be delivered (admins).")
@app_commands.describe(retry="Whether I try them once more; left out, I tell which they are.")
@app_commands.default_permissions(manage_guild=True)
async def delivery(interaction: discord.Interaction, retry: bool = False) -> None:
    """List what was given up, or have it tried again."""
    await _heard(interaction).command(interaction, "delivery", "retry" if retry else "", private=True)


@app_commands.command(description="Who used the admins' commands (admins).")
@app_commands.default_permissions(manage_guild=True)
async def audit(interaction: discord.Interaction) -> None:
    """Give the last entries."""
    await _heard(interaction).command(interaction, "audit", private=True)


async def answer_this(interaction: discord.Interaction, message: discord.Message) -> None:
    """Answer what a message asks."""
    text = message_text.commonmark(message.content, names_in(message))
    files = files_of(message)
    await _heard(interaction).command(interaction, "ask", text, private=False, about=message, attachments=files)


async def describe_image(interaction: discord.Interaction, message: discord.Message) -> None:
    """Tell what is in a message's picture."""
    files = files_of(message)
    await _heard(interaction).command(interaction, "describe", private=False, about=message, attachments=files)


def add_commands(tree: "app_commands.CommandTree[Any]") -> None:
    """Give a client all commands."""
    commands: tuple[app_commands.Command[Any, ..., Any], ...] = (
        *(ask, diagnose, describe, help_, knowledge, history, forget, export),
        *(reload_, stats, people, access, audit, settings, delivery),
    )
    for command in commands:
        tree.add_command(command)
    tree.add_command(app_commands.ContextMenu(name="Answer this", callback=answer_this))
    tree.add_command(app_commands.ContextMenu(name="Describe image", callback=describe_image))
