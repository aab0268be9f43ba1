"""Which skills could serve a goal: a goal's words, looked for in what a catalog says of each skill."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from aos.domain.skills.skill import Skill

# A hint names other skills: it tells two equal candidates apart, and makes none.
_WEIGHTS = {"id": 3, "purpose": 2, "params": 1, "hints": 0}
_EMPTY_WORDS = frozenset(
    {"and", "for", "from", "into", "that", "the", "this", "what", "which", "with", "your"}
)
_SHORTEST = 3
_STEM = 4


class Match(NamedTuple):
    """A word of the goal, and where it was found: in the skill's id, purpose, params or hints."""

    word: str
    place: str


class Candidate(NamedTuple):
    """A skill that some words speak for. `score` adds up the places: id 3, purpose 2, params 1, hints 0."""

    skill: str
    score: int
    matches: tuple[Match, ...]

    @property
    def why(self) -> str:
        """`id: send, email; purpose: message`."""
        places: dict[str, list[str]] = {}
        for match in self.matches:
            places.setdefault(match.place, []).append(match.word)
        return "; ".join(f"{place}: {', '.join(places[place])}" for place in _WEIGHTS if place in places)


def candidates(goal: str, skills: Iterable[Skill]) -> tuple[Candidate, ...]:
    """The skills that some word of `goal` speaks for, best first; equal ones as they come.

    Each word counts once for a skill, where it weighs most. Two words match if they are equal, or if one
    begins with the other and that has at least four letters ("translate", "translates").
    """
    wanted = dict.fromkeys(
        word for word in _words(goal) if len(word) >= _SHORTEST and word not in _EMPTY_WORDS
    )
    found = [_candidate(list(wanted), skill) for skill in skills]
    return tuple(sorted((c for c in found if c.score), key=lambda c: (-c.score, -len(c.matches))))


def _candidate(wanted: list[str], skill: Skill) -> Candidate:
    said = _said(skill)
    matches = tuple(match for word in wanted if (match := _best(word, said)))
    return Candidate(skill.id, sum(_WEIGHTS[match.place] for match in matches), matches)


def _said(skill: Skill) -> Mapping[str, list[str]]:
    """The words of each place, the weightiest place first."""
    hints = (*skill.hints.often_followed_by, *skill.hints.often_preceded_by)
    return {
        "id": _words(skill.id),
        "purpose": _words(skill.purpose),
        "params": [word for text in _texts(skill.input_schema) for word in _words(text)],
        "hints": [word for hint in hints for word in _words(hint)],
    }


def _texts(schema: Mapping[str, Any]) -> Iterator[str]:
    """Names and descriptions of the parameters."""
    properties = schema.get("properties")
    for name, inner in properties.items() if isinstance(properties, dict) else ():
        yield name
        if isinstance(inner, dict) and isinstance(inner.get("description"), str):
            yield inner["description"]


def _best(word: str, said: Mapping[str, list[str]]) -> Match | None:
    for place, words in said.items():
        if any(_same(word, other) for other in words):
            return Match(word, place)
    return None


def _same(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    return a == b or (len(short) >= _STEM and long.startswith(short))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())
