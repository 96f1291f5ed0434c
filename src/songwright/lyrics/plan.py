"""Chooses frames for the parts of a song by a small beam search, so that they sound like one song.

What is scored: themes asked for, one world, one speaker, one tone, place in the story, shared motifs, the same scheme
in sister verses, another metre in the bridge; barred are clashing scenes and tenses and rhyme words used twice.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from songwright.lyrics.bank import ROLES, SUBJECT_SLOTS, Bank, Frame, Metre
from songwright.lyrics.metre import fits, free_stresses, words_of
from songwright.lyrics.wishes import Wishes
from songwright.seeding import generator

_BEAM = 6
_ENOUGH_OLD = 4
"""Frames of a role in old words from which on a song that asks for them keeps to their metres."""
_JITTER = 3.4
"""What the seed may add to a frame; more to one about the subject itself, so that these take turns."""
_METRE_JITTER = 5.0
"""What a seed may prefer one near metre over another by, so that two songs do not draw from one pool."""
_RAP_THREAD = 6.0
"""What it is worth that sixteen bars stay with one thing."""
_GIVEN_UP, _REPEATED = 0.7, 6.0
"""What it costs to give up what is barred, and to use a frame again, so that another metre is taken if one has more."""
_RARE = ("humour", "war_peace", "faith", "winter")
"""Themes that stand out where nobody asked for them."""
_NAMED = {"chorus": 5.0, "verse": 2.2, "rap": 2.2}
"""Worth of a frame about what the subject itself names."""
_FARTHEST_METRE = 3.51
"""Syllables by which a metre may miss the nearest one: what the song is about weighs more than a line's length."""
_NEAR_METRE = 1.01
_PERSONS = {
    "you": {"you": 0.7, "i": 0.2, "none": 0.2},
    "i": {"i": 0.6, "none": 0.4},
    "we": {"we": 0.7, "none": 0.3, "you": 0.0},
    "they": {"they": 0.6, "none": 0.4},
    "none": {"none": 0.5, "i": 0.4, "they": 0.2},
}
"""Which persons may be heard beside the chorus's, and how gladly."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that wants frames.

    Attributes:
        key: unique in the song, e.g. ``verse 2``.
        role: of the bank: verse, prechorus, chorus, bridge, outro or rap.
        num_lines: to be met exactly.
        syllables: wanted length of a line.
        index, count: which of how many parts of this role.
    """

    key: str
    role: str
    num_lines: int
    syllables: float
    index: int = 0
    count: int = 1


@dataclass(frozen=True)
class Plan:
    """Chosen frames; grows part by part.

    Attributes:
        frames: by part key.
        metres: by role.
        chorus: the frame that gives the song its voice: the first one chosen.
        score: higher is better.
    """

    frames: Mapping[str, tuple[Frame, ...]] = field(default_factory=dict)
    metres: Mapping[str, str] = field(default_factory=dict)
    chorus: Frame | None = None
    words: frozenset[str] = frozenset()
    score: float = 0.0

    @property
    def used(self) -> set[str]:
        """Names of all frames in it."""
        return {_whole(frame) for frames in self.frames.values() for frame in frames}


def plan_song(parts: Sequence[Part], bank: Bank, wishes: Wishes, *, seed: int, archaic: bool = False) -> Plan:
    """Returns frames for each part.

    Args:
        parts: chorus first, since it gives the song its voice; then in the order of the song.
        bank: of the language.
        wishes: what is asked for.
        seed: of the song.
        archaic: whether old words are wanted.
    """
    draws = generator(seed, "lyrics", "plan", bank.language).random(len(bank.frames))
    usable = [frame for frame in bank.frames if (archaic or not frame.archaic) and slots_fit(frame, wishes)]
    frames = [piece for frame in usable for piece in (frame, *halves(frame))]
    by_name = {f.name: float(x) for f, x in zip(bank.frames, draws, strict=True)}
    words = {frame.name: content_words(frame, bank) for frame in bank.frames}
    ends = {frame.name: end_words(frame, bank) for frame in bank.frames}
    filled = frozenset(frame.name for frame in bank.frames if any(True for _ in frame.slots()))
    naming = frozenset(frame.name for frame in bank.frames if _names_subject(frame))
    likings = generator(seed, "lyrics", "metres", bank.language).random((len(bank.metres), len(ROLES)))
    liked = {(m, r): float(likings[i, j]) for i, m in enumerate(bank.metres) for j, r in enumerate(ROLES)}
    search = _Search(
        replace(bank, frames=tuple(frames)), wishes, by_name, archaic, words, ends, worlds(bank), naming, filled, liked
    )
    plans = [Plan()]
    for part in parts:
        plans = search.extend(plans, part)
    return plans[0]


