"""What the Preceptor of the pages' tests answers from: two sources, of different kinds."""

import json
from pathlib import Path

PHYSICS = [
    {"title": "Ohm's law", "context": "Ohm's law states that voltage equals current times resistance: V = I R."},
    {"title": "Newton's first law", "context": "Newton's first law says that a body at rest stays at rest."},
    {"title": "Newton's second law", "context": "Newton's second law says that force equals mass times acceleration."},
    {"title": "Newton's third law", "context": "Newton's third law says that every action has an equal reaction."},
]

OFFICE = """\
# Office handbook

## Opening hours

The office is open from 8 in the morning until 6 in the evening. On Fridays it closes at 4.

## Parking

Visitors park on the north side of the building. A parking permit lies at the reception.
"""


def knowledge_in(folder: Path) -> list[Path]:
    """Lay two sources into a folder."""
    physics, office = folder / "physics", folder / "office"
    physics.mkdir(parents=True)
    office.mkdir()
    (physics / "physics.json").write_text(json.dumps(PHYSICS), encoding="utf-8")
    (office / "handbook.md").write_text(OFFICE, encoding="utf-8")
    return [physics, office]
