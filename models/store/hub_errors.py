"""Turns what Hugging Face's hub and the network answer into errors that say what to do."""

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import ModelError, ModelExtraError, ModelMissingError, ModelTooLargeError, ModelUnusableError
from models.store.hub_cache import hub_address

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WRONG_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105 - the hub's words


@contextmanager
def explained(name: str, revision: str, directory: Path) -> Iterator[None]:
    """Raise errors of ours in place of huggingface_hub's and the network's.

    Args:
        name: the model that is asked for.
        revision: the revision that is asked for; may be empty.
        directory: where files are written to.

    Raises:
        ModelMissingError: the hub does not have it, does not give it to us, or cannot be reached.
        ModelTooLargeError: the disk is full.
        ModelExtraError: huggingface_hub is not installed.
    """
    try:
        import httpx2
        from huggingface_hub.errors import LocalEntryNotFoundError
    except ImportError:
        raise ModelExtraError(
            "Models are downloaded with huggingface_hub, which is not installed.", "Run `make models`."
        ) from None
    try:
        yield
    except LocalEntryNotFoundError as error:
        # snapshot_download hides what happened behind "not in the cache, either"
        raise _explanation(error.__cause__ or error, name, revision, directory) from error
    except (OSError, httpx2.HTTPError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _explanation(error, name, revision, directory) from error


def _explanation(error: BaseException, name: str, revision: str, directory: Path) -> ModelError:
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, OfflineModeIsEnabled):
        return ModelMissingError(
            f"HF_HUB_OFFLINE is set, so {name} is not downloaded.",
            "Unset it, or carry the model over from another machine: a folder's path is as good as a name.",
        )
    if isinstance(error, GatedRepoError):
        return _gated(name)
    if isinstance(error, RepositoryNotFoundError):
        return _unknown(name)
    if isinstance(error, RevisionNotFoundError):
        return ModelMissingError(
            f"{name} has no revision {revision!r}.", f"Its branches and commits are on {hub()}/{name}/commits."
        )
    if isinstance(error, HfHubHTTPError):
        return _refused(error.response.status_code, error.response.headers.get("X-Error-Message", ""), name)
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return disk_full(name, directory)
    if isinstance(error, OSError) and error.filename:
        return ModelUnusableError(
            f"{name} cannot be stored: {error.filename}: {error.strerror}.",
            "Let this user write there, or set HF_HOME.",
        )
    return _out_of_reach(error, name)


def _gated(name: str) -> ModelError:
    page = f"{hub()}/{name}"
    if token_is_set():
        return ModelMissingError(
            f"{name} is gated, and your account has not been let in.",
            f"Signed in with the account whose token is in HF_TOKEN, accept the terms on {page}; some owners answer"
            " days later. A fine-grained token needs the right to read public gated repositories, too.",
        )
    return ModelMissingError(
        f"{name} is gated: its owner wants to know who takes it.",
        f"1. Sign in and accept the terms on {page}. 2. Make a token of the kind “read” on {hub()}/settings/tokens."
        " 3. Put it into the environment as HF_TOKEN, and pull again.",
    )


def _unknown(name: str) -> ModelError:
    hidden = (
        "your token (HF_TOKEN) does not open it" if token_is_set() else "it is private and wants a token in HF_TOKEN"
    )
    return ModelMissingError(f"There is no model {name} on {hub()}, or {hidden}.", "Look at its spelling.")


def _refused(status: int, said: str, name: str) -> ModelError:
    if status == 401 and said == _WRONG_TOKEN:
        return ModelMissingError(
            f"{hub()} does not take the token in HF_TOKEN: it is wrong, or has expired.",
            f"Make a new one on {hub()}/settings/tokens, or unset HF_TOKEN: public models need none.",
        )
    if status == 429:
        return ModelMissingError(
            f"{hub()} lets nobody ask so often.",
            "Wait some minutes and pull again; with a token in HF_TOKEN it gives more.",
        )
    if status == 407:
        return _proxy_refuses(name)
    if status >= 500:
        return ModelMissingError(
            f"{hub()} is out of order ({status}).", "Pull again later; it goes on where it stopped."
        )
    return ModelMissingError(f"{hub()} does not give {name} ({status}).", f"Look at {hub()}/{name}.")


def _proxy_refuses(name: str) -> ModelError:
    return ModelMissingError(
        f"The proxy does not let us to {hub()}, so {name} is not downloaded.", "Look at HTTPS_PROXY and NO_PROXY."
    )


def _out_of_reach(error: BaseException, name: str) -> ModelError:
    import httpx2
    from huggingface_hub.errors import FileMetadataError

    if isinstance(error, httpx2.ProxyError):
        return _proxy_refuses(name)
    if isinstance(error, httpx2.HTTPError):
        return ModelMissingError(
            f"{hub()} cannot be reached ({type(error).__name__}), so {name} is not downloaded.",
            "Look at the network, HTTPS_PROXY and HF_ENDPOINT; pulling again goes on where it stopped.",
        )
    if isinstance(error, OSError) and not isinstance(error, FileMetadataError):
        return ModelMissingError(f"The download of {name} broke off.", "Pull again: it goes on where it stopped.")
    return no_hub(name)


def no_hub(name: str) -> ModelError:
    """Say that something else stands in the hub's place."""
    return ModelMissingError(
        f"What {hub()} answers is not what a hub answers, so {name} is not downloaded.",
        "Look at HF_ENDPOINT, and whether a proxy or a sign-in page stands between.",
    )


def disk_full(name: str, directory: Path, needed: int = 0) -> ModelTooLargeError:
    """Say that a model does not fit on the disk, with what it needs (bytes, 0: unknown) and what is free."""
    from models.store.sizes import in_words

    wants = f"{in_words(needed)} more" if needed else "more room"
    return ModelTooLargeError(
        f"{name} needs {wants}, and {in_words(free_bytes(directory))} are free in {directory}.",
        "Make room (`preceptor models remove NAME`), or set HF_HOME to a larger disk.",
    )


def free_bytes(directory: Path) -> int:
    """Tell how many bytes are free where a directory lies or will lie."""
    there = next(parent for parent in (directory.absolute(), *directory.absolute().parents) if parent.exists())
    return shutil.disk_usage(there).free


def hub() -> str:
    """Give the hub's address, without what may stand in it of a user and a password."""
    scheme, _, rest = hub_address().partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def token_is_set() -> bool:
    """Tell whether a token goes along with what is asked."""
    from huggingface_hub import get_token

    return bool(get_token())
