"""`preceptor doctor` as an operator meets it, on set-ups broken on purpose; and the commands that set platforms up."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.loopback_discord import LoopbackDiscord, Permission
from tests.adapters.loopback_slack import LoopbackSlack

PRECEPTOR = str(Path(sys.executable).with_name("preceptor"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("PRECEPTOR_", "SLACK_"))}


@dataclass(frozen=True, slots=True)
class Done:
    """How a process ended, and what it said."""

    status: int
    out: str
    errors: str

    @property
    def findings(self) -> dict[str, dict[str, str]]:
        return {finding["name"]: finding for finding in json.loads(self.out)["findings"]}

    def named(self, verdict: str) -> list[str]:
        return [name for name, finding in self.findings.items() if finding["verdict"] == verdict]


async def _preceptor(folder: Path, *arguments: str, **variables: str) -> Done:
    process = await asyncio.create_subprocess_exec(
        PRECEPTOR, *arguments, cwd=folder, env=ENVIRONMENT | variables, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(40):
        out, errors = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), errors.decode())


def _write_settings(folder: Path, toml: str) -> None:
    (folder / "preceptor.toml").write_text(toml, encoding="utf-8")


async def test_a_misspelt_setting_and_a_data_folder_that_cannot_be_written_are_both_named(tmp_path: Path) -> None:
    _write_settings(tmp_path, 'data_directory = "/proc/preceptor"\n[http]\nport = 0\n[answers]\nthreshhold = 0.5\n')
    done = await _preceptor(tmp_path, "doctor", "--json")
    assert (done.status, done.errors) == (1, "")
    assert done.named("failed") == ["settings", "data folder"]
    assert json.loads(done.out)["failed"] == 2
    assert "answers.threshhold is no setting" in done.findings["settings"]["meaning"]
    assert done.findings["settings"]["fix"] == "Did you mean answers.threshold?"
    assert "/proc cannot be written" in done.findings["data folder"]["meaning"]


async def test_a_slack_token_without_its_scopes_and_a_revoked_one_are_named(tmp_path: Path) -> None:
    async with LoopbackSlack() as slack:
        _write_settings(
            tmp_path,
            f'[http]\nport = 0\n[slack]\nenabled = true\nbase_url = "{slack.base_url}"\n'
            f'bot_token = "{slack.bot_token}"\napp_token = "{slack.app_token}"\n',
        )
        slack.scopes.difference_update({"app_mentions:read", "im:history"})
        lacking = await _preceptor(tmp_path, "doctor", "--json")
        slack.auth_error = "token_revoked"
        revoked = await _preceptor(tmp_path, "doctor", "--json")
        assert not any(secret in lacking.out + revoked.out for secret in (slack.bot_token, slack.app_token))
    assert (lacking.status, lacking.named("failed")) == (1, ["slack: scopes"])
    assert lacking.findings["slack: scopes"]["meaning"] == "Missing: app_mentions:read, im:history."
    assert (revoked.status, revoked.named("failed")) == (1, ["slack: bot token", "slack: app token"])
    assert revoked.named("unknown") == ["slack: scopes", "slack: events"]
    assert "token_revoked" in revoked.findings["slack: bot token"]["meaning"]


async def test_a_discord_intent_and_a_permission_that_are_not_granted_are_named(tmp_path: Path) -> None:
    async with LoopbackDiscord() as discord:
        guild = discord.guild("Lab")
        channel = guild.channel("questions", deny={guild.everyone: Permission.CREATE_PUBLIC_THREADS})
        _write_settings(
            tmp_path,
            f'[http]\nport = 0\n[discord]\nenabled = true\nbase_url = "{discord.rest_url}"\ntoken = "{discord.token}"\n'
            f'message_content = true\nthread_channels = ["{channel.id}"]\n',
        )
        done = await _preceptor(tmp_path, "doctor", "--json")
        assert discord.token not in done.out
    permissions = f"discord: permissions in #questions ({channel.id})"
    assert (done.status, done.named("failed")) == (1, ["discord: message content", permissions])
    assert "4014" in done.findings["discord: message content"]["meaning"]
    assert done.findings[permissions]["meaning"] == "Missing: Create Public Threads."


async def test_a_set_up_in_order_exits_0_in_plain_lines_that_fit_a_terminal(tmp_path: Path) -> None:
    done = await _preceptor(tmp_path, "doctor", PRECEPTOR_HTTP__PORT="0")
    assert (done.status, done.errors) == (0, "")
    assert "✓ knowledge base: 1 file to read" in done.out
    assert "\x1b" not in done.out
    # A path is never broken: it is there to be copied.
    assert all(len(line) <= 80 or str(tmp_path) in line for line in done.out.splitlines())
    assert done.out.splitlines()[-1].startswith("0 failed, 0 to look at, 0 could not be checked, ")
    assert list(tmp_path.iterdir()) == []


async def test_offline_it_says_what_could_not_be_checked_and_that_is_no_failure(tmp_path: Path) -> None:
    async with LoopbackSlack() as slack:
        variables = {"BOT_TOKEN": slack.bot_token, "APP_TOKEN": slack.app_token, "BASE_URL": slack.base_url}
    settings = {f"PRECEPTOR_SLACK__{name}": value for name, value in variables.items()}
    done = await _preceptor(tmp_path, "doctor", PRECEPTOR_SLACK__ENABLED="true", PRECEPTOR_HTTP__PORT="0", **settings)
    assert done.status == 0
    assert "? slack: bot token: It could not be checked: no connection to 127.0.0.1" in " ".join(done.out.split())


async def test_the_manifest_is_printed_for_the_settings_at_hand(tmp_path: Path) -> None:
    done = await _preceptor(tmp_path, "slack", "manifest")
    manifest: dict[str, Any] = json.loads(done.out)
    assert manifest["settings"]["socket_mode_enabled"] is True
    over_http = await _preceptor(
        tmp_path, "slack", "manifest", "--url", "https://bot.example.org", PRECEPTOR_SLACK__MODE="http"
    )
    address = json.loads(over_http.out)["settings"]["event_subscriptions"]["request_url"]
    assert address == "https://bot.example.org/slack/events"
    without = await _preceptor(tmp_path, "slack", "manifest", PRECEPTOR_SLACK__MODE="http")
    assert without.status == 1
    assert "--url" in without.errors


async def test_the_invitation_asks_for_the_least_permissions_and_explains_them(tmp_path: Path) -> None:
    done = await _preceptor(tmp_path, "discord", "invite", "--application-id", "123")
    address = "https://discord.com/oauth2/authorize?client_id=123&scope=bot+applications.commands&permissions="
    assert done.out == f"{address}274878008320\n"
    explained = await _preceptor(
        tmp_path,
        "discord",
        "invite",
        "--explain",
        PRECEPTOR_DISCORD__THREAD_CHANNELS="*",
        PRECEPTOR_DISCORD__TOKEN=TOKEN,
    )
    lines = explained.out.splitlines()
    assert lines[0].startswith("https://discord.com/oauth2/authorize?client_id=1000000000000000000&")
    assert "Create Public Threads: to open a thread for a question (discord.thread_channels)" in lines
    nobody = await _preceptor(tmp_path, "discord", "invite")
    assert nobody.status == 1
    assert "--application-id" in nobody.errors


TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMA.Loopbk.0123456789abcdefghijklmnopqrstuvwxyzAB"


@pytest.mark.parametrize("command", [["doctor"], ["slack"], ["slack", "manifest"], ["discord"], ["discord", "invite"]])
async def test_every_command_teaches(tmp_path: Path, command: list[str]) -> None:
    done = await _preceptor(tmp_path, *command, "--help")
    assert done.status == 0
    assert f"Usage: preceptor {' '.join(command)}" in done.out
