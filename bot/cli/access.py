"""The commands on access: who may do what, by word of whoever runs this machine; and the audit of admin commands."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, TypeVar

import typer

from bot.cli.output import AsJson, fail, print_json, print_markdown

if TYPE_CHECKING:
    from bot.access import Access
    from bot.audit import Audit
    from bot.database import Database

app = typer.Typer(help="See and change who may do what, and where.", no_args_is_help=True)

Result = TypeVar("Result")

_PLACE = "console"

_PAIRING = ("discord", "slack")
"""The platforms on which people write to the bot directly."""

Who = Annotated[list[str], typer.Argument(help="everyone, paired, discord:ID, discord:role:ID, slack:group:ID …")]
Where = Annotated[
    list[str] | None, typer.Option("--in", help="discord/SERVER/CHANNEL, slack/TEAM, direct …; left out: everywhere.")
]
What = Annotated[list[str] | None, typer.Option("--to", help="ask, diagnose, stats …; left out: everything.")]
Number = Annotated[int, typer.Argument(help="The rule's number, as `preceptor access show` gives it.")]
Platform = Annotated[str, typer.Option(help="discord or slack; left out: either.")]
Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="UTC.")]


def _on_database(work: "Callable[[Database, Access, Audit], Awaitable[Result]]") -> Result:
    """Run `work` on the database, also while Preceptor runs: it takes up what changed within two seconds."""
    from bot.access import Access
    from bot.audit import Audit
    from bot.cli.opened_database import opened
    from bot.settings import load

    settings = load().settings

    async def _run() -> Result:
        async with opened(settings) as database:
            audit = Audit(database, settings.access.audit_days)
            return await work(database, Access(settings.access, database), audit)

    return asyncio.run(_run())


def operator() -> str:
    """Name who runs this machine, as the audit keeps them, and as they are called in the terminal."""
    import getpass
    import os

    from bot.question_text import clean

    try:
        return f"{_PLACE}:{clean(getpass.getuser())}"
    except (KeyError, OSError):
        return f"{_PLACE}:{os.getuid()}"


async def _noted(audit: "Audit", argument: str, work: Callable[[], Awaitable[Result]]) -> Result:
    """Do what the audit then has as done, or as failed: where it gives False, or raises."""
    from bot.messages import Reply

    async with audit.noting_of(operator(), _PLACE, "access", argument) as replies:
        result = await work()
        if result is False:
            replies.append(Reply("", outcome="failed"))
    return result


def _refuse(argument: str, sentence: str) -> NoReturn:
    """Say that words mean nothing, and leave; the audit has that, too."""
    _on_database(lambda _, access, audit: audit.note_of(operator(), _PLACE, "access", argument, "refused"))
    fail(sentence, 2)


@app.command()
def show(as_json: AsJson = False) -> None:
    """List the rules, those of the settings first; deny wins, and a place that an allow rule names is closed."""
    from bot.access_store import in_words, unreadable_in_words

    policy = _on_database(lambda database, access, audit: access.rules.policy())
    if as_json:
        documents: list[dict[str, object]] = [
            {"number": rule.number, "rule": rule.in_words, "by": rule.by} for rule in policy.rules
        ]
        print_json(documents + [{"number": number, "unreadable": True} for number in policy.unreadable])
        return
    lines = [unreadable_in_words(number) for number in policy.unreadable] + [in_words(rule) for rule in policy.rules]
    print_markdown("\n".join(f"- {line}" for line in lines) or "No rule: everybody may, everywhere.")


@app.command()
def allow(who: Who, where: Where = None, what: What = None) -> None:
    """Let some do something somewhere; whom no rule names there may not, from then on."""
    _add("allow", who, where or [""], what or [""])


@app.command()
def deny(who: Who, where: Where = None, what: What = None) -> None:
    """Keep some from doing something somewhere, whatever allows it."""
    _add("deny", who, where or [""], what or [""])


def _add(effect: Literal["allow", "deny"], who: list[str], where: list[str], what: list[str]) -> None:
    from bot.access_rules import checked
    from bot.access_store import in_words

    try:
        rules = [checked(effect, *words) for words in product(who, where, what)]
    except ValueError as error:
        _refuse(f"{effect} {', '.join(who)} in {', '.join(where)} to {', '.join(what)}", f"{error}.")
    argument = "; ".join(rule.in_words for rule in rules)
    added = _on_database(lambda _, access, audit: _noted(audit, argument, lambda: access.rules.add(rules, operator())))
    print_markdown("\n".join(f"- {in_words(rule)}" for rule in added))


@app.command()
def remove(number: Number) -> None:
    """Take a rule back."""
    if not _on_database(
        lambda _, access, audit: _noted(audit, f"remove {number}", lambda: access.rules.remove(number))
    ):
        fail(f"There is no rule {number}. `preceptor access show` lists them; the settings' have no number.", 1)
    sys.stdout.write(f"Rule {number} no longer holds.\n")


@app.command()
def pair(platform: Platform = "") -> None:
    """Make a code with which one person may write to the bot directly, within ten minutes."""
    from bot.pairing import Pairing

    if platform and platform not in _PAIRING:
        _refuse(
            f"pair {platform}",
            f"Nobody pairs on {platform!r}; write {' or '.join(_PAIRING)}, or leave it out for either.",
        )
    code = _on_database(
        lambda database, access, audit: _noted(
            audit, f"pair {platform}", lambda: Pairing(database, access).new_code(platform, operator())
        )
    )
    sys.stdout.write(f"{code.text}, until {code.expires_at:%H:%M} UTC. They write to the bot: pair {code.text}\n")


@app.command()
def unpair(person: Annotated[str, typer.Argument(help="As discord:ID or slack:ID.")]) -> None:
    """Undo a pairing."""
    from bot.pairing import Pairing

    if not _on_database(
        lambda database, access, audit: _noted(
            audit, f"unpair {person}", lambda: Pairing(database, access).unpair(person)
        )
    ):
        fail(f"{person} has not paired.", 1)
    sys.stdout.write(f"{person} is no longer paired.\n")


def audit(as_json: AsJson = False, since: Since = None) -> None:
    """List who used which admin command, where and when; newest first."""
    from bot import audit as records

    after = since.replace(tzinfo=UTC) if since else None
    most = 1_000_000 if since else 20
    entries = _on_database(lambda database, access, audit: audit.entries(most, after))
    if as_json:
        print_json(records.document(entries))
    else:
        print_markdown(records.in_words(entries, after))
