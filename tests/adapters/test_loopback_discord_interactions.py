"""The loopback Discord's interactions: commands, buttons, menus and forms, and the times they have."""

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.http import Route
from loopback_discord import Channel, Interaction, LoopbackDiscord, Member, Upload
from loopback_discord.listening import ListeningClient, listening


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackDiscord]:
    """A Discord without anything in it."""
    async with LoopbackDiscord() as running:
        yield running


@pytest.fixture
def ada(loopback: LoopbackDiscord) -> Member:
    """A member of a guild."""
    return loopback.guild("Lab").member("Ada")


@pytest.fixture
def general(ada: Member) -> Channel:
    """The guild's channel."""
    return ada.guild.channel("general")


class AskingClient(ListeningClient):
    """Has a command of every kind."""

    async def setup_hook(self) -> None:
        """Register them."""
        self.tree.command(description="Ask")(ask)
        self.tree.command(description="Describe a picture")(describe)
        self.tree.command(description="Say nothing in time")(dawdle)
        self.tree.command(description="Fill in a form")(tell)
        self.tree.context_menu(name="Answer this")(answer_this)
        ask_command = self.tree.get_command("ask")
        assert isinstance(ask_command, app_commands.Command)
        ask_command.autocomplete("question")(complete)
        self.add_view(Feedback())
        await self.tree.sync()


class Feedback(discord.ui.View):
    """Buttons that work after a restart."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Helpful", custom_id="helpful")
    async def helpful(self, interaction: discord.Interaction[Any], button: discord.ui.Button[Any]) -> None:
        """Thank in the message itself."""
        await interaction.response.edit_message(content="thank you", view=None)

    @discord.ui.button(emoji="👎", custom_id="unhelpful")
    async def unhelpful(self, interaction: discord.Interaction[Any], button: discord.ui.Button[Any]) -> None:
        """Answer whispering."""
        await interaction.response.defer()
        await interaction.followup.send("sorry", ephemeral=True)


class Form(discord.ui.Modal, title="Tell us"):
    """One field."""

    why: discord.ui.TextInput[Any] = discord.ui.TextInput(label="Why?", custom_id="why")

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Repeat it."""
        await interaction.response.send_message(f"because {self.why.value}", ephemeral=True)


async def ask(interaction: discord.Interaction[Any], question: str, private: bool = False) -> None:
    await interaction.response.defer(ephemeral=private, thinking=True)
    await interaction.edit_original_response(content="let me see", view=Feedback())
    await interaction.edit_original_response(content=f"{question}: 42", view=Feedback())
    await interaction.followup.send("and more", ephemeral=private)


