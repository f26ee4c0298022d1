"""The API does what its own description says, whatever is sent: Schemathesis asks, over HTTP."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from http_serving import Serve

_ADMIN, _USER = "an-admin-key-of-tests", "a-user-key-of-tests"
_UNLIMITED = dict.fromkeys(("person_per_minute", "channel_per_minute", "workspace_per_minute", "person_at_once"), 0)

_NOT_SAID_BY_A_SCHEMA = "positive_data_acceptance"
"""What fits the schema may still be no question: an empty one, a name nobody has, a deletion nobody confirmed."""

_NOT_SAID_IN_A_ROW = f"{_NOT_SAID_BY_A_SCHEMA},negative_data_rejection"
"""A form that repeats a field is, by itself, a good one; Schemathesis calls it wrong where it follows a wrong one."""

_LONG = ("--phases", "examples,coverage,fuzzing")
_IN_A_ROW = ("--phases", "stateful", "--mode", "positive", "--exclude-checks", _NOT_SAID_IN_A_ROW)
"""One request after another, each with what the one before gave; those that are wrong by themselves are in `_LONG`."""

_REFUSALS = "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 413, 415, 422, 429]\n"
"""413 is a refusal as well: what is too long for its field may be too large a body altogether."""


async def _schemathesis(address: str, folder: Path, *options: str, key: str = "") -> None:
    """Run Schemathesis against an API; what it finds fails the test, in its words."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
        *("--seed", "7", "--generation-deterministic", "--suppress-health-check", "all", "--no-color"),
        *("--exclude-checks", _NOT_SAID_BY_A_SCHEMA, "--continue-on-failure", "--request-timeout", "30"),
        *(("--header", f"Authorization: Bearer {key}") if key else ()),
        *options,
    ]
    (folder / "schemathesis.toml").write_text(_REFUSALS, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()


async def test_every_answer_is_one_that_the_description_tells_of(serve: Serve, tmp_path: Path) -> None:
    async with serve(limits=_UNLIMITED) as served:
        await _schemathesis(served.adapter.address, tmp_path, "--phases", "examples,coverage", "--mode", "positive")


async def test_so_it_is_where_keys_are_asked_for(serve: Serve, tmp_path: Path) -> None:
    async with serve(limits=_UNLIMITED, http={"admin_keys": (_ADMIN,), "user_keys": (_USER,)}) as served:
        options = ("--phases", "fuzzing", "--max-examples", "2")
        await _schemathesis(served.adapter.address, tmp_path, *options, key=_ADMIN)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("key", ["", _USER, _ADMIN], ids=["without keys", "user", "admin"])
async def test_so_it_is_in_a_long_run(serve: Serve, tmp_path: Path, key: str) -> None:
    keys = {"admin_keys": (_ADMIN,), "user_keys": (_USER,)} if key else {}
    async with serve(limits=_UNLIMITED, http=keys) as served:
        await _schemathesis(served.adapter.address, tmp_path, *_LONG, "--max-examples", "60", key=key)
        await _schemathesis(served.adapter.address, tmp_path, *_IN_A_ROW, "--max-examples", "60", key=key)
