"""Downloads models from Hugging Face's hub: what it would take is told first, what arrives is verified by checksum.

The files go into huggingface_hub's own cache, so that transformers finds them and other programs share them.
"""

import fnmatch
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import ModelUnusableError
from models.store.checkpoints import Checkpoint, judge_config, judged
from models.store.checksums import Advanced
from models.store.hub_cache import (
    COMMIT,
    CachedModel,
    cache_directory,
    cached_model,
    hub_address,
    is_hub_name,
    is_revision,
)
from models.store.hub_errors import disk_full, explained, free_bytes, no_hub
from models.store.hub_transfer import HubFile, arrived_damaged, bytes_here, fetch_large, is_here, link
from models.store.weight_files import INDEX, SINGLE, refused_weights

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo

_SMALL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "*.spm",
    "chat_template.*",
    "additional_chat_templates/*.jinja",
    "*processor_config.json",
    "modules.json",
    "*sentence*_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    "README.md",
    "LICENSE*",
    INDEX,
)
_SHARDS = "model-*-of-*.safetensors"
_TIMEOUT = 15.0
_MEND = "Run `preceptor models pull {}` again."


@dataclass(frozen=True, slots=True)
class Offer:
    """What pulling a model would bring.

    Attributes:
        name: the model's name on the hub.
        revision: the branch, tag or commit that was asked for.
        commit: the commit that it means now.
        licence: as its page states; empty where it does not.
        gated: whether its owner wants the terms accepted first.
        files: what would be here in the end, and nothing else.
        missing: those of them that are not here yet, or are damaged.
        unfinished: bytes of them that are here already.
    """

    name: str
    revision: str
    commit: str
    licence: str
    gated: bool
    files: tuple[HubFile, ...]
    missing: tuple[HubFile, ...]
    unfinished: int

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def to_fetch(self) -> int:
        """Bytes that have to come over the network."""
        return sum(file.size for file in self.missing) - self.unfinished


def offer(name: str, revision: str = "", advanced: Advanced = lambda _: None) -> Offer:
    """Ask the hub what a model consists of; what is here of it already is verified, and damaged files are deleted.

    Args:
        name: the model's name on the hub.
        revision: a branch, tag or commit; empty is ``main``.
        advanced: told of bytes that are read to verify them.

    Raises:
        ModelMissingError: the hub does not have it, does not give it to us, or cannot be reached.
        ModelUnusableError: its weights are only a pickle, or it has none.
        ModelTooLargeError: it does not fit on the disk.
        ModelExtraError: huggingface_hub is not installed.
    """
    if not is_hub_name(name) or (revision and not is_revision(revision)):
        raise ModelUnusableError(
            f"No model and no revision can be called {name!r} {revision!r}.".replace(" ''", ""),
            "A model's name is OWNER/NAME, as on its page.",
        )
    with explained(name, revision, cache_directory()):
        from huggingface_hub import HfApi

        info = HfApi(endpoint=hub_address()).model_info(
            name, revision=revision or None, files_metadata=True, timeout=_TIMEOUT
        )
    commit = str(info.sha)
    if not COMMIT.fullmatch(commit):  # it becomes a folder's name, in which damaged files are deleted
        raise no_hub(name)
    files, model = _wanted(name, info), cached_model(name)
    missing = tuple(file for file in files if not is_here(model.snapshot(commit) / file.path, file, advanced))
    card = info.card_data
    offered = Offer(
        name=name,
        revision=revision or "main",
        commit=commit,
        licence=str((card.get("license_name") or card.get("license") or "") if card else ""),
        gated=bool(info.gated),
        files=files,
        missing=missing,
        unfinished=sum(bytes_here(model, file) for file in missing),
    )
    if offered.to_fetch > free_bytes(cache_directory()):
        raise disk_full(name, cache_directory(), offered.to_fetch)
    return offered


def fetch(offered: Offer, advanced: Advanced = lambda _: None) -> Checkpoint:
    """Download what an offer lacks, verify it, and let the revision mean its commit from then on.

    Until all is here and right, a model that was pulled before stays as it is. Interrupted, it goes on another time.

    Args:
        offered: what `offer` gave.
        advanced: told of bytes that arrive; their sum is `offered.to_fetch`.

    Raises:
        ModelMissingError: the hub does not give it to us, or cannot be reached any more.
        ModelUnusableError: it is no model that can be loaded safely, or arrived damaged.
        ModelTooLargeError: the disk is full.
    """
    model = cached_model(offered.name)
    with explained(offered.name, offered.revision, cache_directory()):
        from huggingface_hub.constants import MAX_HTTP_DOWNLOAD_SIZE

        small = [file for file in offered.missing if not file.large]
        huge = [file for file in offered.missing if file.size > MAX_HTTP_DOWNLOAD_SIZE]
        link(model, offered.commit, [file.path for file in offered.files if not file.large])
        _verify(offered, small)
        advanced(sum(file.size for file in small))
        _refuse_unsafe(offered, model)
        for file in offered.missing:
            if file.large and file not in huge:
                fetch_large(model, offered.commit, file, advanced)
        link(model, offered.commit, [file.path for file in offered.files])
        _verify(offered, huge)
        found = judged(model.snapshot(offered.commit), offered.name, offered.commit, _MEND.format(offered.name))
        if offered.revision != offered.commit:
            model.point(offered.revision, offered.commit)
    return found


def _wanted(name: str, info: "ModelInfo") -> tuple[HubFile, ...]:
    """Choose among a repository's files those that are loaded."""
    siblings = info.siblings or []
    refusal = refused_weights(name, [sibling.rfilename for sibling in siblings])
    if refusal is not None:
        raise refusal
    names = {sibling.rfilename for sibling in siblings}
    patterns = (*_SMALL_FILES, SINGLE if SINGLE in names else _SHARDS)
    wanted = {path for path in names if any(_matches(path, pattern) for pattern in patterns)}
    if not any(path.endswith(".safetensors") for path in wanted):
        raise ModelUnusableError(
            f"{name} has no weights on the hub that are loaded here ({SINGLE}).", "Take another model."
        )
    if SINGLE in names:
        wanted.discard(INDEX)
    return tuple(
        HubFile(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else str(one.blob_id))
        for one in siblings
        if one.rfilename in wanted
    )


def _matches(path: str, pattern: str) -> bool:
    return path.count("/") == pattern.count("/") and fnmatch.fnmatchcase(path, pattern)


def _verify(offered: Offer, files: list[HubFile]) -> None:
    snapshot = cached_model(offered.name).snapshot(offered.commit)
    damaged = [file for file in files if not is_here(snapshot / file.path, file)]
    if damaged:
        raise arrived_damaged(offered.name, damaged[0])


def _refuse_unsafe(offered: Offer, model: CachedModel) -> None:
    """Judge by the config before the weights are fetched; of a model that is refused nothing stays here."""
    try:
        judge_config(model.snapshot(offered.commit), offered.name, "Take another model.")
    except ModelUnusableError:
        if model.commits == (offered.commit,):
            shutil.rmtree(model.folder)
        raise
