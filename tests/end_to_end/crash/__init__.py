"""A real `preceptor run` on loopback Discord and Slack that is killed again and again while people ask.

`world` has the platforms, the people and the places where they ask; `things` is what they ask about; `bots` starts and
kills processes; `moments` is when; `trial` is one whole run; `verdict` says what was lost, doubled, wrong or out of
order, with its story. By hand, from the root of the repository::

    python -m tests.end_to_end.crash --messages 10000 --kills 200 --seed 7 [--processes 2 --times 4]
"""

from .trial import Options, Trial
from .verdict import Verdict

__all__ = ["Options", "Trial", "Verdict"]
