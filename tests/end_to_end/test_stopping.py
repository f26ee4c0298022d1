"""A stop at any moment of the start is a clean one."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

RUN = """
import os, signal, sys

class StoppedMeanwhile:
    def find_spec(self, name, path=None, target=None):
        if name == "sqlalchemy":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, StoppedMeanwhile())
sys.argv = ["preceptor", "run"]
from bot.cli import main
main()
"""
"""`preceptor run`, which is told to stop when it begins to load what takes a while."""


def test_a_stop_before_it_is_ready_is_clean(environment: Callable[..., None], handbook: Path, tmp_path: Path) -> None:
    environment(
        PRECEPTOR_DATA_DIRECTORY=str(tmp_path / "data"),
        PRECEPTOR_KNOWLEDGE__SOURCES=f'["{handbook}"]',
        PRECEPTOR_HTTP__PORT="0",
        PYTHONPATH=str(Path(__file__).parents[2]),
    )
    ended = subprocess.run([sys.executable, "-c", RUN], capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0
    assert ended.stdout + ended.stderr == b""
