"""What other chorales did where the melody went the same way: pieces that a chorale network looks things up in.

Plain numpy. Before each beat the soprano's way so far (its notes on the beats, as intervals, so that any key will do)
is compared with every place of every remembered piece and of the piece's own past; the places that match longest are
recalled, moved to the key of the moment. Chorales share melodies; the network learns from pieces that are held out of
the memory one by one how far to trust a likeness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from songwright.neural.chorale_features import FRAMES_PER_BEAT, NUM_CODES, VOICES, Ids, transposed

MAX_LENGTH = 12
AGREEMENTS = 10
AGREEMENT_DECAY = 0.7
NOTHING = NUM_CODES
"""Code of a voice in a place that is not there."""
_START = 1000
_BEATS_PER_BAR = 4
_PHASE_WEIGHT = 0.3
_TIE = 1e-7


@dataclass(frozen=True, slots=True)
class Recall:
    """The likeliest places for each frame of a piece.

    Attributes:
        codes: (frames, places, 4) what was written there, moved to the piece's key; NOTHING where there is no place.
        before: (frames, places, 4) the frame before that one there, moved likewise.
        length: (frames, places) beats of melody before it that match, up to MAX_LENGTH.
        agreement: (frames, places) how far the lower voices agreed lately, 0 to AGREEMENTS - 1.
        phase: (frames, places) 1 where both stand equally far from their beginnings, by the bar of four beats.
    """

    codes: Ids
    before: Ids
    length: Ids
    agreement: Ids
    phase: Ids


class ChoraleMemory:
    """Remembers pieces.

    Args:
        pieces: (frames, 4) codes each.
        places: how many are recalled for each beat.
        agreement_weight: how many beats of matching melody it is worth when the lower voices agreed in all that counts.
        key_weight: the same, when both pieces, the place moved to the key of the moment, use the pitch classes equally.
    """

    def __init__(
        self, pieces: Sequence[Ids], places: int = 16, agreement_weight: float = 8.0, key_weight: float = 0.0
    ) -> None:
        self.places, self.agreement_weight, self.key_weight = places, agreement_weight, key_weight
        self.pieces = [_whole_beats(piece) for piece in pieces]

    def recall(self, codes: Ids, without: int | None = None) -> Recall:
        """Returns what the memory holds for a piece; the beats of a place lie in another piece or in the past.

        Args:
            codes: (frames, 4) of the piece; frame t is told only what frames before its beat are like.
            without: a remembered piece that must not be looked at, when the piece itself is remembered.
        """
        own = _whole_beats(codes)
        pool = [piece for number, piece in enumerate(self.pieces) if number != without]
        others = sum(map(len, pool))
        notes = np.concatenate([*pool, own])  # (places, frames of a beat, 4)
        starts = np.cumsum([0, *map(len, pool)])
        where = np.concatenate([np.arange(len(piece)) for piece in [*pool, own]])
        length, agreement = _likeness(own, notes, starts)
        num_beats = len(own)
        phase = (np.arange(num_beats)[:, None] - where) % _BEATS_PER_BAR == 0
        score = np.minimum(length, MAX_LENGTH).astype(np.float64)
        score += self.agreement_weight * agreement + _PHASE_WEIGHT * phase
        if self.key_weight:
            score += self.key_weight * _key_likeness(own, notes, [*map(len, pool)])
        future = np.arange(len(where)) - others >= np.arange(num_beats)[:, None]
        unknown = future | (where == 0) | (length == 0)
        score[unknown] = -1.0
        best = _best(score, self.places)  # (beats, places)
        found = np.take_along_axis(score, best, 1) > 0
        moved, before = _moved(own, notes, best)
        moved[~found] = before[~found] = NOTHING
        frames = np.arange(len(codes))
        beat, within = frames // FRAMES_PER_BEAT, frames % FRAMES_PER_BEAT
        level = np.minimum(agreement * AGREEMENTS, AGREEMENTS - 1).astype(np.int64)
        picked = [np.where(found, np.take_along_axis(table, best, 1), 0)[beat] for table in (length, level, phase)]
        return Recall(
            codes=moved[beat, :, within],
            before=before[beat, :, within],
            length=np.minimum(picked[0], MAX_LENGTH).astype(np.int64),
            agreement=picked[1].astype(np.int64),
            phase=picked[2].astype(np.int64),
        )


def _whole_beats(codes: Ids) -> Ids:
    """Returns (beats, frames of a beat, 4); a last beat that is not whole is filled with its last frame."""
    missing = -len(codes) % FRAMES_PER_BEAT
    return np.concatenate([codes, np.repeat(codes[-1:], missing, axis=0)]).reshape(-1, FRAMES_PER_BEAT, VOICES)


def _likeness(own: Ids, notes: Ids, starts: NDArray[np.int64]) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Returns how long the melody before each beat matches each place's, and how far the lower voices agree."""
    step = np.diff(notes[:, 0, 0], prepend=0)
    step[starts] = _START
    step_own = np.diff(own[:, 0, 0], prepend=0)
    step_own[0] = _START
    lower = notes[:, 0, 1:] - notes[:, 0, :1]  # (places, 3) under the soprano
    lower_own = own[:, 0, 1:] - own[:, 0, :1]
    length = np.zeros((len(own), len(notes)), np.int16)
    agreement = np.zeros((len(own), len(notes)), np.float32)
    for beat in range(1, len(own)):
        same = step[:-1] == step_own[beat - 1]
        length[beat, 1:] = np.where(same, length[beat - 1, :-1] + 1, 0)
        chord = (lower[:-1] == lower_own[beat - 1]).mean(axis=1, dtype=np.float32)
        agreement[beat, 1:] = AGREEMENT_DECAY * agreement[beat - 1, :-1] + (1 - AGREEMENT_DECAY) * chord
    return length, agreement


