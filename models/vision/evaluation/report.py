"""Writes an evaluation of labels or captions down: a page with the worst pictures, complete in one file, and JSON."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

from models.errors import PictureError
from models.evaluation.html_page import html_page, replace_file
from models.vision.decoding.decoder import Decoder
from models.vision.evaluation.captioning import CaptionEvaluation, ToldPicture
from models.vision.evaluation.label_figures import Mistake
from models.vision.evaluation.labelling import LabelEvaluation
from models.vision.evaluation.table import CLASS_HEADS, Row, caption_rows, class_rows, label_rows, refusals, told_of
from models.vision.files import decoded_files

THUMBNAIL = 192
"""The longest edge of a picture on the page, in pixels."""

_STYLE = """
h1, p { overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; margin-top: 1rem; }
figure { margin: 0; border: 1px solid var(--line); border-radius: .5rem; overflow: hidden; background: var(--raised); }
figure img, figure .none { width: 100%; height: 11rem; object-fit: contain; background: var(--page); }
figure .none { display: grid; place-items: center; color: var(--quiet); }
figcaption { padding: .5rem .75rem .6rem; font-size: .875rem; line-height: 1.4; overflow-wrap: anywhere; }
figcaption small { display: block; margin-top: .25rem; font-size: .75rem; }
figcaption span { color: var(--quiet); }
figcaption .truth { color: var(--good); }
figcaption .said { color: var(--bad); }
th:last-child:nth-child(5) { text-align: left; }
td.words { text-align: left; white-space: normal; overflow-wrap: anywhere; }
"""


def thumbnails(decoder: Decoder, files: Mapping[str, Path]) -> dict[str, bytes]:
    """Give small JPEGs of pictures, by their names; none of those that cannot be looked at any more."""
    decoded = decoded_files(decoder, list(files.values()), (), THUMBNAIL)
    named = zip(files, decoded, strict=True)
    return {name: one.preview for name, one in named if not isinstance(one, PictureError)}


def write_label_report(evaluation: LabelEvaluation, folder: Path, data: str, pictures: Mapping[str, bytes]) -> Path:
    """Write ``report.html`` and ``evaluation.json`` into a folder, each whole or not at all; give the page's path.

    Args:
        evaluation: what was found out.
        folder: made where it is not there; what it held of the same names is replaced.
        data: what the pictures are called together.
        pictures: small JPEGs of the mistakes, by their paths.

    Raises:
        OSError: it cannot be written.
    """
    figures = evaluation.figures
    parts = (
        *_figures(label_rows(figures)),
        *_classes(class_rows(figures), len(figures.classes)),
        *_grid("The surest mistakes", [_mistake(one, pictures.get(one.path, b"")) for one in figures.mistakes]),
        *_sentences("Files that were not looked at", refusals(evaluation.refused)),
    )
    document = {"data": data, **evaluation.as_json()}
    return _written(folder, f"Labels of {data}", told_of(evaluation.model, figures.pictures), parts, document)


def write_caption_report(evaluation: CaptionEvaluation, folder: Path, data: str, pictures: Mapping[str, bytes]) -> Path:
    """Write the same of captions; `pictures` are those furthest from what people wrote. Raises OSError."""
    parts = (
        *_figures(caption_rows(evaluation.figures)),
        *(f'<p class="quiet">{escape(note)}</p>' for note in evaluation.notes),
        *_grid(
            "The captions furthest from what people wrote",
            [_told(one, pictures.get(one.path, b"")) for one in evaluation.worst],
        ),
        *_sentences("Files that were not looked at", refusals(evaluation.refused)),
    )
    document = {"data": data, **evaluation.as_json()}
    counted = told_of(evaluation.model, evaluation.figures.pictures)
    return _written(folder, f"Captions of {data}", counted, parts, document)


def _written(folder: Path, title: str, counted: str, parts: Iterable[str], document: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    body = (f"<h1>{escape(title)}</h1>", f'<p class="quiet">{escape(counted)}</p>', *parts)
    replace_file(folder / "evaluation.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    return replace_file(folder / "report.html", html_page(title, body, _STYLE))


def _figures(rows: Sequence[Row]) -> Iterator[str]:
    yield '<div class="wide"><table><thead><tr><th>Figure</th><th></th></tr></thead><tbody>'
    for row in rows:
        part = ' class="part"' if row.label.startswith(" ") else ""
        label, meaning = escape(row.label.strip()), escape(row.meaning)
        yield f"<tr{part}><td>{label}<small>{meaning}</small></td><td>{escape(row.value)}</td></tr>"
    yield "</tbody></table></div>"


def _classes(rows: Sequence[tuple[str, ...]], classes: int) -> Iterator[str]:
    yield "<h2>Class by class</h2>"
    if len(rows) < classes:
        yield f'<p class="quiet">The {len(rows)} of {classes:,} classes that are told worst.</p>'
    heads = "".join(f"<th>{escape(head)}</th>" for head in CLASS_HEADS)
    yield f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>'
    for label, *values, mistaken_for in rows:
        cells = "".join(f"<td>{escape(value)}</td>" for value in values)
        yield f'<tr><td>{escape(label)}</td>{cells}<td class="words">{escape(mistaken_for)}</td></tr>'
    yield "</tbody></table></div>"


def _grid(title: str, pictures: Sequence[str]) -> Iterator[str]:
    yield f"<h2>{escape(title)}</h2>"
    if pictures:
        yield f'<div class="grid">{"".join(pictures)}</div>'
    else:
        yield '<p class="quiet">There are none.</p>'


def _mistake(mistake: Mistake, thumbnail: bytes) -> str:
    return _shown(
        thumbnail,
        f'<div class="truth">{escape(mistake.truth)} <span>true, {mistake.probability_of_truth:.1%}</span></div>'
        f'<div class="said">{escape(mistake.said)} <span>said, {mistake.probability:.1%}</span></div>',
        mistake.path,
    )


def _told(picture: ToldPicture, thumbnail: bytes) -> str:
    people = "<br>".join(escape(caption) for caption in picture.captions)
    scores = f"CIDEr {picture.cider:.2f}, METEOR {picture.meteor:.1%}, ROUGE-L {picture.rouge_l:.1%}"
    return _shown(
        thumbnail,
        f'<div class="said">{escape(picture.caption or "– (no caption)")}</div><div class="truth">{people}</div>',
        f"{picture.path}: {scores}",
    )


def _shown(thumbnail: bytes, words: str, below: str) -> str:
    source = f"data:image/jpeg;base64,{base64.b64encode(thumbnail).decode()}"
    picture = f'<img src="{source}" alt="">' if thumbnail else '<div class="none">no picture</div>'
    return f"<figure>{picture}<figcaption>{words}<small>{escape(below)}</small></figcaption></figure>"


def _sentences(title: str, sentences: Iterable[str]) -> Iterator[str]:
    items = [f"<li>{escape(sentence)}</li>" for sentence in sentences]
    if items:
        yield f"<h2>{escape(title)}</h2><ul>{''.join(items)}</ul>"
