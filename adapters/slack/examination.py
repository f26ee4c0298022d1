"""Examines the Slack set-up: tokens, scopes, Socket Mode, events, clock; nothing is posted."""

import os
import re
from collections.abc import AsyncIterator
from typing import Any

from adapters.slack import exposure
from adapters.slack.manifest import BOT_EVENTS, bot_scopes
from bot.examination import Examined, Finding
from bot.examination.clock import of_date
from bot.examination.rest import AddressError, Response, Rest, UnreachableError, connected
from bot.settings import Settings
from bot.settings.tree import SlackSettings

CONFIGURATION_TOKEN_VARIABLE = "SLACK_CONFIGURATION_TOKEN"  # noqa: S105 - a name
"""Names an app configuration token, which alone can read what the app is subscribed to. Slack lets it live 12 hours,
so it is no setting."""

_TOKEN, _SCOPES, _CLOCK = "slack: bot token", "slack: scopes", "slack: clock"
_APP_TOKEN, _EVENTS = "slack: app token", "slack: events"
_BOT_SHAPE = re.compile(r"xoxb-[\w-]+", re.ASCII)
_APP_SHAPE = re.compile(r"xapp-\d-(?P<app>A\w+)-[\w-]+", re.ASCII)
_SECRET_SHAPE = re.compile(r"[0-9a-f]{32}")

_REINSTALL = (
    "At api.slack.com/apps, open the app › OAuth & Permissions, (re)install it and set slack.bot_token to the Bot User"
    " OAuth Token, which begins with xoxb-."
)
_GENERATE = (
    "At api.slack.com/apps, open the app › Basic Information › App-Level Tokens, generate one with the scope"
    " connections:write and set slack.app_token to it; it begins with xapp-."
)


async def examine(examined: Examined) -> AsyncIterator[Finding]:
    """Ask Slack what it thinks of the settings."""
    settings: Settings = examined.settings
    ours = settings.slack
    try:
        async with connected(ours.base_url, ours.proxy, environment=True) as rest:
            async for finding in _of_bot_token(rest, settings):
                yield finding
            yield await _of_app_token(rest, ours) if ours.mode == "socket" else _of_http_mode(settings)
            if exposure.is_exposed(settings):
                yield Finding("slack: keys of the HTTP API", "warning", exposure.DANGER, exposure.FIX)
            yield await _of_events(rest, ours)
    except AddressError as error:
        yield Finding("slack: address", "failed", f"slack.base_url and slack.proxy: {error.sentence}", error.fix)


async def _of_bot_token(rest: Rest, settings: Settings) -> AsyncIterator[Finding]:
    token = settings.slack.bot_token.get_secret_value()
    if not _BOT_SHAPE.fullmatch(token):
        yield Finding(_TOKEN, "failed", "slack.bot_token has not the shape of a bot token.", _REINSTALL)
        yield Finding(_SCOPES, "unknown", "They could not be checked: they are the bot token's.")
        return
    try:
        answer = await rest.ask("POST", "auth.test", f"Bearer {token}")
    except UnreachableError as error:
        yield Finding(_TOKEN, "unknown", error.sentence, error.fix)
        for name in (_SCOPES, _CLOCK):
            yield Finding(name, "unknown", error.sentence)
        return
    yield _of_identity(answer)
    yield _of_scopes(answer, bot_scopes(settings))
    yield of_date(_CLOCK, answer.headers.get("date", ""))


def _of_identity(answer: Response) -> Finding:
    said = answer.document
    if said.get("ok"):
        who = f"{said.get('user')} ({said.get('user_id')})"
        return Finding(_TOKEN, "ok", f"Slack knows it: {who} in {said.get('team')} ({said.get('team_id')}).")
    return _refused(_TOKEN, answer, _REINSTALL)


def _refused(name: str, answer: Response, fix: str) -> Finding:
    """Tell what Slack has against a token; where the answer says nothing of the token, it stays unknown."""
    error = str(answer.document.get("error", ""))
    if (
        answer.status >= 500
        or answer.status == 429
        or error in {"ratelimited", "internal_error", "service_unavailable"}
    ):
        said = f"It could not be checked: Slack answers with {error or answer.status}."
        return Finding(name, "unknown", said, "Run `preceptor doctor` again in a minute.")
    if not error:
        said = f"What answers at slack.base_url is not Slack's Web API (status {answer.status})."
        return Finding(name, "failed", said, "Set slack.base_url to https://slack.com/api/, or to your gateway.")
    return Finding(name, "failed", f"Slack refuses it: {error}.", fix)


