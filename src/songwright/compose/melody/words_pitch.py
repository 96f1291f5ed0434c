"""What words ask of pitches: tones not fought, questions that end up, melismas by step; rap near one tone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from songwright.compose.melody.features import INTERVALS
from songwright.compose.melody.phrase_plan import PhrasePlan, Setting
from songwright.compose.melody.pitch import Bend
from songwright.compose.melody.rhythm import Slots
from songwright.compose.melody.word_lines import WordLine
from songwright.score.voices import VoiceType

TONE_WEIGHT = 3.4
"""Cost of a move against the tones, in nats."""
CHORD_PULL = 0.1
"""Cost of a note on a beat outside its chord: words dwell on beats more than instruments do."""
QUESTION_WEIGHT = 4.0
MELISMA_CHANCE = {
    "soul": 0.3, "rnb": 0.3, "gospel": 0.34, "mandarin_ballad": 0.16, "guofeng": 0.18, "russian_romance": 0.14,
    "folk": 0.08, "country": 0.09, "blues": 0.16, "jazz": 0.12, "pop": 0.08, "reggae": 0.06, "afrobeat": 0.08,
    "salsa": 0.06, "bossa_nova": 0.05, "disco": 0.08, "house": 0.1, "classical": 0.12, "waltz": 0.08,
    "cinematic": 0.1, "rock": 0.04, "synthwave": 0.04, "reggaeton": 0.04, "funk": 0.08,
}  # fmt: skip
"""Chance of a melisma on a syllable that could bear one, by style; none in styles not listed."""
SHORTEST_MELISMA_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sung:
    """Notes of a line and which syllable each carries.

    Attributes:
        slots: (start, length) in sixteenths.
        owners: index of the syllable of each.
    """

    slots: Slots
    owners: tuple[int, ...]

    @property
    def onsets(self) -> tuple[int, ...]:
        """Where the syllables begin."""
        return tuple(s for i, (s, _) in enumerate(self.slots) if i == 0 or self.owners[i] != self.owners[i - 1])


def with_melismas(slots: Slots, line: WordLine, setting: Setting, random: np.random.Generator, *, peak: bool) -> Sung:
    """Returns the notes with some long open syllables spread over two to four.

    Args:
        slots: one for each syllable.
        line: the words.
        setting: of the song.
        random: draws.
        peak: whether the phrase is a climax, where melismas are likelier.
    """
    chance = MELISMA_CHANCE.get(setting.style.name, 0.0) * (1.6 if peak else 1.0)
    step = setting.bar_seconds / setting.bar_steps
    notes: list[tuple[int, int]] = []
    owners: list[int] = []
    for i, (start, length) in enumerate(slots):
        syllable = line.syllables[i]
        last = i == len(slots) - 1
        bears = syllable.is_open and (syllable.stress > 0 or last) and length * step >= SHORTEST_MELISMA_SECONDS
        drawn = float(random.random())
        if not bears or drawn >= chance or length < 4:
            notes.append((start, length))
            owners.append(i)
            continue
        parts = _split(length, step, last, drawn < 0.35 * chance)
        at = start
        for part in parts:
            notes.append((at, part))
            owners.append(i)
            at += part
    return Sung(tuple(notes), tuple(owners))


def _split(length: int, step: float, last: bool, many: bool) -> tuple[int, ...]:
    """Returns the lengths of a melisma's notes: a held note and a turn, or short notes into a held last one."""
    short = 2 if 2 * step >= 0.15 else 4
    if last:
        count = 2 if many and length >= 4 * short else 1
        return (*(short for _ in range(count)), length - count * short)
    if many and length >= 4 * short:
        return (length - 2 * short, short, short)
    return (length - short, short)


def word_bend(line: WordLine, sung: Sung, peers: Sequence[WordLine], *, tones: bool = True) -> Bend:
    """Returns what the words add to the model of pitches.

    Args:
        line: the words.
        sung: their notes.
        peers: lines that will be sung to the same tune; their tones count too.
        tones: whether tones count at all.
    """
    bias = np.zeros((len(sung.slots), len(INTERVALS)))
    alike = [line, *(peer for peer in peers if len(peer.syllables) == len(line.syllables))]
    wanted = np.mean([peer.directions for peer in alike], axis=0) if tones else np.zeros(len(line.syllables))
    certain = np.mean([np.abs(peer.directions) for peer in alike], axis=0)
    for k, owner in enumerate(sung.owners):
        if k and owner == sung.owners[k - 1]:
            size = np.abs(INTERVALS)
            bias[k] -= np.where(size == 0, 4.0, 1.5 * np.maximum(0, size - 2))
            continue
        up, down = (certain[owner] + wanted[owner]) / 2, (certain[owner] - wanted[owner]) / 2
        bias[k] -= TONE_WEIGHT * (up * (INTERVALS < 0) + down * (INTERVALS > 0))
    if line.question and len(sung.slots) > 1:
        bias[-1] += QUESTION_WEIGHT * (np.sign(INTERVALS) * (np.abs(INTERVALS) <= 7))
    return Bend(bias, CHORD_PULL)


def opposed(directions: Sequence[int], pitches: Sequence[int]) -> tuple[int, int]:
    """Returns how many moves between syllables go against the tones, and how many the tones ask something of.

    Args:
        directions: of `WordLine.directions`.
        pitches: first pitch of each syllable.
    """
    asked = [(d, b - a) for d, a, b in zip(directions[1:], pitches, pitches[1:], strict=False) if d]
    return sum(1 for d, move in asked if d * move < 0), len(asked)


def spoken_rhythm(line: WordLine, start: int, end: int) -> Slots:
    """Returns the notes of a spoken line: speech rhythm, evenly inside its bars.

    Args:
        line: the words.
        start: first step.
        end: where the last note ends.
    """
    weights = np.array([1.0 + 0.5 * s.stress + 0.5 * s.pause for s in line.syllables])
    span = max(end - start, len(weights))
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum() * span
    starts = np.round(edges).astype(int)
    for i in range(1, len(starts)):
        starts[i] = max(starts[i], starts[i - 1] + 1)
    return tuple((start + int(a), int(b - a)) for a, b in pairwise(starts))


def speech_pitches(
    line: WordLine, plan: PhrasePlan, slots: Slots, setting: Setting, voice: VoiceType
) -> tuple[int, ...]:
    """Returns the pitches of a rapped or spoken line: one low tone of the key, a step higher where it is stressed.

    Args:
        line: the words.
        plan: where it lies.
        slots: its notes.
        setting: key and chords.
        voice: whose speech it is.
    """
    shift = setting.plan.section_at(plan.start_ticks).key_shift
    tonic = setting.plan.key.tonic + shift
    third = 3 if setting.mode else 4
    bottom = voice.tessitura[0]
    base = next(p for p in range(bottom, bottom + 12) if (p - tonic) % 12 in (0, 7))
    high = base + (third if (base - tonic) % 12 == 0 else 3 if setting.mode else 2)
    pitches = []
    last = len(slots) - 1
    for i, _ in enumerate(slots):
        stressed = line.syllables[i].stress >= 0.85
        rises = line.question and i == last
        falls = line.delivery == "spoken" and i == last and not rises
        peak = stressed and (i <= 1 or line.delivery == "rap")
        pitches.append(high if rises or (peak and not falls) else base)
    return tuple(pitches)
