"""Brings single files from the hub into huggingface_hub's cache, going on where an earlier download was interrupted.

Large files are fetched here and not by `snapshot_download`, which in version 2.4 throws away what it has of a file when
it is interrupted. A partial file bears the name under which versions before 1.0 kept theirs.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from models.errors import ModelUnusableError
from models.store.checksums import Advanced, checksum
from models.store.hub_cache import CachedModel, cache_directory, hub_address


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file on the hub: its path, its size in bytes and its SHA-256 (64 digits) or git SHA-1 (40)."""

    path: str
    size: int
    checksum: str

    @property
    def large(self) -> bool:
        """Whether the hub keeps it apart from git."""
        return len(self.checksum) == 64


def is_here(path: Path, file: HubFile, advanced: Advanced = lambda _: None) -> bool:
    """Tell whether a file lies at a path and is right; one that is not is deleted, with what it links to."""
    if not path.is_file():
        return False
    if path.stat().st_size == file.size and checksum(path, len(file.checksum), advanced) == file.checksum:
        return True
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    return False


def bytes_here(model: CachedModel, file: HubFile) -> int:
    """Tell how much of a large file has arrived already."""
    arrived = [path.stat().st_size for path in (_blob(model, file), _partial(model, file)) if path.is_file()]
    return min(max(arrived, default=0), file.size) if file.large else 0


def arrived_damaged(name: str, file: HubFile) -> ModelUnusableError:
    """Say that a file is not what the hub says it is."""
    return ModelUnusableError(
        f"{name} arrived damaged: {file.path} has not the checksum that the hub states.",
        f"Run `preceptor models pull {name}` again.",
    )


def link(model: CachedModel, commit: str, paths: list[str]) -> None:
    """Have huggingface_hub put files into a commit's snapshot; it fetches those that are not in the cache.

    Raises:
        OSError: as `snapshot_download`; httpx2.HTTPError: likewise.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        snapshot_download(
            model.name,
            revision=commit,
            cache_dir=cache_directory(),
            endpoint=hub_address(),
            allow_patterns=paths,
            max_workers=4,
        )
    finally:
        if shown:
            enable_progress_bars()


def fetch_large(model: CachedModel, commit: str, file: HubFile, advanced: Advanced) -> None:
    """Fetch a large file into the cache's blobs, from the byte on that is missing, and verify it.

    Raises:
        ModelUnusableError: it arrived damaged; it is deleted.
        OSError: as `http_get`; httpx2.HTTPError: likewise. What has arrived stays.
    """
    from filelock import FileLock

    blob, partial = _blob(model, file), _partial(model, file)
    lock = cache_directory() / ".locks" / model.folder.name / f"{file.checksum}.lock"
    for folder in (blob.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):  # huggingface_hub's own, so that two downloads never write one file
        if is_here(blob, file):
            return
        if partial.is_file() and partial.stat().st_size > file.size:
            partial.unlink()
        _get(model.name, commit, file, partial, advanced)
        if not is_here(partial, file):
            raise arrived_damaged(model.name, file)
        partial.replace(blob)


def _get(name: str, commit: str, file: HubFile, partial: Path, advanced: Advanced) -> None:
    from huggingface_hub import get_token, hf_hub_url
    from huggingface_hub.file_download import http_get

    if "HF_HUB_VERBOSITY" not in os.environ:
        # It warns whenever it goes on after a break, which is its business alone
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    token = get_token()
    with partial.open("ab") as stream:
        http_get(
            hf_hub_url(name, file.path, revision=commit, endpoint=hub_address()),
            stream,
            resume_size=stream.tell(),
            headers={"authorization": f"Bearer {token}"} if token else {},
            expected_size=file.size,
            tqdm_class=_bar(advanced),
        )


def _blob(model: CachedModel, file: HubFile) -> Path:
    return model.folder / "blobs" / file.checksum


def _partial(model: CachedModel, file: HubFile) -> Path:
    return model.folder / "blobs" / f"{file.checksum}.incomplete"


def _bar(advanced: Advanced) -> Any:  # noqa: ANN401 - what stands in for tqdm's class
    """Make what huggingface_hub takes for a progress bar's class, and have it tell us."""

    class Bar:
        def __init__(self, **_: object) -> None:
            """What the bar would look like is not ours to say."""

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """There is nothing to close."""

        def update(self, size: float | None = 1) -> None:
            advanced(int(size or 0))

    return Bar
