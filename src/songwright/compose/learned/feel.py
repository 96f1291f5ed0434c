"""How new notes are played in a song that is there already: as early or late as its own notes at such places."""

from collections import defaultdict
from dataclasses import replace

import numpy as np

from songwright.score.song import TICKS_PER_QUARTER, Note, Song, Track

_EIGHTH = TICKS_PER_QUARTER // 2
_TRIPLET = TICKS_PER_QUARTER // 3
_GRAIN = TICKS_PER_QUARTER // 24


class Feel:
    """Offsets of a song's notes by place in the beat, of every track and of all together.

    Args:
        song: whose feel it is.
    """

    def __init__(self, song: Song) -> None:
        self.swing = song.swing
        own: dict[tuple[str, int], list[int]] = defaultdict(list)
        for track in song.tracks:
            for note in track.notes:
                place = _place(note.start_ticks)
                own[track.id, place].append(note.offset_ticks)
                own["", place].append(note.offset_ticks)
        self.usual = {key: int(np.median(offsets)) for key, offsets in own.items()}

    def played(self, note: Note, track: Track) -> Note:
        """Returns a note with the offset usual at its place in its track, else in the song, else by the swing."""
        place = _place(note.start_ticks)
        for key in ((track.id, place), ("", place)):
            if key in self.usual:
                return replace(note, offset_ticks=max(self.usual[key], -note.start_ticks))
        late = round(self.swing * (2 * _TRIPLET - _EIGHTH)) if place * _GRAIN == _EIGHTH else 0
        return replace(note, offset_ticks=late)


def _place(tick: int) -> int:
    return round(tick % TICKS_PER_QUARTER / _GRAIN)
