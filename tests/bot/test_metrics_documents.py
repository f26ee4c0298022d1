"""The dashboard, the alerts and the page of metrics name what there is, and the page names all of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from bot.application import Application

DOCS = Path(__file__).parents[2] / "docs"

_NAME = re.compile(r"\b(?:preceptor|process|python)_\w+")
_SELECTED = re.compile(r"((?:preceptor|process|python)_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
_WRITTEN = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
_EVERYWHERE = {"job", "instance", "le"}
"""Labels that Prometheus adds, and that of a histogram's buckets."""


@pytest.fixture
async def labels(application: Application) -> dict[str, set[str]]:
    """The labels of each series that there can be, by its name."""
    return {name: set(metric_labels) for name, metric_labels in _series(application)}


def _series(application: Application) -> Iterator[tuple[str, tuple[str, ...]]]:
    known = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: metric
        for metric in application.metrics.registry.collect()
    }
    for name, metric in known.items():
        found = _labels_of(application, metric)
        yield name, found
        if metric.type == "histogram":
            yield from ((f"{name}_{part}", found) for part in ("bucket", "sum", "count"))


def _labels_of(application: Application, metric: Metric) -> tuple[str, ...]:
    # A family without a sample yet knows its labels all the same.
    collector = application.metrics.registry._names_to_collectors.get(metric.name)
    declared = getattr(collector, "_labelnames", ())
    of_samples = {label for sample in metric.samples for label in sample.labels}
    return (*declared, *of_samples, *_LIVE.get(metric.name, ()))


_LIVE = {
    "preceptor_adapter_up": ("adapter",),
    "preceptor_generator_circuit": ("generator", "state"),
    "preceptor_queue_messages": ("state",),
}


async def _names(application: Application) -> set[str]:
    text, _ = await application.metrics.exposition("")
    return set(re.findall(r"^# TYPE (\w+)", text.decode(), re.MULTILINE))


def _check(expression: str, texts: str, labels: dict[str, set[str]]) -> None:
    used = [name for name in _NAME.findall(expression) if not name.endswith("_")]
    # What Prometheus itself tells of the job that docs/metrics.md sets up.
    assert used or 'up{job="preceptor"}' in expression, expression
    known: set[str] = set(_EVERYWHERE)
    for name, selected in _SELECTED.findall(expression):
        assert name in labels, name
        known |= labels[name]
        assert set(_LABEL.findall(selected)) <= labels[name] | _EVERYWHERE, expression
    for group in _GROUPED.findall(expression):
        assert {label.strip() for label in group.split(",")} <= known, expression
    assert set(_WRITTEN.findall(texts)) <= known, texts


async def test_every_panel_of_the_dashboard_shows_what_there_is(
    application: Application, labels: dict[str, set[str]]
) -> None:
    dashboard = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    labels |= {"preceptor_queue_messages": {"state"}, **_waiting()}
    panels: list[dict[str, Any]] = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len(panels) > 20
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            _check(target["expr"], target["legendFormat"], labels)


async def test_panels_do_not_lie_on_each_other() -> None:
    dashboard = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
    cells: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        own = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not own & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        cells |= own
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


async def test_every_alert_watches_what_there_is_and_says_what_to_do(labels: dict[str, set[str]]) -> None:
    labels |= _waiting()
    groups = yaml.safe_load((DOCS / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    for rule in rules:
        assert rule["labels"]["severity"] in ("page", "warn")
        _check(rule["expr"], " ".join(rule["annotations"].values()), labels)
        assert rule["annotations"]["action"]
        assert f"`{rule['alert']}`" in page, rule["alert"]
    assert set(re.findall(r"`(Preceptor[A-Z]\w+)`", page)) == {rule["alert"] for rule in rules}


async def test_the_page_names_every_metric_and_no_other(application: Application) -> None:
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:preceptor|process|python)_\w+)`", page))
    there = await _names(application) | set(_waiting())
    assert named == there


async def test_the_page_names_every_label(labels: dict[str, set[str]]) -> None:
    page = (DOCS / "metrics.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(preceptor_\w+)` \| ([^|]*) \|", page, re.MULTILINE)
    assert rows
    for name, cell in rows:
        written = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", cell)))
        assert written == (labels | _waiting())[name] - _EVERYWHERE, name


def _waiting() -> dict[str, set[str]]:
    """Give what the database tells, which is left out while it is not open."""
    return {
        "preceptor_queue_messages": {"state"},
        "preceptor_inbox_oldest_seconds": set(),
        "preceptor_outbox_oldest_seconds": set(),
    }
