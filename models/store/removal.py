"""Removes models from this machine, with what was made of them."""

import shutil
from pathlib import Path

from models.errors import ModelExtraError, ModelMissingError, ModelUnusableError
from models.generation.engines.conversion import conversions_of
from models.store.hub_cache import cache_directory, cached_model, is_hub_name
from models.store.inventory import size_of
from models.store.model_store import ModelStore, folder_named


def folders_of(store: ModelStore, name: str) -> list[Path]:
    """Give the folders that make up a model, to be deleted with it: its files, unfinished training, conversions.

    Raises:
        ModelMissingError: it is not here.
        ModelUnusableError: it is a folder of somebody's own.
    """
    trained, model = store.trained(name), cached_model(name)
    if trained:
        unfinished = [folder.parent / ".training" / name for folder in trained]
        return [*trained, *_existing(unfinished), *_conversions(store, trained)]
    if is_hub_name(name) and model.folder.is_dir():
        return [model.folder, *_conversions(store, [model.snapshot(commit) for commit in model.commits])]
    if folder_named(name):
        raise ModelUnusableError(f"{name} is a folder of your own.", "Delete it yourself.")
    raise ModelMissingError(f"There is no model {name!r} on this machine.", "`preceptor models list` says what is.")


def _existing(folders: list[Path]) -> list[Path]:
    return [folder for folder in folders if folder.is_dir()]


def _conversions(store: ModelStore, folders: list[Path]) -> list[Path]:
    return [conversion for folder in folders for conversion in conversions_of(folder, store.converted)]


def remove(store: ModelStore, name: str) -> int:
    """Delete a model that was trained here or pulled, all its revisions; give the bytes that are free for it.

    Raises:
        ModelMissingError: it is not here.
        ModelUnusableError: it is a folder of somebody's own, or cannot be deleted.
        ModelExtraError: it is in the cache, and the library that owns the cache is not installed.
    """
    folders = folders_of(store, name)
    freed = sum(size_of(folder) for folder in folders)
    try:
        for folder in folders:
            if folder.parent == cache_directory():
                _remove_cached(folder)
            else:
                shutil.rmtree(folder)
    except OSError as error:
        raise ModelUnusableError(
            f"{name} cannot be deleted: {error.filename}: {error.strerror}.", "Let this user write there."
        ) from error
    return freed


def _remove_cached(folder: Path) -> None:
    """Have huggingface_hub delete it, as it may share files with other models; then what that could not delete."""
    try:
        from huggingface_hub import DeleteCacheStrategy
    except ImportError:
        raise ModelExtraError(
            "What was pulled is removed with huggingface_hub, which is not installed.", "Run `make models`."
        ) from None
    nothing: frozenset[Path] = frozenset()
    DeleteCacheStrategy(
        expected_freed_size=0,
        blobs=nothing,
        refs=nothing,
        repos=frozenset({folder}),
        snapshots=nothing,
        cache_dir=cache_directory(),
    ).execute()
    shutil.rmtree(cache_directory() / ".locks" / folder.name, ignore_errors=True)
    if folder.is_dir():
        shutil.rmtree(folder)
