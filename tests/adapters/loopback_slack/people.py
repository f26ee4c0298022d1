"""The people of the workspace and what they do: each act reaches the bot as Slack would tell it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import events, interactions
from .board import remove
from .deliveries import Delivery
from .messages import Message, rich_text
from .wire import Json

if TYPE_CHECKING:
    from .channels import Channel
    from .files import File
    from .slack import LoopbackSlack
    from .views import View


@dataclass(slots=True, eq=False)
class AssistantThread:
    """A thread in the Assistant container: `prompts` and `titles` are what the bot gave it."""

    channel: "Channel"
    ts: str
    user: str
    prompts: list[Json] = field(default_factory=list)
    prompts_title: str = ""
    titles: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.titles[-1] if self.titles else ""

    @property
    def status(self) -> str:
        """What stands under it now while the bot works, empty for nothing."""
        return self.channel.workspace.status(self.channel.id, self.ts)


@dataclass(slots=True, eq=False, repr=False)
class User:
    """Somebody in the workspace; `bot_id` makes it another app's bot."""

    id: str
    name: str
    slack: "LoopbackSlack"
    admin: bool = False
    owner: bool = False
    restricted: bool = False
    deleted: bool = False
    bot_id: str = ""

    def __repr__(self) -> str:
        return f"<user {self.name} {self.id}>"

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    @property
    def home(self) -> "View | None":
        """The App Home that the bot published for them, or None."""
        return self.slack.workspace.homes.get(self.id)

    @property
    def modals(self) -> "list[View]":
        """The modals that lie open before them, the topmost last."""
        views = self.slack.workspace.views.values()
        return [view for view in views if view.user == self.id and view.type == "modal" and not view.closed]

    def sees(self, channel: "Channel") -> list[Message]:
        """What stands in a channel for them: without what was deleted and what is for others' eyes."""
        return [m for m in channel.messages if not m.deleted and m.ephemeral_for in ("", self.id)]

    async def says(
        self,
        channel: "Channel",
        text: str,
        *,
        thread: str | Message = "",
        files: "Iterable[File | tuple[str, bytes]]" = (),
        broadcast: bool = False,
    ) -> Message:
        """Write a message; ``<@BOT>`` in the text is the bot's mention. Its `deliveries` are what the bot got."""
        message = channel.draft(self, text, thread)
        message.files = [file if not isinstance(file, tuple) else self.slack.file(*file, user=self) for file in files]
        message.broadcast = broadcast
        for file in message.files:
            file.channels.append(channel.id)
        channel.add(message)
        message.deliveries += await self.slack.dispatch.message(message)
        return message

    async def edits(self, message: Message, text: str) -> None:
        """Change a message: ``message_changed``, and ``app_mention`` once more where it mentions the bot."""
        previous = message.to_json()
        said = text.replace("<@BOT>", f"<@{self.slack.bot_user}>")
        at = self.slack.workspace.ids.timestamp()
        message.says(said, rich_text(said, self.slack.workspace.ids.new("B")))
        message.edited_by, message.edited_ts = self.id, f"{at.split('.')[0]}.000000"
        dispatch = self.slack.dispatch
        message.deliveries += await dispatch.event(events.changed(message, previous, at), message.channel)
        message.deliveries += await dispatch.message(message, edited=True)

    async def deletes(self, message: Message) -> None:
        """Take a message away: ``message_deleted``, or a tombstone's ``message_changed`` where it has replies."""
        for event in remove(message, message.to_json(), self.slack.workspace.ids.timestamp()):
            message.deliveries += await self.slack.dispatch.event(event, message.channel)

    async def reacts(self, message: Message, name: str) -> list[Delivery]:
        """Add a reaction (``white_check_mark``)."""
        message.reactions.setdefault(name, []).append(self.id)
        return await self._reaction(message, name, added=True)

    async def takes_back(self, message: Message, name: str) -> list[Delivery]:
        """Take a reaction back."""
        message.reactions[name].remove(self.id)
        return await self._reaction(message, name, added=False)

    async def commands(self, channel: "Channel", command: str, text: str = "") -> Delivery:
        """Use a slash command."""
        response_url = self.slack.workspace.response_url(self.id, channel)
        form = interactions.command(self, channel, command, text, response_url)
        return await self.slack.act(Delivery("slash_commands", form, response_url=response_url))

    async def presses(self, target: "Message | View", button: str) -> Delivery:
        """Press a button of a message or a view, named by its label, its action_id or its value.

        Raises:
            LookupError: there is no such button, or the message is not for their eyes.
        """
        found = next((shown for shown in target.buttons if shown.matches(button)), None)
        if found is None:
            raise LookupError(f"No button {button!r} among {[shown.label for shown in target.buttons]}.")
        if not isinstance(target, Message):
            payload = interactions.button_in_view(self, target, found, self.slack.workspace)
            return await self.slack.act(Delivery("interactive", payload))
        if target.ephemeral_for not in ("", self.id) or target.deleted:
            raise LookupError(f"{self.name} does not see that message.")
        response_url = self._response_url(target)
        payload = interactions.button_in_message(self, target, found, response_url)
        return await self.slack.act(Delivery("interactive", payload, response_url=response_url))

    async def uses_shortcut(self, message: Message, callback_id: str) -> Delivery:
        """Use a shortcut from a message's menu."""
        response_url = self._response_url(message)
        payload = interactions.message_shortcut(self, message, callback_id, response_url)
        return await self.slack.act(Delivery("interactive", payload, response_url=response_url))

    async def uses_global_shortcut(self, callback_id: str) -> Delivery:
        """Use a shortcut that belongs to no message."""
        payload = interactions.global_shortcut(self, callback_id, self.slack.workspace)
        return await self.slack.act(Delivery("interactive", payload))

    async def submits(self, view: "View", values: dict[str, Any] | None = None) -> Delivery:
        """Submit a modal; `values` by the action_id of each input. What is wrong with them is in ``view.errors``."""
        payload = interactions.submission(self, view, values or {}, self.slack.workspace)
        return await self.slack.act(Delivery("interactive", payload), view)

    async def closes(self, view: "View") -> Delivery | None:
        """Close a modal; the bot hears of it where the view says so (``notify_on_close``)."""
        view.closed = True
        self.slack.workspace.changed()
        if not view.content.get("notify_on_close"):
            return None
        return await self.slack.act(Delivery("interactive", interactions.closing(self, view, self.slack.workspace)))

    async def invites_bot(self, channel: "Channel") -> list[Delivery]:
        """Bring the bot into a channel: ``member_joined_channel`` with the bot as the one who joined."""
        channel.bot_is_member = True
        at = self.slack.workspace.ids.timestamp()
        kind = "C" if channel.kind == "channel" else "G"
        event = events.joined(self.slack.bot_user, channel.id, kind, self.slack.team, at) | {"inviter": self.id}
        return await self.slack.dispatch.event(event, channel)

    async def opens_home(self, tab: str = "home") -> list[Delivery]:
        """Open the App Home."""
        at, channel = self.slack.workspace.ids.timestamp(), self.slack.dm(self)
        view = self.home.to_json() if self.home else None
        return await self.slack.dispatch.event(events.home_opened(self.id, channel.id, tab, view, at))

    async def opens_assistant(self, viewing: "Channel | None" = None) -> AssistantThread:
        """Open the Assistant container, which begins a thread; `viewing` is the channel behind it."""
        thread = self.slack.assistant_thread(self)
        await self._assistant("assistant_thread_started", thread, viewing)
        return thread

    async def views(self, thread: AssistantThread, channel: "Channel") -> list[Delivery]:
        """Go to another channel while the Assistant container is open."""
        return await self._assistant("assistant_thread_context_changed", thread, channel)

    def to_json(self) -> Json:
        """The person as users.info gives it."""
        flags = {
            "is_admin": self.admin or self.owner,
            "is_owner": self.owner,
            "is_primary_owner": False,
            "is_restricted": self.restricted,
            "is_bot": bool(self.bot_id),
            "deleted": self.deleted,
        }
        profile = {"display_name": self.name, "real_name": self.name} | ({"bot_id": self.bot_id} if self.bot_id else {})
        names = {"name": self.name.lower(), "real_name": self.name, "profile": profile, "tz": "Etc/UTC"}
        return {"id": self.id, "team_id": self.slack.team} | names | flags

    async def _assistant(self, kind: str, thread: AssistantThread, viewing: "Channel | None") -> list[Delivery]:
        context = {"channel_id": viewing.id, "team_id": self.slack.team, "enterprise_id": None} if viewing else {}
        at = self.slack.workspace.ids.timestamp()
        event = events.assistant(kind, self.id, thread.channel.id, thread.ts, context, at)
        return await self.slack.dispatch.event(event, thread.channel)

    async def _reaction(self, message: Message, name: str, *, added: bool) -> list[Delivery]:
        at = self.slack.workspace.ids.timestamp()
        event = events.reacted(message, self.id, name, at, added=added)
        return await self.slack.dispatch.event(event, message.channel)

    def _response_url(self, message: Message) -> str:
        thread_ts = message.thread_ts
        return self.slack.workspace.response_url(self.id, message.channel, message.ts, thread_ts)


@dataclass(slots=True, eq=False)
class UserGroup:
    """A user group (``@support``)."""

    id: str
    handle: str
    users: list[User]

    @property
    def mention(self) -> str:
        return f"<!subteam^{self.id}>"

    def to_json(self) -> Json:
        return {"id": self.id, "handle": self.handle, "name": self.handle, "users": [user.id for user in self.users]}
