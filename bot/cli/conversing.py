"""The commands that answer: run, chat, ask."""

from typing import Annotated

import typer

from bot.cli.output import AsJson, leave

_INTERRUPTED = 130
"""The exit status of a question that was stopped before its answer, as a shell gives it after Ctrl-C."""

Top = Annotated[int | None, typer.Option("--top", min=1, max=50, help="How many passages the answer may rest on.")]


def run() -> None:
    """Start every front door that is configured, and answer until stopped (Ctrl-C, SIGTERM)."""
    import asyncio
    import signal
    import sys

    # As long as nothing is open there is nothing to be closed; later it is `stopped_by_signals` that hears of it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from bot import logs
    from bot.application import Application, front_doors
    from bot.errors import SettingsError
    from bot.settings import load

    settings = load().settings
    logs.set_up(settings.log)
    names = front_doors(settings)
    if not names:
        need = " The web pages need the HTTP API, which is off." if settings.web.enabled else ""
        raise SettingsError(f"No front door is configured.{need}", "Set http.enabled to true.")

    async def _run() -> int:
        application = Application(settings)
        adapters = [application.adapter(name) for name in names]

        def _announce() -> None:
            # What a browser opens goes first: it is what a newcomer looks for.
            in_order = sorted(adapters, key=lambda adapter: not adapter.welcome.startswith("Open "))
            doors = [adapter.welcome for adapter in in_order if adapter.welcome]
            lines = (*doors, f"In another terminal: {sys.argv[0]} chat")
            sys.stdout.write("Preceptor is ready. " + "\n".join(lines) + "\n")
            sys.stdout.flush()

        return await application.run(adapters, _announce, stays=True)

    leave(asyncio.run(_run()))


def chat(
    once: Annotated[bool, typer.Option("--once", help="Leave after the first answer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Talk in the terminal; questions may also be piped in, one a line."""
    leave(_talk(once=once, as_json=as_json))


def ask(
    question: Annotated[str, typer.Argument(help='What you want to know, e.g. "What is Ohm\'s law?"')],
    as_json: AsJson = False,
    top: Top = None,
) -> None:
    """Ask one question. Exit status 0: answered; 3: nothing in the knowledge base answers it."""
    leave(_talk(question=question, as_json=as_json, passages=top))


def _talk(**options: object) -> int:
    import asyncio

    from bot import logs
    from bot.application import Application
    from bot.settings import load

    settings = load().settings
    quiet = settings.log.model_copy(update={"level": "warning"})
    logs.set_up(quiet if settings.log.level == "info" else settings.log)

    async def _run() -> int:
        application = Application(settings)
        interrupted = _INTERRUPTED if "question" in options else 0
        return await application.run([application.adapter("console", **options)], interrupted=interrupted)

    return asyncio.run(_run())


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line's top level."""
    for command in (run, chat, ask):
        app.command()(command)
