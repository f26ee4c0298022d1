"""The reports of evaluations and trainings that lie under the data directory: listed, and found by name."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from bot.errors import NotFoundError
from bot.messages import IncomingMessage, Reply
from models.store.model_store import ModelStore, Task

_PAGES = ("report.html", "README.md")
"""What a folder with a report has one of."""

_FIGURES = ("report.json", "evaluation.json", "training.json")

_EVALUATION = "evaluation"

_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A folder with a report.

    Attributes:
        kind: "evaluation", or what the model that was trained is for: "answers", "diagnosis", "images", "captions".
        name: the folder's.
        at: when its page was written (UTC).
        files: what is shown of it: the page, figures, plots.
    """

    kind: str
    folder: Path
    at: datetime
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder's name: of the evaluation, or of the model."""
        return self.folder.name

    @property
    def id(self) -> str:
        """One word for it, unique."""
        return f"{self.kind}-{self.name}"


class Reports:
    """The commands ``reports`` and ``report``.

    Args:
        directory: where evaluations put theirs (``data/reports``).
        models: where trained models lie, each with its report.
    """

    def __init__(self, directory: Path, models: Path) -> None:
        self._directory = directory
        self._models = models

    async def tell(self, message: IncomingMessage) -> Reply:
        """List them, newest first."""
        found = await asyncio.to_thread(self.listed)
        documents = [
            {"id": one.id, "kind": one.kind, "name": one.name, "at": one.at.isoformat(), "files": list(one.files)}
            for one in found
        ]
        lines = "\n".join(f"- `{one.id}`" for one in found) or "There are no reports."
        return Reply(lines, ephemeral=True, data={"reports": documents})

    async def find(self, message: IncomingMessage) -> Reply:
        """Give where a file of a report lies, for the text ``ID/FILE``, and its media type.

        Raises:
            NotFoundError: no such file is listed.
        """
        wanted, _, name = message.text.partition("/")
        found = await asyncio.to_thread(self.listed)
        # Only what was listed is opened: nothing of the text becomes a part of a path.
        listed = ((report.folder / file, file) for report in found if report.id == wanted for file in report.files)
        for path, file in listed:
            if file == name:
                return Reply("", ephemeral=True, data={"path": str(path), "media_type": _MEDIA[path.suffix]})
        raise NotFoundError("There is no such report.", "`GET /v1/reports` lists them, with their files.")

    def listed(self) -> list[Report]:
        """List what there is, newest first. Blocking."""
        return sorted(self._found(), key=lambda report: (report.at, report.id), reverse=True)

    def _found(self) -> Iterator[Report]:
        places = [(_EVALUATION, folder) for folder in self._directory.glob("*")]
        places += [(folder.parent.name, folder) for folder in ModelStore(self._models).trained()]
        for kind, folder in places:
            files = _files(folder) if kind in (_EVALUATION, *get_args(Task)) and _is_plain(folder) else ()
            pages = [file for file in (*_PAGES, *_FIGURES) if file in files]
            if pages:
                written = (folder / pages[0]).stat().st_mtime
                yield Report(kind, folder, datetime.fromtimestamp(written, UTC), files)


def _is_plain(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not folder.name.startswith(".")


def _files(folder: Path) -> tuple[str, ...]:
    """Name what is shown of a folder: of a model, not what it computes with. A link may lead anywhere: none is."""
    shown = (file for file in folder.iterdir() if file.name in (*_PAGES, *_FIGURES) or file.suffix == ".png")
    return tuple(sorted(file.name for file in shown if file.is_file() and not file.is_symlink()))