def _of_scopes(answer: Response, needed: tuple[str, ...]) -> Finding:
    header = answer.headers.get("x-oauth-scopes")
    if header is None or not answer.document.get("ok"):
        return Finding(_SCOPES, "unknown", "They could not be checked: Slack's answer does not name them.")
    granted = {scope.strip() for scope in header.split(",")} - {""}
    missing = [scope for scope in needed if scope not in granted]
    if missing:
        return Finding(
            _SCOPES,
            "failed",
            f"Missing: {', '.join(missing)}.",
            "Add them under OAuth & Permissions › Bot Token Scopes, or paste the output of `preceptor slack manifest`"
            " under App Manifest; then reinstall the app to the workspace.",
        )
    more = sorted(granted - set(needed))
    beyond = f" It also has {', '.join(more)}, which Preceptor does not use." if more else ""
    return Finding(_SCOPES, "ok", f"All {len(needed)} that are needed are there.{beyond}")


async def _of_app_token(rest: Rest, ours: SlackSettings) -> Finding:
    token = ours.app_token.get_secret_value()
    if not _APP_SHAPE.fullmatch(token):
        return Finding(_APP_TOKEN, "failed", "slack.app_token has not the shape of an app-level token.", _GENERATE)
    try:
        answer = await rest.ask("POST", "apps.connections.open", f"Bearer {token}")
    except UnreachableError as error:
        return Finding(_APP_TOKEN, "unknown", error.sentence, error.fix)
    if answer.document.get("ok"):
        return Finding(_APP_TOKEN, "ok", "Slack gives it a Socket Mode connection.")
    if answer.document.get("error") == "link_disabled":
        fix = "At api.slack.com/apps, open the app › Socket Mode and switch it on, or set slack.mode to http."
        return Finding(_APP_TOKEN, "failed", "Socket Mode is switched off for this app (link_disabled).", fix)
    return _refused(_APP_TOKEN, answer, _GENERATE)


def _of_http_mode(settings: Settings) -> Finding:
    name = "slack: HTTP mode"
    if not settings.http.enabled:
        fix = "Set http.enabled to true, or slack.mode to socket."
        return Finding(name, "failed", "Slack is to call the HTTP API, and that is switched off.", fix)
    if not _SECRET_SHAPE.fullmatch(settings.slack.signing_secret.get_secret_value()):
        return Finding(
            name,
            "warning",
            "slack.signing_secret is not of the usual shape, 32 hexadecimal digits.",
            "At api.slack.com/apps, open the app › Basic Information and set it to the Signing Secret.",
        )
    return Finding(
        name,
        "unknown",
        "Whether Slack reaches /slack/events from outside, and whether the signing secret is right, cannot be seen"
        " from here.",
        "At api.slack.com/apps, open the app › Event Subscriptions and press Retry beside the Request URL.",
    )


async def _of_events(rest: Rest, ours: SlackSettings) -> Finding:
    token = os.environ.get(CONFIGURATION_TOKEN_VARIABLE, "")
    app = _APP_SHAPE.fullmatch(ours.app_token.get_secret_value())
    if not token or not app:
        return Finding(
            _EVENTS,
            "unknown",
            "Slack does not let a bot read which events it is subscribed to.",
            "Compare Event Subscriptions with `preceptor slack manifest`; or make a configuration token at"
            f" api.slack.com/apps, give it as {CONFIGURATION_TOKEN_VARIABLE} with slack.app_token set, and ask again.",
        )
    try:
        answer = await rest.ask("POST", "apps.manifest.export", f"Bearer {token}", app_id=app["app"])
    except UnreachableError as error:
        return Finding(_EVENTS, "unknown", error.sentence, error.fix)
    if not answer.document.get("ok"):
        fix = (
            f"Make a new one at api.slack.com/apps › Your App Configuration Tokens for {CONFIGURATION_TOKEN_VARIABLE}."
        )
        return Finding(_EVENTS, "unknown", _refused(_EVENTS, answer, "").meaning, fix)
    return _of_manifest(answer.document.get("manifest"))


def _of_manifest(exported: Any) -> Finding:  # noqa: ANN401 - JSON as it comes
    try:
        subscribed = exported["settings"]["event_subscriptions"]["bot_events"]
    except (KeyError, TypeError):
        subscribed = []
    missing = [event for event in BOT_EVENTS if event not in subscribed]
    if not missing:
        return Finding(_EVENTS, "ok", f"The app is subscribed to all {len(BOT_EVENTS)} that are needed.")
    return Finding(
        _EVENTS,
        "failed",
        f"Not subscribed: {', '.join(missing)}.",
        "Add them under Event Subscriptions › Subscribe to bot events, or paste the output of"
        " `preceptor slack manifest` under App Manifest; then reinstall the app.",
    )
