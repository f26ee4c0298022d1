"""Every Web API method that the loopback knows, with the scopes that it asks for."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import (
    assistant_methods,
    chat_methods,
    conversation_methods,
    directory_methods,
    file_methods,
    stream_methods,
    view_methods,
)
from .wire import ApiError, Call, Json

if TYPE_CHECKING:
    from .slack import LoopbackSlack

Handler = Callable[["LoopbackSlack", Call], Awaitable[Json]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what it does and its scopes, of which one is enough."""

    handler: Handler
    scopes: tuple[str, ...] = ()

    def check(self, granted: set[str]) -> None:
        """Check the scopes.

        Raises:
            ApiError: ``missing_scope`` with ``needed`` and ``provided``.
        """
        if self.scopes and not granted.intersection(self.scopes):
            raise ApiError("missing_scope", needed=self.scopes[0], provided=",".join(sorted(granted)))


METHODS: Mapping[str, Method] = {
    "apps.connections.open": Method(directory_methods.open_connection),
    "apps.manifest.export": Method(directory_methods.export_manifest),
    "assistant.threads.setStatus": Method(assistant_methods.set_status, ("chat:write", "assistant:write")),
    "assistant.threads.setSuggestedPrompts": Method(assistant_methods.set_prompts, ("assistant:write",)),
    "assistant.threads.setTitle": Method(assistant_methods.set_title, ("assistant:write",)),
    "api.test": Method(directory_methods.test_api),
    "auth.test": Method(directory_methods.test_auth),
    "bots.info": Method(directory_methods.bot_info, ("users:read",)),
    "chat.appendStream": Method(stream_methods.append, ("chat:write",)),
    "chat.delete": Method(chat_methods.delete, ("chat:write",)),
    "chat.getPermalink": Method(chat_methods.permalink),
    "chat.postEphemeral": Method(chat_methods.post_ephemeral, ("chat:write",)),
    "chat.postMessage": Method(chat_methods.post_message, ("chat:write",)),
    "chat.startStream": Method(stream_methods.start, ("chat:write",)),
    "chat.stopStream": Method(stream_methods.stop, ("chat:write",)),
    "chat.update": Method(chat_methods.update, ("chat:write",)),
    "conversations.history": Method(conversation_methods.history),
    "conversations.info": Method(conversation_methods.info),
    "conversations.join": Method(conversation_methods.join, ("channels:join",)),
    "conversations.list": Method(conversation_methods.list_all),
    "conversations.members": Method(conversation_methods.members),
    "conversations.open": Method(conversation_methods.open_direct, ("im:write", "mpim:write")),
    "conversations.replies": Method(conversation_methods.replies),
    "files.completeUploadExternal": Method(file_methods.complete_upload, ("files:write",)),
    "files.getUploadURLExternal": Method(file_methods.upload_url, ("files:write",)),
    "files.info": Method(file_methods.info, ("files:read",)),
    "reactions.add": Method(chat_methods.add_reaction, ("reactions:write",)),
    "reactions.remove": Method(chat_methods.remove_reaction, ("reactions:write",)),
    "team.info": Method(directory_methods.team_info, ("team:read",)),
    "usergroups.list": Method(directory_methods.groups, ("usergroups:read",)),
    "usergroups.users.list": Method(directory_methods.group_members, ("usergroups:read",)),
    "users.conversations": Method(conversation_methods.list_own),
    "users.info": Method(directory_methods.user_info, ("users:read",)),
    "users.list": Method(directory_methods.users, ("users:read",)),
    "views.open": Method(view_methods.open_modal),
    "views.publish": Method(view_methods.publish),
    "views.push": Method(view_methods.push),
    "views.update": Method(view_methods.update),
}
