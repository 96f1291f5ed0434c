"""What makes one rhythm or line of a tune better than another that obeys the same rules: the judge of candidates."""

from collections import Counter
from itertools import pairwise

import numpy as np

from songwright.compose.melody.features import SCALE
from songwright.compose.melody.phrase_plan import Setting
from songwright.compose.melody.phrases import Line, lift_at
from songwright.compose.melody.rhythm import SYNCOPATION_SHARE, Slots
from songwright.compose.melody.word_lines import WordLine
from songwright.compose.melody.words_pitch import Sung, opposed
from songwright.compose.melody.words_rhythm import LineSyllable, strengths

EVENNESS_COST, USUAL_EVENNESS = 4.0, 0.64
"""Of a rhythm whose most frequent gap is more frequent than usual."""
WEAK_OPENING_COST = 0.8
"""Of a line whose unstressed first syllable stands on the bar line."""
CHORD_COST = 1.0
"""Of all notes on beats lying outside their chords."""
TONE_COST = 6.0
"""Of every asked move that goes against the tones, as a share of those asked."""


def rhythm_cost(
    slots: Slots, syllables: tuple[LineSyllable, ...], setting: Setting, syncopation: float, before: Slots = ()
) -> float:
    """Returns how dull or unlike its style a rhythm is, and how badly it speaks.

    Args:
        slots: a note for each syllable.
        syllables: of the line.
        setting: of the song.
        syncopation: wanted, 0 to 1.
        before: the line before it, to contrast with; empty at a section's beginning.
    """
    if len(slots) < 3:
        return 0.0
    gaps = [b - a for (a, _), (b, _) in pairwise(slots)]
    common = Counter(gaps).most_common(1)[0][1] / len(gaps)
    cost = EVENNESS_COST * max(0.0, common - USUAL_EVENNESS)
    strong = strengths(setting)
    beat = setting.plan.beat_ticks // 240
    placed = [(s % setting.bar_steps, g) for (s, _), g in zip(slots, [*gaps, beat], strict=True)]
    strength = np.array([strong[p, min(g, strong.shape[1] - 1)] for p, g in placed])
    stress = np.array([s.stress for s in syllables])
    cost += 6.0 * float((stress * (1.0 - strength)).sum()) / max(1.0, float(stress.sum()))
    ahead = sum(1 for p, g in placed if p % beat and strong[p, min(g, strong.shape[1] - 1)] >= 0.7) / len(placed)
    cost += 5.0 * abs(ahead - SYNCOPATION_SHARE[setting.group] * syncopation)
    cost += WEAK_OPENING_COST * (slots[0][0] % setting.bar_steps == 0 and syllables[0].stress < 0.3)
    lengths = [n for _, n in slots]
    cost += 0.8 * (max(lengths[:-1]) == min(lengths[:-1]))
    if before and [s for s, _ in before] == [s for s, _ in slots]:
        cost += 0.6
    return float(cost)


def hook_cost(line: Line, words: WordLine, sung: Sung, setting: Setting, *, tones: bool = True) -> float:
    """Returns how far a line is from what is easily remembered and well declaimed.

    A memorable line spans five to ten semitones, moves by steps and repeats with a leap or two, has its top on a
    stressed syllable, and says a small figure twice.

    Args:
        line: its notes.
        words: its syllables.
        sung: which note carries which.
        setting: chords under it.
        tones: whether Mandarin tones count.
    """
    pitches = np.array(line.pitches)
    if len(pitches) < 3:
        return 0.0
    moves = np.diff(pitches)
    span = int(pitches.max() - pitches.min())
    cost = 0.25 * max(0, 5 - span) + 0.25 * max(0, span - 10)
    leaps = int((np.abs(moves) >= 4).sum())
    cost += 0.5 * max(0, leaps - 2) + (0.4 if leaps == 0 else 0.0)
    cost += 1.2 * max(0.0, float((moves == 0).mean()) - 0.4)
    top = int(pitches.argmax())
    cost += 0.4 * (float(words.syllables[sung.owners[top]].stress) < 0.3)
    rises = [
        float(moves[k - 1])
        for k in range(1, len(pitches))
        if sung.owners[k] != sung.owners[k - 1] and words.syllables[sung.owners[k]].stress >= 0.8
    ]
    cost -= 0.12 * float(np.mean(np.clip(rises, -4, 4))) if rises else 0.0
    figures = Counter(zip(moves.tolist(), moves[1:].tolist(), strict=False))
    cost -= 0.25 * min(2, sum(1 for count in figures.values() if count > 1))
    cost += CHORD_COST * _foreign(line, setting)
    if tones:
        firsts = [int(p) for k, p in enumerate(pitches) if k == 0 or sung.owners[k] != sung.owners[k - 1]]
        against, asked = opposed(words.directions, firsts)
        cost += TONE_COST * against / max(1, asked)
    return float(cost)


def _foreign(line: Line, setting: Setting) -> float:
    """Returns the share of notes on beats that are no tone of their chord."""
    shift = lift_at(setting, line.plan.start_ticks)
    tonic, beat = setting.plan.key.tonic + shift, setting.plan.beat_ticks // 240
    rows = [(s, n, p) for (s, n), p in zip(line.slots, line.pitches, strict=True) if s % setting.bar_steps % beat == 0]
    harmonies = [(setting.harmony_of(line.plan.start_ticks, s, n, shift), p) for s, n, p in rows]
    foreign = [bool(h.classes[(p - tonic) % 12] >= SCALE) for h, p in harmonies if h.root < 12]
    return sum(foreign) / max(1, len(foreign))
