"""The picture of a calibration: right answers against false ones, and both errors by threshold."""

from pathlib import Path
from typing import Any

from knowledge.calibration import CalibrationReport
from knowledge.errors import MissingExtraError

_RIGHT, _FALSE, _POINT = "#1b6ca8", "#c8553d", "#222222"


def save_plot(report: CalibrationReport, path: Path) -> None:
    """Draw `report` into the PNG file `path`, 1500 × 660 pixels.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OSError: the file cannot be written.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "Drawing the curve needs matplotlib, which is not installed.",
            "Add it with `make plots`, which installs the extra preceptor[plots].",
        ) from error
    figure = Figure(figsize=(10, 4.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw_roc(left, report)
    _draw_errors(right, report)
    figure.savefig(path, format="png")


def _draw_roc(axes: Any, report: CalibrationReport) -> None:  # noqa: ANN401 - matplotlib's axes
    chosen = report.calibration
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linestyle=":", label="chance")
    axes.plot(
        [point.false_answers for point in report.curve],
        [1 - point.false_declines for point in report.curve],
        color=_RIGHT,
        label=f"cross-validated, area {chosen.auroc:.3f}",
    )
    axes.plot(chosen.false_answers, 1 - chosen.false_declines, "o", color=_POINT, label="chosen threshold")
    axes.set(
        title=f"{chosen.answerable} answerable, {chosen.unanswerable} unanswerable questions",
        xlabel="unanswerable questions answered",
        ylabel="answerable questions answered",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
    )
    axes.legend(loc="lower right", frameon=False)
    axes.grid(alpha=0.25)


def _draw_errors(axes: Any, report: CalibrationReport) -> None:  # noqa: ANN401 - matplotlib's axes
    chosen = report.calibration
    thresholds = [point.threshold for point in report.curve]
    false_answers = [point.false_answers for point in report.curve]
    false_declines = [point.false_declines for point in report.curve]
    axes.step(
        thresholds, false_answers, where="pre", color=_FALSE, label=f"false answers, here {chosen.false_answers:.1%}"
    )
    axes.step(
        thresholds, false_declines, where="pre", color=_RIGHT, label=f"false declines, here {chosen.false_declines:.1%}"
    )
    axes.axvline(chosen.threshold, color=_POINT, linestyle="--", label=f"threshold {chosen.threshold:.3f}")
    axes.set(
        title="Errors each way by threshold",
        xlabel="confidence from which the bot answers",
        ylabel="share of questions",
        xlim=(0, 1),
        ylim=(0, 1.02),
    )
    axes.legend(loc="upper center", framealpha=1, edgecolor="none")
    axes.grid(alpha=0.25)
