"""Hugging Face's cache as it lies on the disk: which models and commits it holds, without a library and a network.

Layout, from huggingface_hub's "Understand caching": ``models--OWNER--NAME/`` with ``refs/BRANCH`` (a commit),
``snapshots/COMMIT/FILE`` (links into) ``blobs/ETAG``, where the entity tag is a file's SHA-256 (large files) or its
git SHA-1; ``trees/COMMIT.json`` lists what the commit holds on the hub, ``blobs/*.incomplete`` broke off.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?", re.ASCII)
REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,199}", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")

_PREFIX = "models--"
_SHORTEST_COMMIT = 7


@dataclass(frozen=True, slots=True)
class CachedModel:
    """One model's folder in the cache; nothing says that it holds all of the model.

    Attributes:
        name: OWNER/NAME, or NAME for the hub's oldest.
        folder: the model's folder in the cache.
    """

    name: str
    folder: Path

    @property
    def commits(self) -> tuple[str, ...]:
        """The commits of which files are here, the latest to arrive first."""
        snapshots = self.folder / "snapshots"
        if not snapshots.is_dir():
            return ()
        found = [snapshot for snapshot in snapshots.iterdir() if COMMIT.fullmatch(snapshot.name)]
        return tuple(snapshot.name for snapshot in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True))

    def commit_of(self, revision: str) -> str:
        """Give the commit of a branch, a tag or a commit's beginning; empty where it is not here.

        Without a revision it is the one of ``main``, or the only one there is.
        """
        if revision and not is_revision(revision):
            return ""
        reference = self.folder / "refs" / (revision or "main")
        if reference.is_file():
            return reference.read_text(encoding="ascii", errors="replace").strip()
        commits = self.commits
        if revision:
            begun = [commit for commit in commits if len(revision) >= _SHORTEST_COMMIT and commit.startswith(revision)]
            return begun[0] if len(begun) == 1 else ""
        return commits[0] if len(commits) == 1 else ""

    def snapshot(self, commit: str) -> Path:
        """Give the folder with a commit's files."""
        return self.folder / "snapshots" / commit

    def point(self, revision: str, commit: str) -> None:
        """Let a branch or tag mean a commit from now on; one move, never half a file.

        Raises:
            OSError: it cannot be written.
        """
        reference = self.folder / "refs" / revision
        reference.parent.mkdir(parents=True, exist_ok=True)
        written = reference.with_name(f"{reference.name}.{os.getpid()}.tmp")
        written.write_text(commit, encoding="ascii")
        written.replace(reference)


def cache_directory() -> Path:
    """Tell where the cache lies, absolute, by the environment variables that huggingface_hub reads."""
    home = os.environ.get("HF_HOME") or os.environ.get("XDG_CACHE_HOME", "~/.cache") + "/huggingface"
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(named)).expanduser().absolute()


def hub_address() -> str:
    """Tell where the hub is, by the environment variable that huggingface_hub reads."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def is_hub_name(name: str) -> bool:
    """Tell whether a model on the hub can have this name."""
    return bool(HUB_NAME.fullmatch(name)) and "--" not in name and ".." not in name


def is_revision(revision: str) -> bool:
    """Tell whether a branch, a tag or a commit can have this name; none leads out of its folder."""
    return bool(REVISION.fullmatch(revision)) and ".." not in revision


def cached_model(name: str) -> CachedModel:
    """Give a model's place in the cache, whether or not it is there."""
    return CachedModel(name, cache_directory() / (_PREFIX + name.replace("/", "--")))


def cached_models() -> list[CachedModel]:
    """Give every model in the cache of which any file is here, by name."""
    directory = cache_directory()
    if not directory.is_dir():
        return []
    folders = [folder for folder in directory.glob(f"{_PREFIX}*") if _holds_files(folder)]
    models = [CachedModel(folder.name.removeprefix(_PREFIX).replace("--", "/"), folder) for folder in folders]
    return sorted(models, key=lambda model: model.name.lower())


def _holds_files(folder: Path) -> bool:
    return any(next((folder / part).glob("*"), None) is not None for part in ("snapshots", "blobs"))


def recorded_checksums(folder: Path) -> dict[str, str]:
    """Give the checksums that were recorded when a model's files arrived, by their path in `folder`.

    Read from a snapshot's links, from the listing of its commit, and from what huggingface_hub keeps beside files that
    it put into a plain folder (``.cache/huggingface/download/FILE.metadata``: commit, entity tag, time).

    Returns:
        64 hexadecimal digits are a SHA-256, 40 are git's SHA-1; files without a record are left out.
    """
    if COMMIT.fullmatch(folder.name) and folder.parent.name == "snapshots":
        return _listed(folder.parents[1] / "trees" / f"{folder.name}.json") | _linked(folder)
    return _beside(folder / ".cache" / "huggingface" / "download")


def _linked(snapshot: Path) -> dict[str, str]:
    links = [file for file in snapshot.rglob("*") if file.is_symlink()]
    return {file.relative_to(snapshot).as_posix(): file.readlink().name for file in links}


def _listed(tree: Path) -> dict[str, str]:
    try:
        files = json.loads(tree.read_bytes())["files"]
        return {path: entry.get("lfs_sha256") or entry["blob_id"] for path, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _beside(records: Path) -> dict[str, str]:
    checksums = {}
    for record in sorted(records.rglob("*.metadata")):
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(lines) >= 2:
            checksums[record.relative_to(records).as_posix().removesuffix(".metadata")] = lines[1].strip()
    return checksums
