"""Which commands Discord knows of, and how seldom it is told."""

from pathlib import Path

from discord_lab import lab, running_lab
from structlog.testing import capture_logs

EVERYWHERE = "PUT /applications/*/commands"
SOMEWHERE = "PUT /applications/*/guilds/*/commands"


async def test_commands_are_registered_only_when_they_changed(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        async with opened.running():
            await opened.discord.calm()
        assert len(opened.discord.requests_to(EVERYWHERE)) == 1
        async with opened.running():
            await opened.discord.calm()
        assert len(opened.discord.requests_to(EVERYWHERE)) == 1


async def test_every_reconnect_leaves_the_commands_alone(tmp_path: Path) -> None:
    async with running_lab(tmp_path) as opened:
        await opened.discord.drop_connection()
        await opened.discord.connected()
        await opened.discord.calm()
        assert len(opened.discord.requests_to(EVERYWHERE)) == 1


async def test_a_registration_that_fails_is_tried_at_the_next_start(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        await opened.ada.says(opened.general, "a bystander")
        opened.discord.fail_next(route=EVERYWHERE, status=503)
        async with opened.started():
            await opened.discord.until(lambda: bool(opened.discord.requests_to(EVERYWHERE)))
            await opened.discord.calm()
            assert not opened.discord.commands()
        async with opened.started():
            await opened.discord.until(lambda: bool(opened.discord.commands()))


async def test_development_servers_get_the_commands_for_themselves(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        servers = (str(opened.guild.id),)
        opened.set(development_servers=servers)
        async with opened.running():
            await opened.discord.calm()
            assert {command["name"] for command in opened.discord.commands(opened.guild)} > {"ask", "Answer this"}
            assert not opened.discord.commands()
        assert len(opened.discord.requests_to(SOMEWHERE)) == 1


async def test_what_is_no_servers_id_is_told_and_keeps_no_other_server_from_its_commands(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        opened.set(development_servers=("my server", str(opened.guild.id)))
        with capture_logs() as logged:
            async with opened.running():
                pass
        assert [line["scope"] for line in logged if line["event"] == "commands not registered"] == ["my server"]


async def test_a_server_that_is_unknown_keeps_nobody_from_asking(tmp_path: Path) -> None:
    async with lab(tmp_path) as opened:
        opened.set(development_servers=("123",))
        async with opened.started():
            assert "8 in the morning" in (await opened.ask()).content