def _key_likeness(own: Ids, notes: Ids, lengths: list[int]) -> NDArray[np.float64]:
    """Returns how alike the pitch classes are, (beats, places) up to 1, each place moved as `_moved` would move it.

    Those of a remembered piece are counted in all of it, those of the piece itself before the beat.
    """
    counts = _pitch_classes(notes)  # (places, 12)
    others = sum(lengths)
    past = np.cumsum(counts[others:], axis=0) - counts[others:]
    whole = [part.sum(axis=0) for part in np.split(counts[:others], np.cumsum(lengths)[:-1])] if lengths else []
    roots, own_roots = _roots(np.reshape(whole, (-1, 12))), _roots(past)
    turned = own_roots[:, (np.arange(12)[:, None] + np.arange(12)) % 12]  # (beats, semitones, 12)
    alike = np.einsum("bsk,mk->bms", turned, roots)  # (beats, pieces, semitones)
    itself = np.einsum("bsk,bk->bs", turned, own_roots)
    top = np.concatenate([notes[:1, 0, 0], notes[:-1, 0, 0]])
    shift = (_before(own)[:, None] - top) % 12  # (beats, places)
    piece = np.repeat(np.arange(len(lengths)), lengths)
    beats = np.arange(len(own))[:, None]
    return np.concatenate([alike[beats, piece, shift[:, :others]], itself[beats, shift[:, others:]]], axis=1)


def _pitch_classes(notes: Ids) -> NDArray[np.float64]:
    """Returns how often each pitch class sounds in each beat, (beats, 12)."""
    flat = notes.reshape(len(notes), -1)
    return np.stack([((flat > 0) & ((flat - 1) % 12 == number)).sum(axis=1) for number in range(12)], 1).astype(float)


def _roots(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the roots of shares, so that a product of two rows is 1 where they are equal."""
    return np.asarray(np.sqrt((counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)))


def _before(own: Ids) -> Ids:
    """Returns the soprano on the beat before each beat."""
    return np.concatenate([own[:1, 0, 0], own[:-1, 0, 0]])


def _best(score: NDArray[np.float64], places: int) -> Ids:
    """Returns the columns of the highest scores of each row, highest first; the earlier column wins a tie."""
    order = score - _TIE * np.arange(score.shape[1])
    count = min(places, score.shape[1])
    some = np.argpartition(-order, count - 1, axis=1)[:, :count]
    ranks = np.argsort(-np.take_along_axis(order, some, 1), axis=1)
    return np.take_along_axis(some, ranks, 1)


def _moved(own: Ids, notes: Ids, best: Ids) -> tuple[Ids, Ids]:
    """Returns the notes of places and the frames before each, (beats, places, frames of a beat, 4).

    They are moved so that the soprano of the beat before fits.
    """
    shift = _before(own)[:, None] - notes[np.maximum(best - 1, 0), 0, 0]  # (beats, places)
    frames = best[:, :, None] * FRAMES_PER_BEAT + np.arange(FRAMES_PER_BEAT)
    flat = notes.reshape(-1, VOICES)
    both = [flat[np.maximum(frames - back, 0)] for back in (0, 1)]
    moved = [np.where(f > 0, np.clip(f + shift[:, :, None, None], 1, NUM_CODES - 1), 0) for f in both]
    return moved[0], moved[1]


def moved_recall(recall: Recall, shift: int) -> Recall:
    """Returns recalled places moved by semitones; those that are not there stay so."""
    codes, before = (
        np.where(notes < NUM_CODES, transposed(notes, shift), notes) for notes in (recall.codes, recall.before)
    )
    return replace(recall, codes=codes, before=before)