async def complete(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{current}ton", value="newton")]


async def describe(interaction: discord.Interaction[Any], image: discord.Attachment) -> None:
    await interaction.response.send_message(f"{image.filename}: {len(await image.read())}")


async def answer_this(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await interaction.response.send_message(f"you said {message.content}")


async def dawdle(interaction: discord.Interaction[Any]) -> None:
    return


async def tell(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.send_modal(Form())


@pytest.fixture
async def client(loopback: LoopbackDiscord, general: Channel) -> AsyncIterator[AskingClient]:
    """A client that is ready."""
    async with listening(loopback, AskingClient) as ready:
        assert isinstance(ready, AskingClient)
        yield ready


async def test_a_deferred_command_ends_in_its_answer(general: Channel, ada: Member, client: AskingClient) -> None:
    asked = await ada.invokes(general, "ask", {"question": "six times nine"})
    response = await asked.response()
    assert (response.kind, response.deferred, response.ephemeral) == (5, True, False)
    answer = await general.next_answer()
    assert [version.content for version in answer.history] == ["", "let me see", "six times nine: 42"]
    assert answer.interaction is asked
    assert [message.content for message in asked.messages] == ["six times nine: 42", "and more"]
    assert (response.at - asked.created_at).total_seconds() < 1


async def test_a_private_answer_is_seen_by_the_asker_alone(
    loopback: LoopbackDiscord, general: Channel, ada: Member, client: AskingClient
) -> None:
    asked = await ada.invokes(general, "ask", {"question": "?", "private": True})
    await loopback.until(lambda: len(asked.messages) == 2)
    assert general.messages == []
    assert [message.ephemeral for message in general.ephemeral_messages] == [True, True]
    with pytest.raises(discord.NotFound):
        await client.get_partial_messageable(general.id).fetch_message(asked.messages[0].id)


async def test_commands_work_in_direct_messages(ada: Member, client: AskingClient) -> None:
    asked = await ada.invokes(ada.dm, "ask", {"question": "?"})
    assert (await ada.dm.next_answer()).interaction is asked


async def test_an_option_completes_itself(general: Channel, ada: Member, client: AskingClient) -> None:
    typed = await ada.types(general, "ask", "question", "new")
    await typed.response()
    assert typed.choices == [{"name": "newton", "value": "newton"}]


async def test_a_file_comes_with_a_command(general: Channel, ada: Member, client: AskingClient) -> None:
    await ada.invokes(general, "describe", {"image": Upload("cat.png", b"meow")})
    assert (await general.next_message()).content == "cat.png: 4"


async def test_a_message_is_chosen_from_its_menu_with_its_content(
    general: Channel, ada: Member, client: AskingClient
) -> None:
    message = await ada.says(general, "what nobody was told")
    await ada.invokes_on(message, "Answer this")
    assert (await general.next_message()).content == "you said what nobody was told"


async def test_buttons_work_also_on_messages_of_an_earlier_run(
    loopback: LoopbackDiscord, general: Channel, ada: Member
) -> None:
    async with listening(loopback, AskingClient):
        await ada.invokes(general, "ask", {"question": "?"})
        answer = await general.next_answer()
    async with listening(loopback, AskingClient):
        unhelpful = await ada.presses(answer, "👎")
        assert (await unhelpful.answer()).content == "sorry"
        await ada.presses(answer, "Helpful")
        await loopback.until(lambda: answer.content == "thank you")
        assert answer.buttons == []
        assert unhelpful.responses[0].kind == 6


async def test_a_form_is_opened_and_sent_off(general: Channel, ada: Member, client: AskingClient) -> None:
    opened = await ada.invokes(general, "tell")
    await opened.response()
    sent = await ada.submits(opened, {"why": "of reasons"})
    assert (await sent.answer()).content == "because of reasons"


async def _respond(client: AskingClient, interaction: Interaction) -> None:
    route = Route("POST", f"/interactions/{interaction.id}/{interaction.token}/callback")
    await client.http.request(route, json={"type": 4, "data": {"content": "here"}})


async def test_a_second_response_is_refused(general: Channel, ada: Member, client: AskingClient) -> None:
    asked = await ada.invokes(general, "ask", {"question": "?"})
    await asked.response()
    with pytest.raises(discord.HTTPException) as refused:
        await _respond(client, asked)
    assert refused.value.code == 40060
    assert asked.refused == [40060]


async def test_a_response_after_three_seconds_comes_too_late(
    loopback: LoopbackDiscord, general: Channel, ada: Member, client: AskingClient
) -> None:
    asked = await ada.invokes(general, "dawdle")
    loopback.advance(3.5)
    with pytest.raises(discord.NotFound) as late:
        await _respond(client, asked)
    assert late.value.code == 10062


@pytest.mark.parametrize("how", ["fifteen minutes later", "expired by the test"])
async def test_a_token_that_is_too_old_reaches_nobody(
    loopback: LoopbackDiscord, general: Channel, ada: Member, client: AskingClient, how: str
) -> None:
    asked = await ada.invokes(general, "ask", {"question": "?"})
    await loopback.until(lambda: len(asked.messages) == 2)
    if how == "fifteen minutes later":
        loopback.advance(15 * 60)
    else:
        loopback.expire(asked)
    webhook = Route("POST", f"/webhooks/{loopback.application_id}/{asked.token}")
    with pytest.raises(discord.HTTPException) as refused:
        await client.http.request(webhook, json={"content": "still there?"})
    assert (refused.value.status, refused.value.code) == (401, 50027)


async def test_a_held_route_waits_and_is_then_carried_out(
    loopback: LoopbackDiscord, general: Channel, ada: Member, client: AskingClient
) -> None:
    with loopback.hold("PATCH /webhooks/*"):
        asked = await ada.invokes(general, "ask", {"question": "?"})
        await asked.response()
        await loopback.calm(0.1)
        assert asked.message
        assert asked.message.loading
    assert (await general.next_answer()).content == "?: 42"
