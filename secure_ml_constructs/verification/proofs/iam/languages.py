"""Cuts all texts into finitely many regions that no pattern of the policies can tell apart.

Of each region one text is enough to ask about. The cut is exact: the automata of all patterns run side by
side, and each combination of accepted and refused patterns that can come about is one region, with the
shortest text that leads there. So a question over all texts becomes one over a handful.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from secure_ml_constructs.verification.proofs.iam.patterns import ANY, Pattern, Wild, literal, segments

# More states than this, and the patterns are too entangled to be cut apart in time.
_LIMIT = 20_000


class TooManyError(Exception):
    """The patterns have too many combinations."""


@dataclass(frozen=True, slots=True)
class Language:
    """The texts that a pattern matches.

    Attributes:
        pattern: The pattern.
        by_segment: Whether its first five segments are those of an ARN, where a wildcard passes no colon.
        fold: Whether case does not matter.
    """

    pattern: Pattern
    by_segment: bool = False
    fold: bool = False

    def items(self) -> tuple[tuple[str, bool, bool], ...]:
        """The pattern as single characters: (text or nothing for any, repeated, not a colon)."""
        found: list[tuple[str, bool, bool]] = []
        parts = segments(self.pattern) if self.by_segment else (self.pattern,)
        for number, part in enumerate(parts):
            if number:
                found.append((":", False, False))
            head = self.by_segment and number < 5
            for token in part:
                if isinstance(token, Wild):
                    found.append(("", token.many, head))
                else:
                    found += [(each.lower() if self.fold else each, False, False) for each in token]
        return tuple(found)


class _Automaton:
    """Runs one language; a state is the set of places in the pattern, as bits."""

    def __init__(self, language: Language) -> None:
        self.items = language.items()
        self.fold = language.fold
        self.accepting = 1 << len(self.items)
        self._repeated = sum(1 << place for place, (_, repeated, _) in enumerate(self.items) if repeated)
        self.start = self._closed(1)
        self.steps: dict[tuple[int, str], int] = {}
        self._next: dict[int, frozenset[str]] = {}
        self._accepts: dict[str, bool] = {}

    def _closed(self, state: int) -> int:
        while (wider := state | (state & self._repeated) << 1) != state:
            state = wider
        return state

    def _places(self, state: int) -> Iterator[tuple[int, str, bool, bool]]:
        """The items that a state waits for, each with its place as a bit: few of the many there are."""
        left = state & self.accepting - 1
        while left:
            bit = left & -left
            left ^= bit
            yield bit, *self.items[bit.bit_length() - 1]

    def step(self, state: int, character: str) -> int:
        """The state after one more character."""
        known = self.steps.get((state, character))
        if known is not None:
            return known
        read = character.lower() if self.fold else character
        after = 0
        for bit, text, repeated, no_colon in self._places(state):
            if (text and text == read) or (not text and not (no_colon and character == ":")):
                after |= bit if repeated else bit << 1
        after = self._closed(after)
        self.steps[state, character] = after
        return after

    def run(self, text: str) -> int:
        """The state after a text."""
        state = self.start
        for character in text:
            state = self.step(state, character)
        return state

    def accepts(self, text: str) -> bool:
        """Whether a text is in the language."""
        known = self._accepts.get(text)
        if known is None:
            known = self._accepts[text] = self.run(text) & self.accepting != 0
        return known

    def next(self, state: int) -> frozenset[str]:
        """The characters that a state tells from the others."""
        known = self._next.get(state)
        if known is None:
            found: set[str] = set()
            for _, text, _, no_colon in self._places(state):
                if text:
                    found |= {text, text.upper()} if self.fold else {text}
                elif no_colon:
                    found.add(":")
            known = self._next[state] = frozenset(found)
        return known


@lru_cache(maxsize=4096)
def _automaton(language: Language) -> _Automaton:
    return _Automaton(language)


def witnesses(languages: Iterable[Language], begins: str = "") -> tuple[str, ...]:
    """One text for each combination of languages that some text is in, none of them empty.

    Args:
        languages: The languages.
        begins: What each text begins with: others are not looked for.

    Raises:
        TooManyError: There are too many combinations to go through.
    """
    return _witnesses(frozenset(languages), begins)


@lru_cache(maxsize=4096)
def _witnesses(languages: frozenset[Language], begins: str) -> tuple[str, ...]:
    fixed: dict[str, None] = {}
    running: list[Language] = []
    for language in sorted(languages, key=repr):
        text = literal(language.pattern)
        if language.pattern == ANY:
            continue
        if text is not None and not language.fold:
            if text.startswith(begins):
                fixed[text] = None
        else:
            running.append(language)
    found = list(_run([_automaton(each) for each in running], begins))
    if any(text in fixed for text in found):
        # A text stands for its region only when it is not singled out itself.
        running += [Language((text,)) for text in fixed]
        return tuple(_run([_automaton(each) for each in running], begins))
    friendly = [_friendly(each, running, fixed, begins) for each in found]
    return tuple([text for text in fixed if text] + friendly)


def _run(automata: list[_Automaton], begins: str) -> Iterator[str]:
    if not automata:
        yield begins or "anything-else"
        return
    start = tuple(each.run(begins) for each in automata)
    accepting = [each.accepting for each in automata]
    # Tables at hand: a call for each character of each pattern takes longer than looking it up.
    tables = [(each, each.steps) for each in automata]
    # Not the start: the empty text is of no region, but a longer one may lead back there.
    seen: set[tuple[int, ...]] = set()
    accepted: set[tuple[bool, ...]] = set()
    waiting = deque([(start, begins)])
    while waiting:
        states, text = waiting.popleft()
        if text:
            vector = tuple([state & accepts != 0 for state, accepts in zip(states, accepting, strict=True)])
            if vector not in accepted:
                accepted.add(vector)
                yield text
        told_apart = sorted(
            frozenset().union(*[each.next(state) for state, each in zip(states, automata, strict=True)])
        )
        for character in (*told_apart, _other(told_apart)):
            after = tuple(
                [
                    each.step(state, character) if (known := steps.get((state, character))) is None else known
                    for state, (each, steps) in zip(states, tables, strict=True)
                ]
            )
            if after not in seen:
                seen.add(after)
                if len(seen) > _LIMIT:
                    raise TooManyError
                waiting.append((after, text + character))


def _other(told_apart: list[str]) -> str:
    return next(each for each in "xyzwvutsrqponmlkjihgfedcbaXYZ0123456789_-~^" if each not in told_apart)


def _friendly(text: str, running: list[Language], fixed: Iterable[str], begins: str) -> str:
    """The same region by a text that reads better, where there is one."""
    automata = [_automaton(each) for each in running]
    for better in ("anything-else", text + "example"):
        if not better.startswith(begins) or better in fixed:
            continue
        if all(each.accepts(better) == each.accepts(text) for each in automata):
            return better
    return text
