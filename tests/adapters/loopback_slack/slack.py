"""The loopback Slack itself: one object that a test opens, fills with people and asks what happened."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from aiohttp import web

from . import events
from .acknowledgements import take_answer
from .board import Board
from .channels import Channel, Kind
from .content import Content
from .control import Control
from .deliveries import Attempt, Delivery, Retry
from .dispatch import Dispatch
from .faults import Fault, Faults, RateLimit
from .files import File, media_type_of
from .messages import Message
from .people import AssistantThread, User, UserGroup
from .request_urls import HttpRoad, RequestUrls
from .signing import Forgery
from .socket_mode import Reason, SocketRoad
from .storage import Storage
from .views import View
from .web_api import WebApi, largest_body
from .wire import Call, Json
from .workspace import Workspace

_Found = TypeVar("_Found")


class LoopbackSlack:
    """A Slack workspace on this machine; see the package's documentation for how to use it.

    Attributes:
        bot_token, app_token, signing_secret: what the app is configured with.
        configuration_token: what apps.manifest.export asks for.
        clock_skew: by how many seconds the Date of the Web API's answers is wrong.
        auth_error: what every call is answered with (``token_revoked``), empty for none.
        workspace: the whole state.
        dispatch: what goes to the bot.
        faults: what goes wrong.
        socket: the Socket Mode connections.
        board: where the bot's messages stand.
        ack_seconds: how long Slack waits for an acknowledgement.
        largest_page: how many messages a page of a history holds at the most, whatever is asked for; Slack gives fewer
            than that when it likes, and 15 to apps that are sold outside its Marketplace.
    """

    def __init__(self, *, port: int = 0, ack_seconds: float = 3.0) -> None:
        self.bot_token = "xoxb-1-loopback"
        self.app_token = "xapp-1-A0LOOPBACK-1-loopback"
        self.configuration_token = "xoxe.xoxp-1-loopback"
        self.signing_secret = "8f742231b10e8888abcd99bada5585a5"
        self.auth_error = ""
        self.clock_skew = 0.0
        self.ack_seconds = ack_seconds
        self.largest_page = 1_000
        self.workspace = Workspace()
        self.socket = SocketRoad(self.workspace.app, ack_seconds, self.workspace.changed)
        self.dispatch = Dispatch(self.workspace, self.socket)
        self.board = Board(self.workspace, self.dispatch)
        self.faults = Faults()
        self._api = WebApi(self)
        self._http: HttpRoad | None = None
        self._port = port

    async def __aenter__(self) -> Self:
        application = web.Application(client_max_size=largest_body())
        application.add_routes([*self._api.routes(), *Storage(self).routes(), *Control(self).routes()])
        application.router.add_get("/link/", self._link)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.workspace.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.dispatch.stop()
        await self.socket.close()
        await self._session.close()
        await self._runner.cleanup()

    # What the app is configured with, and what it may do.

    @property
    def base_url(self) -> str:
        """What slack_sdk wants as ``base_url``."""
        return f"{self.workspace.base}/api/"

    @property
    def bot_user(self) -> str:
        return self.workspace.bot_user

    @property
    def mention(self) -> str:
        """The bot's mention, as it stands in a message."""
        return f"<@{self.bot_user}>"

    @property
    def team(self) -> str:
        return self.workspace.team

    @property
    def scopes(self) -> set[str]:
        """The bot token's scopes; add and discard as needed."""
        return self.workspace.scopes

    @property
    def subscriptions(self) -> set[str]:
        """The events that the app is subscribed to; add and discard as needed."""
        return self.dispatch.subscriptions

    # Who and what there is.

    def user(
        self,
        name: str,
        *,
        admin: bool = False,
        owner: bool = False,
        restricted: bool = False,
        groups: Iterable[UserGroup] = (),
    ) -> User:
        """Somebody new."""
        user = User(self.workspace.ids.new("U"), name, self, admin, owner, restricted)
        self.workspace.users[user.id] = user
        for group in groups:
            group.users.append(user)
        return user

    def other_bot(self, name: str) -> User:
        """The bot of another app."""
        user = self.user(name)
        user.bot_id = self.workspace.ids.new("B")
        return user

    def usergroup(self, handle: str, users: Iterable[User] = ()) -> UserGroup:
        """A user group."""
        group = UserGroup(self.workspace.ids.new("S"), handle, list(users))
        self.workspace.groups[group.id] = group
        return group

    def channel(
        self,
        name: str,
        *,
        bot_is_member: bool = True,
        private: bool = False,
        members: Iterable[User] | None = None,
        archived: bool = False,
        restriction: str = "",
    ) -> Channel:
        """A channel; without `members` everybody is in it."""
        people = None if members is None else {user.id for user in members}
        kind: Kind = "group" if private else "channel"
        channel = Channel(
            self.workspace.ids.new("C"), name, self.workspace, kind, people, bot_is_member, archived, restriction
        )
        self.workspace.channels[channel.id] = channel
        return channel

    def dm(self, user: User) -> Channel:
        """The direct message between a person and the bot."""
        return self.workspace.direct_message(user.id)

    def group_message(self, users: Iterable[User | str]) -> Channel:
        """A direct message among several people and the bot."""
        people = {user if isinstance(user, str) else user.id for user in users}
        name = f"mpdm-{'-'.join(sorted(people))}"
        channel = Channel(self.workspace.ids.new("G"), name.lower(), self.workspace, "mpim", people)
        self.workspace.channels[channel.id] = channel
        return channel

    def file(
        self,
        name: str,
        content: bytes,
        *,
        user: User | None = None,
        media_type: str = "",
        length: int | None = None,
        claimed_size: int | None = None,
        streamed: bool = False,
    ) -> File:
        """A file that somebody may share.

        Args:
            media_type: what Slack claims; from the name where empty.
            length: how many bytes a download gives; `content` is repeated.
            claimed_size: the size that Slack tells, where it is not the length.
            streamed: whether downloads come without a Content-Length.
        """
        file_id = self.workspace.ids.new("F")
        size = len(content) if length is None else length
        file = File(
            id=file_id,
            name=name,
            media_type=media_type or media_type_of(name),
            content=content,
            length=size,
            size=size if claimed_size is None else claimed_size,
            user=user.id if user else "",
            url=f"{self.workspace.base}/files-pri/{self.team}-{file_id}/{quote(name)}",
            streamed=streamed,
        )
        self.workspace.files[file_id] = file
        return file

    def assistant_thread(self, user: User) -> AssistantThread:
        """A new thread in the Assistant container, without its event; people begin one by `User.opens_assistant`."""
        more = {"assistant_app_thread": {"title": "", "title_blocks": [], "artifacts": []}}
        content = Content("New Assistant Thread", more=more)
        root = self.board.put_up(self.dm(user), content, subtype="assistant_app_thread")
        thread = AssistantThread(root.channel, root.ts, user.id)
        self.workspace.threads[(root.channel.id, root.ts)] = thread
        return thread

    # The road to the bot.

    def deliver_to(self, url: str, *, commands: str = "", interactivity: str = "") -> None:
        """Use HTTP mode: post events, commands and interactions to `url`, or the latter two to their own."""
        urls = RequestUrls(url, commands or url, interactivity or url)
        self._http = HttpRoad(self._session, urls, self.signing_secret, self.ack_seconds)
        self.dispatch.road = self._http

    async def verify_url(self) -> Attempt:
        """Do what Slack does when a request URL is entered: it must answer with the challenge."""
        payload = {"type": "url_verification", "token": "verification-token", "challenge": "a-challenge"}
        return await self.dispatch.road.carry(Delivery("events_api", payload))

    async def redeliver(self, delivery: Delivery, number: int = 1, reason: str = "http_timeout") -> Attempt:
        """Send something once more, as Slack does when it takes it for lost."""
        return await self.dispatch.deliver(delivery, Retry(number, reason))

    async def forge(self, how: Forgery, delivery: Delivery | None = None) -> Attempt:
        """Post a request that Slack never sent, in HTTP mode; without `delivery` a mention that the bot never saw.

        Raises:
            RuntimeError: Socket Mode knows no signatures.
        """
        if self._http is None:
            raise RuntimeError("There is nothing to forge in Socket Mode.")
        return await self._http.carry(delivery or self._unseen_mention(), forgery=how)

    async def act(self, delivery: Delivery, view: View | None = None) -> Delivery:
        """Send a command or an interaction and let its acknowledgement have its effect."""
        await self.dispatch.deliver(delivery)
        take_answer(self, delivery, view)
        return delivery

    async def unfurls(self, message: Message) -> list[Delivery]:
        """Let Slack unfold a link in a message: ``message_changed``, though nobody edited it."""
        previous = message.to_json()
        message.attachments = [{"id": 1, "title": "A page", "from_url": "https://example.com/"}]
        return await self.dispatch.event(
            events.changed(message, previous, self.workspace.ids.timestamp()), message.channel
        )

    async def send_event(self, event: Json) -> list[Delivery]:
        """Send an event of any kind, known or not, whether the app is subscribed to it or not."""
        delivery = Delivery("events_api", events.envelope(event, self.workspace))
        await self.dispatch.deliver(delivery)
        return [delivery]

    async def uninstall(self) -> list[Delivery]:
        """Take the app out of the workspace: two last events, and from then on the token is dead."""
        revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self.bot_user]}}
        sent = [await self.dispatch.event(event) for event in (revoked, {"type": "app_uninstalled"})]
        self.auth_error = "account_inactive"
        return [delivery for deliveries in sent for delivery in deliveries]

    async def say_goodbye(self, reason: Reason = "refresh_requested") -> None:
        """Tell the bot that its Socket Mode connections will be closed."""
        await self.socket.say_goodbye(reason)

    def drop_connections(self) -> int:
        """Cut all Socket Mode connections without a word; slack_sdk notices at its next ping."""
        return self.socket.drop()

    async def connected(self, connections: int = 1, within: float = 10.0) -> None:
        """Wait until the bot holds this many Socket Mode connections."""
        await self.until(lambda: len(self.socket.open_connections) >= connections, within, "a connection of the bot's")

    # What goes wrong.

    def rate_limit(self, method: str, retry_after: int = 1, times: int = 1) -> None:
        """Answer the next calls of a method (or of ``chat.*``, or of ``*``) with 429 and Retry-After."""
        self.faults.add(method, Fault(status=429, error="ratelimited", retry_after=retry_after, times=times))

    def limit(self, method: str, calls: int, seconds: float = 60.0) -> None:
        """Let a method be called so often in so many seconds, and answer the rest with 429."""
        self.faults.limits[method] = RateLimit(calls, seconds)

    def fail_next(self, method: str, times: int = 1, status: int = 500, error: str = "", **details: Any) -> None:
        """Let the next calls fail: with an HTTP status, or with an `error` of Slack's and status 200."""
        fault = Fault(0 if error else status, error or "internal_error", times=times, details=details)
        self.faults.add(method, fault)

    def slow(self, method: str, seconds: float, times: int = 1) -> None:
        """Let the next calls take their time."""
        self.faults.add(method, Fault(delay=seconds, times=times))

    def lose_answer(self, method: str, times: int = 1) -> None:
        """Do the next calls, but cut the line before the answer."""
        self.faults.add(method, Fault(loses_answer=True, times=times))

    def pass_time(self, seconds: float) -> None:
        """Let time pass for response_urls, trigger_ids and the edit window."""
        self.workspace.pass_time(seconds)

    # What happened.

    @property
    def calls(self) -> list[Call]:
        """Every call of the Web API (and every post to a response_url, as ``response_url``), in order."""
        return self._api.calls

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    @property
    def deliveries(self) -> list[Delivery]:
        """Everything that was sent to the bot, in order."""
        return self.dispatch.deliveries

    @property
    def acks(self) -> list[Delivery]:
        """What the bot acknowledged; each knows its `latency`."""
        return [delivery for delivery in self.deliveries if delivery.acknowledged]

    async def until(self, condition: Callable[[], _Found], within: float = 20.0, what: str = "it") -> _Found:
        """Wait until `condition` gives something true, and give that; it is looked at whenever something happens.

        Raises:
            TimeoutError: it did not `within` so many seconds.
        """
        return await self.workspace.until(condition, within, what)

    def forget(self) -> None:
        """Let go of calls, deliveries and messages, so that a long run measures the bot's memory and not this."""
        self.calls.clear()
        self.deliveries.clear()
        for channel in self.workspace.channels.values():
            channel.forget()

    async def settle(self) -> None:
        """Wait until the echoes and retries that are under way have arrived."""
        await self.dispatch.settle()

    def _unseen_mention(self) -> Delivery:
        nowhere = Channel(self.workspace.ids.new("C"), "forged", self.workspace)
        message = nowhere.draft(User("U0FORGER", "Forger", self), f"{self.mention} is this signed?")
        return Delivery("events_api", events.envelope(events.mentioned(message), self.workspace))

    async def _link(self, request: web.Request) -> web.StreamResponse:
        if self.faults.down:
            raise web.HTTPServiceUnavailable
        return await self.socket.serve(request, self.dispatch.connected)


async def serve_forever(port: int, announce: Callable[[LoopbackSlack], None]) -> None:
    """Run a loopback Slack until the process ends."""
    async with LoopbackSlack(port=port) as slack:
        announce(slack)
        await asyncio.Event().wait()
