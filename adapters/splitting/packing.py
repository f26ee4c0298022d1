"""Parts filled one after the other, each as far as it goes and then cut at the best place that leaves it half full."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate
from typing import NamedTuple

from adapters.splitting.breaking import cut_graphemes, cut_words, find_gaps, take_apart
from adapters.splitting.gaps import Gap
from adapters.splitting.leaves import Block, Leaf, row_as_text, simpler
from adapters.splitting.pieces import escape
from adapters.splitting.proofreading import make_plainer, reads_right
from adapters.splitting.reading import leaves_of
from adapters.splitting.writing import markdown

SMALLEST_LIMIT = 32
# A guess is taken to be off by this fraction of the limit at most; if it is not, that costs time alone.
_NEAR = 32
# No platform makes more of a character (``&quot;``, escaped), so that short texts need not be measured.
_LONGEST_CHARACTER = 8


def split(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """Cut a text into parts that a platform takes.

    The cuts lie between blocks where that leaves a part at least half full, otherwise after sentences, otherwise after
    words; inside a word only where the word alone is too long, inside a link, an address, a mention or an emoji's name
    only where that alone is too long (a link then reads ``[label](address)``), inside a grapheme only where even that
    is too long. A part repeats what a cut has broken: a code block's fences and language, a table's header, the
    markers of lists, quotes and emphasis. A heading stays with what follows it. A table's row that no part has room
    for is given as text. In a text that has to be cut HTML is escaped, so that it reads as it is written, and links
    by reference become links with their address.

    Parts are filled from the front: while a text grows, those that are full stay as they are, unless what is added
    changes what stands before (an emphasis that is closed at last).

    Args:
        text: CommonMark with GFM's tables and strikethrough.
        limit: the longest a part may be, as `length` tells, at least 32.
        length: how long a part (CommonMark) is on the platform. It should grow with the part, if roughly.

    Returns:
        CommonMark parts in order: the text as it is, if it is short enough; none, if it is blank.

    Raises:
        ValueError: the limit is too small, or `length` finds a single character longer than the limit.
    """
    if limit < SMALLEST_LIMIT:
        raise ValueError(f"a part has to hold at least {SMALLEST_LIMIT} characters, not {limit}")
    if not text.strip():
        return []
    if length(text) <= limit:
        return [text]
    return [part for part in _Packer(leaves_of(text), limit, length).parts() if part.strip()]


class _Position(NamedTuple):
    """A place in a document: before a piece of a leaf."""

    leaf: int
    piece: int


class _Packer:
    """Packs a document's leaves into parts, taking them apart where it has to."""

    def __init__(self, leaves: list[Leaf], limit: int, length: Callable[[str], int]) -> None:
        self._leaves = leaves
        self._limit = limit
        self._measure = length
        self._start = _Position(0, 0)
        self._places = self._places_of_leaves()
        self._lengths: dict[_Position, int] = {}

    def parts(self) -> Iterator[str]:
        while self._start.leaf < len(self._leaves):
            end = self._end_of_part()
            yield markdown(self._stretches(end))
            self._start = end

    def _places_of_leaves(self) -> list[int]:
        return list(accumulate((leaf.length for leaf in self._leaves), initial=0))

    def _end_of_part(self) -> _Position:
        while True:
            self._lengths.clear()
            furthest = self._furthest()
            end = self._best_end(furthest)
            if end and self._reads_right(end):
                return end

    def _reads_right(self, end: _Position) -> bool:
        """Whether a part says what it should; if not, what doesn't has been made plainer."""
        wrong = [leaf for leaf, start, stop in self._stretches(end) if not reads_right(leaf, start, stop)]
        have_changed = [make_plainer(leaf) for leaf in wrong]
        return not any(have_changed)

    # How long a part is

    def _stretches(self, end: _Position) -> Iterator[tuple[Leaf, int, int]]:
        for number in range(self._start.leaf, min(end.leaf + 1, len(self._leaves))):
            leaf = self._leaves[number]
            first = self._start.piece if number == self._start.leaf else leaf.first
            stop = end.piece if number == end.leaf else len(leaf.pieces)
            if first < stop:
                yield leaf, first, stop

    def _length(self, end: _Position) -> int:
        if end not in self._lengths:
            self._lengths[end] = self._measure(markdown(self._stretches(end)))
        return self._lengths[end]

    def _fits(self, end: _Position) -> bool:
        return end == self._start or self._length(end) <= self._limit

    def _fits_and_fills_half(self, end: _Position) -> bool:
        return self._limit <= 2 * self._length(end) <= 2 * self._limit

    # Which part is the longest

    def _leaf_start(self, number: int) -> _Position:
        return _Position(number, self._leaves[number].first if number < len(self._leaves) else 0)

    def _position(self, distance: int) -> _Position:
        """Give the last position that is at most so many characters of text after the start."""
        leaf = self._leaves[self._start.leaf]
        place = self._places[self._start.leaf] + leaf.offset(self._start.piece) - leaf.offset(leaf.first) + distance
        number = bisect_right(self._places, place) - 1
        if number >= len(self._leaves):
            return self._leaf_start(len(self._leaves))
        leaf = self._leaves[number]
        offset = place - self._places[number] + leaf.offset(leaf.first)
        return max(self._start, _Position(number, leaf.last_piece_at(offset)))

    def _furthest(self) -> _Position:
        low, high = 0, self._limit
        while self._fits(furthest := self._position(high)):
            if furthest.leaf == len(self._leaves):
                return furthest
            low, high = high, 2 * high
        aim = self._aim(low, high)
        tries = [aim, aim + self._limit // _NEAR, aim - self._limit // _NEAR]
        while high - low > 1:
            middle = tries.pop(0) if tries else (low + high) // 2
            if not low < middle < high:
                continue
            if self._fits(self._position(middle)):
                low = middle
            else:
                high = middle
        return self._position(low)

    def _aim(self, low: int, high: int) -> int:
        """Guess which distance fills a part, from one that fits and one that doesn't."""
        shorter, longer = (self._length(self._position(distance)) if distance else 0 for distance in (low, high))
        return low + (high - low) * (self._limit - shorter) // max(1, longer - shorter)

    # Which end is the best

    def _best_end(self, furthest: _Position) -> _Position | None:
        """Give the best end; None, if there is none yet and the leaves have been made smaller for another try."""
        if furthest.leaf == len(self._leaves):
            return furthest
        after_block = next(self._ends_after_blocks(furthest), None)
        if after_block and self._fits_and_fills_half(after_block):
            return after_block
        leaf = self._leaves[furthest.leaf]
        if not leaf.gaps:
            find_gaps(leaf, self._fits_as_text)
            return None
        end = self._end_inside(furthest) or after_block or next(self._ends_after_leaves(furthest), None)
        if end is None:
            return self._forced_end(furthest)
        if end.leaf == furthest.leaf and not self._fits_and_fills_half(end) and self._is_word_too_long(leaf, end.piece):
            return self._end_in_word(furthest, end)
        return end

    def _ends_after_leaves(self, furthest: _Position) -> Iterator[_Position]:
        ends = map(self._leaf_start, range(furthest.leaf, self._start.leaf, -1))
        return (end for end in ends if self._fits(end))

    def _ends_after_blocks(self, furthest: _Position) -> Iterator[_Position]:
        """Give the ends between leaves, the last first; none is after a heading."""
        ends = self._ends_after_leaves(furthest)
        return (end for end in ends if self._leaves[end.leaf - 1].block is not Block.HEADING)

    def _end_inside(self, furthest: _Position) -> _Position | None:
        for end in self._ends_inside(furthest, Gap.SENTENCE):
            if self._fits_and_fills_half(end):
                return end
        return next(self._ends_inside(furthest, Gap.WORD), None)

    def _ends_inside(self, furthest: _Position, least: Gap) -> Iterator[_Position]:
        """Give the ends inside the leaf at which `furthest` lies, the last first."""
        leaf = self._leaves[furthest.leaf]
        first = self._start.piece if self._start.leaf == furthest.leaf else leaf.first
        for number in range(furthest.piece, first, -1):
            offset = leaf.offset(number)
            end = _Position(furthest.leaf, number)
            if offset > leaf.offset(first) and leaf.gaps[offset] >= least and self._fits(end):
                yield end

    def _fits_as_text(self, text: str) -> bool:
        return _LONGEST_CHARACTER * len(text) <= self._limit or self._measure(escape(text)) <= self._limit

    # What to do where no part has room for a word

    def _is_word_too_long(self, leaf: Leaf, first: int) -> bool:
        """Whether the word that begins with a piece has no room in any part; then part of it may fill this one."""
        if leaf.block is Block.TABLE:
            return False
        stop, farthest = first + 1, leaf.offset(first) + 2 * self._limit
        while stop < len(leaf.pieces) and leaf.offset(stop) < farthest and leaf.gaps[leaf.offset(stop)] < Gap.WORD:
            stop += 1
        return self._measure(markdown([(leaf, first, stop)])) > self._limit

    def _end_in_word(self, furthest: _Position, end_before: _Position) -> _Position | None:
        leaf = self._leaves[furthest.leaf]
        too_far = leaf.next_with_text(furthest.piece)
        if self._is_piece_too_long(leaf, too_far) and take_apart(leaf, too_far):
            return None
        if cut_words(leaf, end_before.piece, too_far):
            return None
        return next(self._ends_inside(furthest, Gap.GRAPHEME), end_before)

    def _forced_end(self, furthest: _Position) -> _Position | None:
        """Cut inside a word; or make the leaf's pieces smaller, or the leaf simpler, for another try."""
        leaf = self._leaves[self._start.leaf]
        if leaf.block is Block.TABLE:
            return self._end_inside_table(leaf, furthest)
        first, too_far = self._start.piece, leaf.next_with_text(furthest.piece)
        if self._is_piece_too_long(leaf, too_far) and (take_apart(leaf, too_far) or cut_words(leaf, first, too_far)):
            return None
        if end := next(self._ends_inside(furthest, Gap.GRAPHEME), None):
            return end
        if cut_words(leaf, first, too_far):
            return None
        if end := next(self._ends_inside(furthest, Gap.PROTECTED), None):
            return end
        if cut_graphemes(leaf, first, too_far):
            return None
        if end := next(self._ends_inside(furthest, Gap.CODE_POINT), None):
            return end
        self._leaves[self._start.leaf] = self._simpler(leaf)
        self._places = self._places_of_leaves()
        return None

    def _is_piece_too_long(self, leaf: Leaf, piece: int) -> bool:
        return self._measure(markdown([(leaf, piece, piece + 1)])) > self._limit

    def _simpler(self, leaf: Leaf) -> Leaf:
        simple = simpler(leaf, self._start.piece)
        if simple is None:
            raise ValueError(f"a single character is longer than a part may be ({self._limit})")
        return simple

    def _end_inside_table(self, table: Leaf, furthest: _Position) -> _Position | None:
        """Cut after the header, or give the row that is too long (all rows, if that is the header) as text."""
        number = self._start.piece
        after_header = _Position(self._start.leaf, 1)
        if number == 0 and furthest >= after_header and self._fits(after_header):
            return after_header
        rows = table.pieces[number : number + 1 if number else None]
        replacement = [row_as_text(row, table.path) for row in rows]
        if number + len(rows) < len(table.pieces):
            replacement.append(replace(table, first=number + 1))
        self._leaves[self._start.leaf : self._start.leaf + 1] = replacement
        self._start = self._leaf_start(self._start.leaf)
        self._places = self._places_of_leaves()
        return None
