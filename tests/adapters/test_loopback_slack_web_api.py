"""What slack_sdk's unpatched client gets from the loopback's Web API."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import pytest
from loopback_slack import LoopbackSlack, Message
from loopback_slack.sample_blocks import actions, button, feedback, section
from loopback_slack.wire import Json
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient


@pytest.fixture
async def slack() -> AsyncIterator[LoopbackSlack]:
    async with LoopbackSlack() as opened:
        yield opened


@pytest.fixture
def client(slack: LoopbackSlack) -> AsyncWebClient:
    """Slack's own client, with the bot's token."""
    return AsyncWebClient(token=slack.bot_token, base_url=slack.base_url)


async def test_a_trigger_opens_one_view_and_only_at_once(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    view = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [section("x")]}
    ada = slack.user("Ada")
    fresh, old = slack.workspace.trigger(ada.id), slack.workspace.trigger(ada.id)
    await client.views_open(trigger_id=fresh, view=view)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=fresh, view=view)
    slack.pass_time(4)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=old, view=view)


async def test_text_streams_into_a_thread_and_ends_with_blocks(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    question = general.seed(ada, "<@BOT> what is a volt?")
    recipient = {"recipient_user_id": ada.id, "recipient_team_id": slack.team}
    stream = await client.chat_stream(channel=general.id, thread_ts=question.ts, buffer_size=5, **recipient)
    await stream.append(markdown_text="A **volt** ")
    await stream.append(markdown_text="is a joule")
    answer = await general.next_message()
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        await client.chat_update(channel=general.id, ts=answer.ts, text="no")
    await stream.stop(markdown_text=" per coulomb.", blocks=[feedback()])
    assert answer.stream is not None
    assert answer.stream.stopped
    assert answer.text == "A **volt** is a joule per coulomb."
    assert answer.shown.splitlines()[0] == answer.text
    assert answer.labels == ["👍", "👎"]
    assert len(answer.stream.chunks) == 3
    for method in (client.chat_appendStream, client.chat_stopStream):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await method(channel=general.id, ts=answer.ts, markdown_text="more")
    with pytest.raises(SlackApiError, match="missing_recipient_user_id"):
        await client.chat_startStream(channel=general.id, thread_ts=question.ts)


async def test_a_response_url_takes_five_answers_within_half_an_hour(slack: LoopbackSlack) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    first, late = await ada.commands(general, "/ask"), await ada.commands(general, "/ask")
    async with aiohttp.ClientSession() as session:

        async def post(url: str, body: Json) -> tuple[int, str]:
            async with session.post(url, json=body) as response:
                return response.status, (await response.json()).get("error", "")

        assert await post(first.response_url, {"text": "one"}) == (200, "")
        assert await post(first.response_url, {"text": "two", "replace_original": True}) == (200, "")
        assert [message.text for message in ada.sees(general)] == ["two"]
        assert await post(first.response_url, {"text": "all", "response_type": "in_channel"}) == (200, "")
        assert general.visible[0].text == "all"
        assert await post(first.response_url, {"delete_original": True}) == (200, "")
        assert await post(first.response_url, {"blocks": [section("x" * 3001)]}) == (404, "invalid_blocks")
        assert await post(first.response_url, {"text": "six"}) == (404, "used_url")
        slack.pass_time(31 * 60)
        assert await post(late.response_url, {"text": "late"}) == (404, "expired_url")


async def test_files_go_up_and_come_down(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ada, general = slack.user("Ada"), slack.channel("general")
    await client.files_upload_v2(
        channel=general.id, filename="a.txt", content="volts", initial_comment="Here.", title="A"
    )
    shared = await general.next_message()
    assert (shared.text, shared.files[0].content, shared.files[0].title) == ("Here.", b"volts", "A")
    large = slack.file("scan.png", b"\x89PNG", length=3_000_000, claimed_size=10, streamed=True)
    message = await ada.says(general, "look", files=[large, ("b.csv", b"1,2")])
    told = message.to_json()["files"]
    assert [(file["name"], file["mimetype"], file["size"]) for file in told] == [
        ("scan.png", "image/png", 10),
        ("b.csv", "text/csv", 3),
    ]
    async with aiohttp.ClientSession() as session:
        async with session.get(told[0]["url_private"]) as response:
            assert (response.status, response.content_type) == (200, "text/html")
        headers = {"Authorization": f"Bearer {slack.bot_token}"}
        async with session.get(told[0]["url_private_download"], headers=headers) as response:
            assert "Content-Length" not in response.headers
            assert len(await response.read()) == 3_000_000
    assert [(download.allowed, download.sent) for download in large.downloads] == [(False, 0), (True, 3_000_000)]
    assert (await client.files_info(file=large.id))["file"]["name"] == "scan.png"


async def test_an_update_keeps_the_metadata_and_blocks_it_leaves_out(
    slack: LoopbackSlack, client: AsyncWebClient
) -> None:
    general = slack.channel("general")
    metadata = {"event_type": "answer", "event_payload": {"key": "1"}}
    posted = await client.chat_postMessage(channel=general.id, text="a", blocks=[section("a")], metadata=metadata)
    await client.chat_update(channel=general.id, ts=posted["ts"], text="b")
    message = general.from_bot[0]
    assert [state.text for state in message.states] == ["a", "b"]
    assert message.shown == "a"
    history = await client.conversations_history(channel=general.id, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata
    plain = await client.conversations_history(channel=general.id)
    assert "metadata" not in plain["messages"][0]
    await client.chat_delete(channel=general.id, ts=posted["ts"])
    assert general.visible == []


async def test_the_bot_learns_who_and_where_it_is(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    group = slack.usergroup("support")
    ada = slack.user("Ada", admin=True, groups=[group])
    general = slack.channel("general")
    slack.channel("secret", private=True, bot_is_member=False)
    auth = await client.auth_test()
    assert auth["user_id"] == slack.bot_user
    assert set(auth.headers["x-oauth-scopes"].split(",")) == slack.scopes
    assert (await client.users_info(user=ada.id))["user"]["is_admin"] is True
    assert (await client.usergroups_users_list(usergroup=group.id))["users"] == [ada.id]
    assert (await client.conversations_members(channel=general.id))["members"] == [ada.id, slack.bot_user]
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert [channel["name"] for channel in listed["channels"]] == ["general"]
    opened = await client.conversations_open(users=ada.id)
    await client.chat_postMessage(channel=opened["channel"]["id"], text="hello")
    assert slack.dm(ada).from_bot[0].text == "hello"
    link = await client.chat_getPermalink(channel=slack.dm(ada).id, message_ts=slack.dm(ada).from_bot[0].ts)
    assert slack.dm(ada).id in link["permalink"]


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x" * 3001)],
        [section("")],
        [{"type": "divider"}] * 51,
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "markdown", "text": "x" * 7000}, {"type": "markdown", "text": "x" * 5001}],
        [actions(button(value="x" * 2001))],
        [actions(button(action_id="x" * 256))],
        [actions(button(text={"type": "plain_text", "text": "x" * 76}))],
        [actions(button(text={"type": "mrkdwn", "text": "x"}))],
        [actions(button(action_id="a"), button(action_id="a"))],
        [actions(*feedback()["elements"]), {"type": "unheard_of"}],
        [{"type": "context_actions", "elements": [button()]}],
        [{"type": "context_actions", "elements": [{"type": "feedback_buttons"}]}],
        [section("a") | {"block_id": "same"}, section("b") | {"block_id": "same"}],
    ],
)
async def test_blocks_beyond_a_limit_are_refused(
    slack: LoopbackSlack, client: AsyncWebClient, blocks: list[Json]
) -> None:
    general = slack.channel("general")
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        await client.chat_postMessage(channel=general.id, text="x", blocks=blocks)
    assert general.messages == []


async def test_a_post_is_refused_with_slacks_error(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ada = slack.user("Ada")
    places = {
        "channel_not_found": slack.channel("secret", private=True, bot_is_member=False),
        "is_archived": slack.channel("old", archived=True),
        "restricted_action": slack.channel("quiet", restriction="restricted_action"),
    }
    for error, place in places.items():
        with pytest.raises(SlackApiError, match=error):
            await client.chat_postMessage(channel=place.id, text="x")
    general = slack.channel("general", members=[])
    with pytest.raises(SlackApiError, match="user_not_in_channel"):
        await client.chat_postEphemeral(channel=general.id, user=ada.id, text="x")
    with pytest.raises(SlackApiError, match="msg_too_long"):
        await client.chat_postMessage(channel=general.id, text="x" * 40_001)
    with pytest.raises(SlackApiError, match="cannot_reply_to_message"):
        await client.chat_postMessage(channel=general.id, text="x", thread_ts="1.000000")
    with pytest.raises(SlackApiError, match="unknown_method"):
        await client.api_call("chat.sing")


async def test_an_update_is_refused_with_slacks_error(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    general = slack.channel("general")
    others = general.seed(slack.user("Ada"), "mine")
    with pytest.raises(SlackApiError, match="cant_update_message"):
        await client.chat_update(channel=general.id, ts=others.ts, text="yours")
    with pytest.raises(SlackApiError, match="message_not_found"):
        await client.chat_update(channel=general.id, ts="1.000000", text="x")
    posted = await client.chat_postMessage(channel=general.id, text="x")
    slack.workspace.edit_window = 60
    slack.pass_time(61)
    with pytest.raises(SlackApiError, match="edit_window_closed"):
        await client.chat_update(channel=general.id, ts=posted["ts"], text="y")


async def test_missing_scopes_and_bad_tokens_are_named(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    general = slack.channel("general", bot_is_member=False)
    slack.scopes.discard("chat:write.public")
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await client.chat_postMessage(channel=general.id, text="x")
    slack.scopes.discard("chat:write")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_postMessage(channel=general.id, text="x")
    assert (refused.value.response["error"], refused.value.response["needed"]) == ("missing_scope", "chat:write")
    assert "chat:write" not in refused.value.response["provided"].split(",")
    slack.auth_error = "token_revoked"
    with pytest.raises(SlackApiError, match="token_revoked"):
        await client.auth_test()
    for token, error in (
        ("xoxb-wrong", "invalid_auth"),
        (slack.app_token, "not_allowed_token_type"),
        ("", "not_authed"),
    ):
        with pytest.raises(SlackApiError, match=error):
            await AsyncWebClient(token=token, base_url=slack.base_url).auth_test()


async def test_the_manifest_tells_what_the_app_is_subscribed_to(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    slack.subscriptions.discard("app_mention")
    asked = {"token": slack.configuration_token, "app_id": slack.workspace.app}
    exported = await client.api_call("apps.manifest.export", params=asked)
    told = exported["manifest"]["settings"]["event_subscriptions"]["bot_events"]
    assert set(told) == slack.subscriptions


async def test_slacks_clock_may_be_set_wrong(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    slack.clock_skew = -600
    answer = await client.auth_test()
    assert parsedate_to_datetime(answer.headers["Date"]) < datetime.now(UTC) - timedelta(seconds=590)


async def test_faults_come_when_they_are_ordered(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    general = slack.channel("general")
    slack.rate_limit("chat.postMessage", retry_after=7)
    with pytest.raises(SlackApiError) as limited:
        await client.chat_postMessage(channel=general.id, text="x")
    assert (limited.value.response.status_code, limited.value.response.headers["Retry-After"]) == (429, "7")
    slack.fail_next("chat.postMessage", status=503)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel=general.id, text="x")
    slack.fail_next("chat.*", error="fatal_error")
    with pytest.raises(SlackApiError, match="fatal_error"):
        await client.chat_postMessage(channel=general.id, text="x")
    slack.slow("chat.postMessage", 0.05)
    await client.chat_postMessage(channel=general.id, text="x")
    call = slack.calls_of("chat.postMessage")[-1]
    assert call.answered_at - call.at >= 0.05
    assert len(general.messages) == 1


async def test_a_lost_answer_makes_slack_sdk_post_twice(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    general = slack.channel("general")
    slack.lose_answer("chat.postMessage")
    await client.chat_postMessage(channel=general.id, text="x")
    assert [message.text for message in general.visible] == ["x", "x"]


async def test_a_method_may_be_limited_to_so_many_calls(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    slack.limit("auth.test", calls=2, seconds=0.2)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    for _ in range(3):
        await client.auth_test()
    assert [call.status for call in slack.calls_of("auth.test")] == [200, 200, 429, 200]


async def test_a_message_tells_whom_it_would_notify(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    general = slack.channel("general")
    quiet = {"type": "section", "text": {"type": "plain_text", "text": "<!channel>"}}
    await client.chat_postMessage(channel=general.id, text="&lt;!here&gt;", blocks=[quiet])
    await client.chat_postMessage(channel=general.id, text="see", blocks=[section("<!here> and <@U012AB3CD>")])
    assert [message.pings for message in general.from_bot] == [[], ["<!here>", "<@U012AB3CD>"]]


async def test_waiting_in_vain_says_what_for(slack: LoopbackSlack) -> None:
    with pytest.raises(TimeoutError, match="a message of the bot's in #general"):
        await slack.channel("general").next_message(0.01)


async def test_people_see_what_is_theirs_to_see(slack: LoopbackSlack, client: AsyncWebClient) -> None:
    ada, eve, general = slack.user("Ada"), slack.user("Eve"), slack.channel("general")
    await client.chat_postEphemeral(channel=general.id, user=ada.id, text="psst")
    await client.chat_postMessage(channel=general.id, text="hear ye")

    def texts(messages: list[Message]) -> list[str]:
        return [message.text for message in messages]

    assert texts(ada.sees(general)) == ["psst", "hear ye"]
    assert texts(eve.sees(general)) == ["hear ye"]
