"""The command `preceptor web`."""

import typer

app = typer.Typer()


@app.command()
def web() -> None:
    """Serve the web pages."""