def slots_fit(frame: Frame, wishes: Wishes) -> bool:
    """Returns whether the subject and the title have the metre of the places that a frame keeps for them."""
    for name, template in frame.slots():
        if name in SUBJECT_SLOTS and not any(True for _ in wishes.subject_for(name, template)):
            return False
        if name == "title":
            stresses = free_stresses(wishes.title_shapes)
            if not stresses or not fits(stresses, template):
                return False
    return True


def halves(frame: Frame) -> tuple[Frame, ...]:
    """Returns the couplets of a frame whose two halves rhyme each in itself; they stand in for missing couplets."""
    if frame.scheme != "aabb" or frame.hook:
        return ()
    lines = frame.lines
    return tuple(
        replace(frame, name=f"{frame.name}#{half}", lines=lines[2 * half : 2 * half + 2], scheme="aa")
        for half in (0, 1)
    )


def worlds(bank: Bank) -> dict[str, str]:
    """Returns the world of each frame: the file in which its first theme is most at home."""
    counts: dict[str, Counter[str]] = {}
    for frame in bank.frames:
        counts.setdefault("".join(frame.themes[:1]), Counter())[frame.name.partition(":")[0]] += 1
    homes = {theme: count.most_common(1)[0][0] for theme, count in counts.items()}
    return {frame.name: homes["".join(frame.themes[:1])] for frame in bank.frames}


def content_words(frame: Frame, bank: Bank) -> frozenset[str]:
    """Returns the words of a frame that carry sense (Chinese: pairs of characters)."""
    text = " ".join(frame.lines)
    if bank.language == "zh":
        plain = re.sub(r"[^\u3400-\u9fff]", " ", text)
        return frozenset(plain[i : i + 2] for i in range(len(plain) - 1) if " " not in plain[i : i + 2])
    return frozenset(w for w in words_of(text) if len(w) > 3 and w not in bank.stop_words)


def end_words(frame: Frame, bank: Bank) -> frozenset[str]:
    """Returns the last words of a frame's rhyming lines that are not its hook."""
    ends = set()
    for index, line in enumerate(frame.lines):
        words = words_of(line)
        if words and frame.scheme[index] != "x" and index not in frame.hook:
            ends.add(words[-1][-1] if bank.language == "zh" else words[-1])
    return frozenset(ends)


