"""The commands on people's data: find, export, forget, on somebody's behalf."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.access import operator
from bot.cli.output import AsJson, fail, print_json

if TYPE_CHECKING:
    from bot.audit import Audit
    from bot.database import Database
    from bot.settings import Settings

app = typer.Typer(help="Find, hand out and delete what is kept of people.", no_args_is_help=True)

PersonId = Annotated[str, typer.Argument(metavar="ID", help='As "discord:81384788765712384" or "slack:U012AB3CD".')]


def _settings() -> "Settings":
    from bot import logs
    from bot.settings import load

    settings = load().settings
    logs.set_up(settings.log)
    return settings


def _known(person_id: str) -> str:
    """Let the id of a person pass.

    Raises:
        QuestionError: it is none.
    """
    from bot.access_rules import known_person
    from bot.errors import QuestionError

    try:
        return known_person(person_id)
    except ValueError as error:
        raise QuestionError(f"{error}.", "`preceptor people find NAME` tells it.") from error


async def _kept(database: "Database", audit: "Audit", action: str, person_id: str) -> int:
    """Say how many conversations are kept of somebody of whom something is.

    Raises:
        ConversationNotFoundError: nothing is; the audit does not name them, or something would be from now on.
    """
    from bot.audit import Audit
    from bot.errors import ConversationNotFoundError
    from bot.forgetting import Forgetting

    count = await Forgetting(database, Audit.forget_statements).count(person_id)
    if count is None:
        await audit.note_of(operator(), "console", action, "", "failed")
        raise ConversationNotFoundError(
            f"Nothing is kept of {person_id}.", "`preceptor people find NAME` tells people's ids."
        )
    return count


@app.command()
def find(
    name: Annotated[str, typer.Argument(help="The name, or a part of it; left out, all people are listed.")] = "",
    as_json: AsJson = False,
) -> None:
    """List people of whom conversations are kept, by id and name."""
    import asyncio

    from sqlalchemy import select

    from bot.cli.opened_database import opened
    from bot.tables import people

    settings = _settings()

    async def _found() -> list[tuple[str, str]]:
        like = people.c.name.icontains(name, autoescape=True) | people.c.id.icontains(name, autoescape=True)
        query = select(people.c.id, people.c.name).where(like).order_by(people.c.name, people.c.id)
        async with opened(settings) as database:
            return [(row.id, row.name) for row in await database.read(lambda c: c.execute(query).all())]

    found = asyncio.run(_found())
    if as_json:
        print_json([{"id": person_id, "name": called} for person_id, called in found])
    else:
        sys.stdout.write("".join(f"{person_id}  {called}\n" for person_id, called in found))
    if not found:
        fail(f"Conversations are kept of nobody{' under that name' if name else ''}.", 1)


@app.command()
def export(
    person_id: PersonId,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; it must not exist.")] = None,
) -> None:
    """Give all that is kept of a person, as one JSON document."""
    import asyncio

    from bot.audit import Audit
    from bot.cli.opened_database import opened
    from bot.export import Export

    settings = _settings()
    _known(person_id)

    async def _exported() -> None:
        async with opened(settings) as database:
            audit = Audit(database, settings.access.audit_days)
            await _kept(database, audit, "export", person_id)
            async with audit.noting_of(operator(), "console", "export", person_id):
                reply = await Export(database).give_of(person_id, "")
                _hand_out(reply.files[0].text + "\n", output)

    asyncio.run(_exported())


def _hand_out(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    # What somebody told the bot is nobody else's on this machine.
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    sys.stderr.write(f"Written to {output}.\n")


@app.command()
def forget(
    person_id: PersonId,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask back.")] = False,
) -> None:
    """Delete all that is kept of a person, for good. It asks back first."""
    import asyncio

    from bot.audit import Audit
    from bot.cli.opened_database import opened
    from bot.forgetting import Forgetting
    from bot.knowledge_desk import counted

    settings = _settings()
    _known(person_id)

    async def _counted() -> int:
        async with opened(settings) as database:
            return await _kept(database, Audit(database, settings.access.audit_days), "forget", person_id)

    async def _forgotten() -> None:
        async with opened(settings) as database:
            audit = Audit(database, settings.access.audit_days)
            # Whom it is about is just what is to be forgotten.
            async with audit.noting_of(operator(), "console", "forget", ""):
                await Forgetting(database, Audit.forget_statements).person(person_id)

    kept = counted(asyncio.run(_counted()), "conversation")
    if not yes and not typer.confirm(f"Delete {kept} of {person_id}, and all else that is kept of them?"):
        sys.stdout.write("Nothing was deleted.\n")
        raise typer.Exit(1)
    asyncio.run(_forgotten())
    sys.stdout.write(f"{kept.capitalize()} of {person_id} deleted. Copies in backups are not: see docs/privacy.md.\n")
