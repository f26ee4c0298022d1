"""What real, unpatched slack_sdk and slack_bolt meet at the loopback Slack."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from loopback_slack import LoopbackSlack
from loopback_slack.bolt_bot import Bot, over_http, over_socket_mode
from loopback_slack.sample_blocks import feedback, section
from slack_bolt.async_app import AsyncAssistant
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

Json = dict[str, Any]
Listen = Callable[[LoopbackSlack, "Bot"], AbstractAsyncContextManager[None]]


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as opened:
        yield opened


@pytest.fixture
def bot(slack: LoopbackSlack) -> Bot:
    return Bot(slack)


@pytest.fixture(params=[over_socket_mode, over_http])
async def listening(request: pytest.FixtureRequest, slack: LoopbackSlack, bot: Bot) -> AsyncIterator[Bot]:
    """The bot, connected once by Socket Mode and once by HTTP."""
    listen: Listen = request.param
    async with listen(slack, bot):
        yield bot


@pytest.fixture
async def connected(slack: LoopbackSlack, bot: Bot) -> AsyncIterator[Bot]:
    async with over_socket_mode(slack, bot):
        yield bot


@pytest.fixture
async def served(slack: LoopbackSlack, bot: Bot) -> AsyncIterator[Bot]:
    async with over_http(slack, bot):
        yield bot


async def test_a_mention_comes_as_two_events_of_the_same_message(slack: LoopbackSlack, listening: Bot) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    question = await ada.says(general, "<@BOT> what is Ohm's law?")
    answer = await general.next_message()
    assert answer.text == f"You said: {slack.mention} what is Ohm's law?"
    assert answer.thread_ts == question.ts
    twins = question.deliveries
    assert [twin.type for twin in twins] == ["app_mention", "message"]
    assert len({twin.event_id for twin in twins}) == 2
    assert len({(twin.event["channel"], twin.event["ts"]) for twin in twins}) == 1
    assert all(twin.acknowledged and twin.latency < 1 for twin in twins)


async def test_the_bot_hears_its_own_messages_and_bolt_ignores_them(slack: LoopbackSlack, listening: Bot) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    await ada.says(general, "<@BOT> hello")
    await general.next_message()
    await slack.settle()
    [echo] = [delivery for delivery in slack.acks if delivery.event.get("bot_id")]
    assert echo.event["user"] == slack.bot_user
    assert echo.event not in [body["event"] for body in listening.heard]
    assert len(general.from_bot) == 1


async def test_a_direct_message_needs_no_mention(slack: LoopbackSlack, connected: Bot) -> None:
    ada = slack.user("Ada")
    await ada.says(slack.dm(ada), "<@BOT> hello")
    assert connected.types() == ["message"]
    assert connected.heard[0]["event"]["channel_type"] == "im"


@pytest.mark.parametrize("change", ["membership", "scope", "subscription"])
async def test_what_the_app_may_not_hear_does_not_come(slack: LoopbackSlack, connected: Bot, change: str) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    if change == "membership":
        general.bot_is_member = False
    elif change == "scope":
        slack.scopes.difference_update({"app_mentions:read", "channels:history"})
    else:
        slack.subscriptions.clear()
    assert (await ada.says(general, "<@BOT> hello")).deliveries == []
    assert connected.heard == []


async def test_an_edited_mention_comes_as_a_change_and_as_a_mention_again(slack: LoopbackSlack, connected: Bot) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    question = await ada.says(general, "<@BOT> helo")
    await ada.edits(question, "<@BOT> hello")
    change, mention = (delivery.event for delivery in question.deliveries[2:])
    assert (change["subtype"], change["message"]["text"]) == ("message_changed", f"{slack.mention} hello")
    assert change["previous_message"]["text"] == f"{slack.mention} helo"
    assert mention["type"] == "app_mention"
    assert mention["ts"] == question.ts
    assert mention["edited"]["user"] == ada.id


async def test_a_deleted_message_is_gone_but_one_with_replies_leaves_a_tombstone(
    slack: LoopbackSlack, connected: Bot
) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    lonely, asked = await ada.says(general, "never mind"), await ada.says(general, "<@BOT> hello")
    await general.next_message()
    await ada.deletes(lonely)
    await ada.deletes(asked)
    assert lonely.deliveries[-1].event["deleted_ts"] == lonely.ts
    assert asked.deliveries[-1].type == "message_changed"
    assert asked.deliveries[-1].event["message"]["subtype"] == "tombstone"
    replies = await connected.client.conversations_replies(channel=general.id, ts=asked.ts)
    assert replies["messages"][0]["text"] == "This message was deleted."
    with pytest.raises(SlackApiError, match="thread_not_found"):
        await connected.client.conversations_replies(channel=general.id, ts=lonely.ts)
    await connected.client.chat_delete(channel=general.id, ts=general.from_bot[0].ts)
    await slack.settle()
    assert slack.deliveries[-1].event["previous_message"]["subtype"] == "tombstone"
    assert general.visible == []


async def test_an_unfurled_link_is_a_change_that_nobody_made(slack: LoopbackSlack, connected: Bot) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    message = await ada.says(general, "see https://example.com/")
    [change] = await slack.unfurls(message)
    assert change.event["message"]["text"] == change.event["previous_message"]["text"]
    assert "edited" not in change.event["message"]


async def test_reactions_joining_and_app_home_are_told(slack: LoopbackSlack, connected: Bot) -> None:
    ada, general = slack.user("Ada"), slack.channel("general", bot_is_member=False)
    await ada.invites_bot(general)
    await ada.reacts(await ada.says(general, "hello"), "white_check_mark")
    await ada.opens_home()
    assert connected.types() == ["member_joined_channel", "message", "reaction_added", "app_home_opened"]
    await connected.client.views_publish(user_id=ada.id, view={"type": "home", "blocks": [section("Ask me")]})
    assert ada.home is not None
    assert ada.home.shown == "Ask me"
    [opened] = await ada.opens_home()
    assert opened.event["view"]["id"] == ada.home.id


async def test_an_app_that_is_taken_out_hears_of_it_and_its_token_is_dead(slack: LoopbackSlack, connected: Bot) -> None:
    connected.app.event("tokens_revoked")(connected.does_nothing)
    connected.app.event("app_uninstalled")(connected.does_nothing)
    assert [delivery.acknowledged for delivery in await slack.uninstall()] == [True, True]
    with pytest.raises(SlackApiError, match="account_inactive"):
        await connected.client.auth_test()


async def test_bolt_does_not_acknowledge_an_event_that_nothing_listens_to(slack: LoopbackSlack, served: Bot) -> None:
    [risen] = await slack.send_event({"type": "moon_risen", "event_ts": "1.0"})
    assert served.types() == ["moon_risen"]
    assert risen.status == 404


async def test_a_command_is_answered_for_its_user_alone(slack: LoopbackSlack, listening: Bot) -> None:
    async def ask(ack: AsyncAck, respond: AsyncRespond, command: Json) -> None:
        await ack()
        await respond(f"You asked: {command['text']}")

    listening.app.command("/ask")(ask)
    ada, eve, general = slack.user("Ada"), slack.user("Eve"), slack.channel("general")
    command = await ada.commands(general, "/ask", "what is a volt?")
    answer = await general.next_message()
    assert command.latency < 1
    assert (answer.text, answer.ephemeral_for) == ("You asked: what is a volt?", ada.id)
    assert answer in ada.sees(general)
    assert answer not in eve.sees(general)


@pytest.mark.parametrize("body", ["Done.", {"text": "Done.", "response_type": "ephemeral"}])
async def test_a_command_may_be_answered_in_its_acknowledgement(
    slack: LoopbackSlack, listening: Bot, body: str | Json
) -> None:
    async def reload(ack: AsyncAck) -> None:
        await ack(body)

    listening.app.command("/reload")(reload)
    ada, general = slack.user("Ada"), slack.channel("general")
    await ada.commands(general, "/reload")
    assert [message.text for message in ada.sees(general)] == ["Done."]


async def test_pressed_buttons_are_told_with_their_message_or_without_an_ephemeral_one(
    slack: LoopbackSlack, listening: Bot
) -> None:
    pressed: list[Json] = []

    async def note(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        await ack()
        pressed.append(body)
        await respond("Thank you.", replace_original=body["container"]["is_ephemeral"])

    listening.app.action("feedback")(note)
    ada, general = slack.user("Ada"), slack.channel("general")
    await listening.client.chat_postMessage(channel=general.id, text="42", blocks=[section("42"), feedback()])
    await listening.client.chat_postEphemeral(channel=general.id, user=ada.id, text="7", blocks=[feedback()])
    public, private = await general.next_message(), await general.next_message()
    assert public.labels == ["👍", "👎"]
    await ada.presses(public, "👎")
    assert (await general.next_message()).ephemeral_for == ada.id
    await ada.presses(private, "good")
    await private.becomes(lambda message: message.text == "Thank you.")
    assert [body["actions"][0]["value"] for body in pressed] == ["bad", "good"]
    assert [body["container"]["is_ephemeral"] for body in pressed] == [False, True]
    assert pressed[0]["message"]["ts"] == public.ts
    assert "message" not in pressed[1]
    with pytest.raises(LookupError):
        await slack.user("Eve").presses(private, "good")


async def test_a_shortcut_opens_a_modal_that_is_submitted(slack: LoopbackSlack, listening: Bot) -> None:
    view = {
        "type": "modal",
        "callback_id": "details",
        "title": {"type": "plain_text", "text": "Details"},
        "blocks": [
            {
                "type": "input",
                "block_id": "why",
                "label": {"type": "plain_text", "text": "Why?"},
                "element": {"type": "plain_text_input", "action_id": "reason"},
            }
        ],
    }

    async def answer(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async def take(ack: AsyncAck, view: Json) -> None:
        if view["state"]["values"]["why"]["reason"]["value"] == "because":
            await ack(response_action="errors", errors={"why": "That is no reason."})
        else:
            await ack()

    listening.app.shortcut("answer_this")(answer)
    listening.app.view("details")(take)
    ada, general = slack.user("Ada"), slack.channel("general")
    await ada.uses_shortcut(general.seed(slack.user("Eve"), "Why is the sky blue?"), "answer_this")
    modal = (await slack.until(lambda: ada.modals))[0]
    await ada.submits(modal, {"reason": "because"})
    assert modal.errors == {"why": "That is no reason."}
    await ada.submits(modal, {"reason": "scattering"})
    assert ada.modals == []


async def test_bolts_assistant_works_in_its_container(slack: LoopbackSlack, listening: Bot) -> None:
    assistant = AsyncAssistant()

    @assistant.thread_started
    async def begin(say: Any, set_suggested_prompts: Any, get_thread_context: Any) -> None:
        context = await get_thread_context()
        await say(f"How can I help in {context.channel_id}?")
        await set_suggested_prompts(prompts=[{"title": "Volts", "message": "What is a volt?"}])

    @assistant.user_message
    async def answer(payload: Json, say: Any, set_status: Any, set_title: Any) -> None:
        await set_title(payload["text"])
        await set_status("is thinking …")
        await say("A volt is a joule per coulomb.")

    listening.app.assistant(assistant)
    ada, general = slack.user("Ada"), slack.channel("general")
    thread = await ada.opens_assistant(viewing=general)
    await slack.until(lambda: thread.prompts)
    assert (await slack.dm(ada).next_message()).text == f"How can I help in {general.id}?"
    await ada.says(thread.channel, "What is a volt?", thread=thread.ts)
    answered = await thread.channel.next_message()
    assert answered.thread_ts == thread.ts
    assert thread.title == "What is a volt?"
    assert [status.text for status in slack.workspace.statuses] == ["is thinking …", ""]
    assert thread.status == ""


@pytest.mark.parametrize("how", ["tampered", "stale", "unsigned", "wrong secret", "from the future"])
async def test_a_forged_request_is_refused(slack: LoopbackSlack, served: Bot, how: Any) -> None:
    assert (await slack.forge(how)).status == 401
    assert served.heard == []


async def test_a_request_url_is_verified_with_a_challenge(slack: LoopbackSlack, served: Bot) -> None:
    assert (await slack.verify_url()).answer == {"challenge": "a-challenge"}


async def test_an_event_is_sent_again_with_its_number_and_reason(slack: LoopbackSlack, listening: Bot) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    question = await ada.says(general, "hello")
    listening.retries.clear()
    await slack.redeliver(question.deliveries[0], 2, "http_timeout")
    assert listening.retries == [("2", "http_timeout")]
    assert len({body["event_id"] for body in listening.heard}) == 1


async def test_what_nobody_answers_is_sent_again_by_itself(slack: LoopbackSlack) -> None:
    slack.deliver_to("http://127.0.0.1:9/slack/events")
    slack.dispatch.retry_pauses = (0, 0, 0)
    message = await slack.user("Ada").says(slack.channel("general"), "hello")
    [delivery] = message.deliveries
    assert [attempt.failure for attempt in delivery.attempts] == ["connection_failed"] * 4
    assert [attempt.retry.number for attempt in delivery.attempts if attempt.retry] == [1, 2, 3]


async def test_an_envelope_that_was_not_acknowledged_comes_on_the_next_connection() -> None:
    async with LoopbackSlack(ack_seconds=0.05) as slack:
        ada, general = slack.user("Ada"), slack.channel("general")
        deaf = SocketModeClient(slack.app_token, web_client=AsyncWebClient(base_url=slack.base_url))
        await deaf.connect()  # type: ignore[no-untyped-call]
        message = await ada.says(general, "<@BOT> hello")
        assert not any(delivery.acknowledged for delivery in message.deliveries)
        await deaf.close()  # type: ignore[no-untyped-call]
        bot = Bot(slack)
        async with over_socket_mode(slack, bot):
            await slack.until(lambda: all(delivery.acknowledged for delivery in message.deliveries))
            assert bot.retries[:2] == [("1", "timeout")] * 2
            assert (await general.next_message()).thread_ts == message.ts


async def test_the_bot_moves_to_a_new_connection_when_told_and_when_cut_off(
    slack: LoopbackSlack, connected: Bot
) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    for part in (slack.say_goodbye, slack.drop_connections):
        before = len(slack.socket.connections)
        if parting := part():
            await parting if asyncio.iscoroutine(parting) else None
        message = await ada.says(general, "are you there?")
        await slack.until(lambda before=before: len(slack.socket.connections) > before, 10)  # type: ignore[misc]
        await slack.until(lambda message=message: message.deliveries[0].acknowledged, 10)  # type: ignore[misc]
    assert [connection.is_open for connection in slack.socket.connections] == [False, False, True]


async def test_it_leaves_no_task_and_no_socket_behind() -> None:
    before = asyncio.all_tasks()
    async with LoopbackSlack() as slack, over_socket_mode(slack, Bot(slack)):
        await slack.user("Ada").says(slack.channel("general"), "<@BOT> hello")
        address = slack.base_url
    await asyncio.wait_for(asyncio.gather(*asyncio.all_tasks() - before, return_exceptions=True), 1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await AsyncWebClient(base_url=address, retry_handlers=[]).api_test()


async def test_it_runs_as_a_process_of_its_own_and_is_told_what_to_do() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.adapters.loopback_slack",
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:

            async def control(verb: str, **body: Any) -> Json:
                async with session.post(f"{told['control']}/{verb}", json=body) as response:
                    assert response.status == 200, await response.text()
                    return dict(await response.json())

            ada, general = await control("user", name="Ada"), await control("channel", name="general")
            said = await control("says", user=ada["id"], channel=general["id"], text="<@BOT> hello")
            assert said["deliveries"] == 2
            client = AsyncWebClient(token=told["bot_token"], base_url=told["base_url"])
            await client.chat_postMessage(channel=general["id"], text="Hello, Ada.", thread_ts=said["ts"])
            query = {"channel": general["id"], "timeout": "5"}
            async with session.get(f"{told['control']}/messages", params=query) as response:
                [answer] = await response.json()
            assert (answer["shown"], answer["thread_ts"]) == ("Hello, Ada.", said["ts"])
    finally:
        process.terminate()
        await process.wait()