@dataclass(frozen=True)
class _Search:
    bank: Bank
    wishes: Wishes
    draws: Mapping[str, float]
    archaic: bool
    words: Mapping[str, frozenset[str]]
    ends: Mapping[str, frozenset[str]]
    worlds: Mapping[str, str]
    naming: frozenset[str]
    filled: frozenset[str]
    metre_draws: Mapping[tuple[str, str], float]

    def extend(self, plans: list[Plan], part: Part) -> list[Plan]:
        """Returns the best plans with a part added."""
        done: list[Plan] = []
        for metre, cost in self._metres(plans, part):
            open_plans = [
                replace(plan, frames={**plan.frames, part.key: ()}, score=plan.score - cost)
                for plan in plans
                if plan.metres.get(part.role, metre.name) == metre.name
            ]
            done += self._fill(open_plans, part, metre)
        return sorted(done, key=lambda plan: -plan.score)[:_BEAM]

    def _fill(self, plans: list[Plan], part: Part, metre: Metre) -> list[Plan]:
        left = _target(part)
        while plans and left > 0:
            grown: list[Plan] = []
            whole = [4, 2] if left >= 4 else [left, 2] if left > 1 else [1]
            tries = [*((size, False) for size in whole), (min(left, 4), True), (1, False)]
            for levels in ((3, 2, 1), (0,)):
                for size, cut in tries if not grown else ():
                    grown = [new for plan in plans for new in self._grow(plan, part, metre, size, left, cut, levels)]
                    if grown:
                        left -= size
                        break
            plans = sorted(grown, key=lambda plan: -plan.score)[:_BEAM]
        return [replace(plan, metres={**plan.metres, part.role: metre.name}) for plan in plans]

    def _metres(self, plans: list[Plan], part: Part) -> Iterator[tuple[Metre, float]]:
        """Yields metres worth a try with what their distance from the wanted length costs."""
        frames = [f for f in self.bank.frames if part.role in f.roles and len(f.lines) > 1]
        old = [f for f in frames if f.archaic and self.archaic]
        fitting = {f.metre for f in (old if len(old) >= _ENOUGH_OLD else frames)}
        metres = [metre for name, metre in self.bank.metres.items() if name in fitting]
        nearest = min((abs(m.mean - part.syllables) for m in metres), default=0.0)
        fixed = {plan.metres[part.role] for plan in plans if part.role in plan.metres}
        for metre in metres:
            extra = abs(metre.mean - part.syllables) - nearest
            loose = part.role in ("prechorus", "bridge", "outro")
            if metre.name in fixed or (not fixed and extra <= _FARTHEST_METRE):
                liking = self.metre_draws[metre.name, part.role] * (extra < _NEAR_METRE and not fixed)
                yield metre, (0.6 if loose else 0.8) * extra * max(1, part.num_lines // 4) - _METRE_JITTER * liking

    def _grow(
        self, plan: Plan, part: Part, metre: Metre, size: int, left: int, cut: bool, levels: Sequence[int]
    ) -> Iterator[Plan]:
        """Yields the plan with one more frame of a size; with `cut`, of the first lines of longer frames."""
        for strictness in levels:
            grown = [
                self._with(plan, part, _first_lines(frame, size), left)
                for frame in self.bank.frames
                if frame.metre == metre.name
                and (len(frame.lines) > size if cut else len(frame.lines) == size)
                and part.role in frame.roles
                and self._may(plan, part, frame, strictness)
            ]
            if grown:
                cost = _GIVEN_UP * (3 - strictness) + (_REPEATED if strictness == 0 else 0.0)
                best = sorted(grown, key=lambda new: -new.score)[:_BEAM]
                yield from (replace(new, score=new.score - cost) for new in best)
                return

    def _may(self, plan: Plan, part: Part, frame: Frame, strictness: int) -> bool:
        """Returns whether a frame may come next; what is barred is given up in three steps when nothing is left."""
        if frame.name in self.naming and part.role != "chorus" and self._is_named(plan):
            return False
        here = plan.frames[part.key]
        if strictness and (
            _whole(frame) in plan.used or any(self.ends[_whole(f)] & self.ends[_whole(frame)] for f in here)
        ):
            return False
        if strictness >= 2:
            tones = {f.mood for fs in plan.frames.values() for f in fs} | {frame.mood}
            persons = _PERSONS[plan.chorus.person if plan.chorus else frame.person]
            if {"bright", "dark"} <= tones or frame.person not in persons:
                return False
            if frame.themes[:1] and frame.themes[0] in _RARE and self.wishes.themes.get(frame.themes[0], 0.0) < 0.3:
                return False
        if strictness >= 3:
            tenses = {f.tense for f in here} | {frame.tense}
            if {"past", "present"} <= tenses or any(self.bank.clash(f.scenes, frame.scenes) for f in here):
                return False
        return True

    def _is_named(self, plan: Plan) -> bool:
        """Returns whether a part other than the chorus names the subject already."""
        return any(_names_subject(f) for key, fs in plan.frames.items() for f in fs if key != "chorus")

    def _with(self, plan: Plan, part: Part, frame: Frame, left: int) -> Plan:
        """Returns the plan with a frame added to a part."""
        words = self.words[_whole(frame)]
        frames = {**plan.frames, part.key: (*plan.frames[part.key], frame)}
        chorus = plan.chorus or frame
        score = plan.score + self._worth(plan, part, frame, words, left)
        return replace(plan, frames=frames, chorus=chorus, words=plan.words | words, score=score)

    def _worth(self, plan: Plan, part: Part, frame: Frame, words: frozenset[str], left: int) -> float:
        others = [f for fs in plan.frames.values() for f in fs]
        fit = self.wishes.weight(frame.themes)
        told = self.wishes.names(frame.themes)
        worth = 3.0 * fit - 1.6 * (fit < 0.15) + _JITTER * (1.0 + 1.6 * told) * self.draws[_whole(frame)]
        worth += _NAMED.get(part.role, 1.0) * told
        worth += 12.0 * (self.archaic and frame.archaic)
        slots = {name for name, _ in frame.slots()} if frame.name in self.filled else set()
        worth += 24.0 * ("title" in slots) + (0.8 if self.wishes.is_named else 10.0) * bool(slots & set(SUBJECT_SLOTS))
        if frame.mood != "neutral" and self.wishes.tone != "neutral":
            worth += 0.5 if frame.mood == self.wishes.tone else -2.5
        if plan.chorus:
            worth += _PERSONS[plan.chorus.person].get(frame.person, -1.0)
            worth += 1.3 * (self.worlds[_whole(frame)] == self.worlds[_whole(plan.chorus)])
        worth += self._thread(part, frame, others)
        worth += 0.5 * (bool(others) and self.worlds[_whole(frame)] in {self.worlds[_whole(f)] for f in others})
        here = plan.frames[part.key]
        worth -= 0.5 * len(words & frozenset(w for f in here for w in self.words[_whole(f)]))
        worth -= 0.25 * len(words & plan.words)
        worth -= 0.5 * len(self.ends[_whole(frame)] & frozenset(w for f in others for w in self.ends[_whole(f)]))
        if part.role in ("verse", "rap"):
            worth += _place(part, frame, first=not here, last=left <= len(frame.lines))
            worth += self._sister(plan, part, frame)
        if part.role == "bridge":
            worth += 0.8 * (frame.metre != plan.metres.get("verse")) + 0.3 * (
                frame.scheme not in {f.scheme for f in others}
            )
        return worth * min(1.0, len(frame.lines) / min(left, 4)) - 0.8 * (len(frame.lines) < min(left, 4))

    def _thread(self, part: Part, frame: Frame, others: Sequence[Frame]) -> float:
        """Returns the gain of a motif that is already there; a rap keeps to the one that it began with."""
        if part.role != "rap":
            return 0.4 * any(set(frame.threads) & set(f.threads) for f in others)
        rapped = [f for f in others if "rap" in f.roles and f.threads]
        return _RAP_THREAD * bool(rapped and set(frame.threads) & set(rapped[0].threads))

    def _sister(self, plan: Plan, part: Part, frame: Frame) -> float:
        """Returns the gain of keeping the scheme of the first verse in the same place."""
        first = plan.frames.get(f"{part.role} 1", ())
        at = len(plan.frames[part.key])
        return 0.6 * (at < len(first) and part.index > 0 and first[at].scheme == frame.scheme)


def _target(part: Part) -> int:
    """Returns lines to look for: a long chorus repeats itself, an odd one ends with its hook."""
    if part.role == "chorus":
        return 4
    return 2 if part.role == "outro" and part.num_lines >= 2 else part.num_lines


def _place(part: Part, frame: Frame, *, first: bool, last: bool) -> float:
    if part.index == 0 and first:
        return 1.2 if "opening" in frame.places else -1.5
    if part.index > 0 and part.index == part.count - 1 and last:
        return 1.0 if "closing" in frame.places else 0.6 if "middle" in frame.places else -1.5
    return 0.8 if "middle" in frame.places else -0.5


def _names_subject(frame: Frame) -> bool:
    return any(name in SUBJECT_SLOTS for name, _ in frame.slots())


def _first_lines(frame: Frame, size: int) -> Frame:
    if len(frame.lines) == size:
        return frame
    hook = tuple(index for index in frame.hook if index < size)
    return replace(frame, name=f"{frame.name}#", lines=frame.lines[:size], scheme=frame.scheme[:size], hook=hook)


def _whole(frame: Frame) -> str:
    return frame.name.partition("#")[0]
