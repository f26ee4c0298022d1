"""Fixtures of the doors' tests."""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from http_serving import PASSAGES, Serve, running_api


def _knowledge_in(folder: Path) -> Path:
    (folder / "knowledge").mkdir()
    (folder / "knowledge" / "physics.json").write_text(json.dumps(PASSAGES), encoding="utf-8")
    return folder


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Serve an API that answers from a few passages of physics, under the settings that a test names."""
    return partial(running_api, _knowledge_in(tmp_path))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """Give the client of an API that a module's tests share: none of them changes what another one sees."""
    async with running_api(_knowledge_in(tmp_path_factory.mktemp("shared"))) as served:
        yield served.api
