"""In the manner of a reference: only parts that it has change, and the network sees its bars before the song's."""

from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.compose.compose import compose_song
from songwright.compose.imitate import IMITATED, imitated, paired
from songwright.compose.scene import cut_chords, cut_notes, fitted, steps_between
from songwright.errors import InputError
from songwright.neural.step_model import StepModel
from songwright.score.song import ChordSpan, KeyChange, MeterChange, Note, Song, Track, check
from songwright.score.theory import Key

pytest.importorskip("torch")

from tiny_composer import tiny_composer

BAR = 3840


def reference(key="D major", up=2, num_bars=10):
    """Returns a band of drums and bass, eight strokes a bar and root notes on the beats."""
    kick = tuple(Note(i * 480, 240, 36 if i % 2 == 0 else 42, 90) for i in range(8 * num_bars))
    bass = tuple(Note(i * 960, 900, 36 + up + (0, 7, 5, 7)[i // 4 % 4], 90) for i in range(4 * num_bars))
    tracks = (
        Track("kit", "drums", "standard_kit", notes=kick),
        Track("low", "bass", "acoustic_bass", notes=bass),
    )
    return Song(duration_ticks=num_bars * BAR, keys=(KeyChange(0, key),), tracks=tracks)


@pytest.fixture(scope="module")
def model():
    return tiny_composer()


@pytest.fixture(scope="module")
def song():
    return compose_song(Brief(styles=("rock",), seed=4, duration_seconds=20.0, instrumental=True, key="G major"))


@pytest.fixture(scope="module")
def made(model, song):
    return imitated(song, reference(), model, seed=1, candidates=1)


class Watched(StepModel):
    """A network that remembers what was put before it."""

    def __init__(self, model):
        self.model, self.seen = model, []

    @property
    def max_steps(self):
        return self.model.max_steps

    def prefill(self, codes):
        self.seen.append(codes.copy())
        self.model.prefill(codes)

    def start(self, batch, max_steps):
        self.model.start(batch, max_steps)

    def set_features(self, step, features):
        self.model.set_features(step, features)

    def feed(self, tokens):
        self.model.feed(tokens)

    def logits(self):
        return self.model.logits()


def test_only_parts_of_the_reference_change(made, song):
    check(made)
    changed = {old.role for old, new in zip(song.tracks, made.tracks, strict=True) if old is not new}
    assert changed == {"drums", "bass"}
    assert (made.chords, made.sections, made.tempos, made.keys) == (song.chords, song.sections, song.tempos, song.keys)
    last = song.duration_ticks - BAR
    for old, new in zip(song.tracks, made.tracks, strict=True):
        rung = [note for note in old.notes if note.start_ticks >= last]
        assert [n for n in new.notes if n.start_ticks >= last] == rung
    drums = next(track for track in made.tracks if track.role == "drums")
    assert {note.pitch for note in drums.notes if note.start_ticks < last} <= {36, 42}


def test_the_same_seed_writes_the_same(model, song, made):
    assert imitated(song, reference(), model, seed=1, candidates=1) == made
    assert imitated(song, reference(), model, seed=2, candidates=1) != made


def test_the_references_bars_stand_before_what_is_written(model, song):
    watched = Watched(model)
    imitated(song, reference(), watched, seed=1, candidates=1)
    from songwright.compose.tokens.vocabulary import KIND, VALUE, VALUES, Kind

    seen = watched.seen[0][0]  # (6, T)
    drums = VALUES["drum"]
    struck = seen[VALUE][(seen[KIND] == Kind.NOTE) & (seen[VALUE] >= drums.start) & (seen[VALUE] < drums.stop)]
    assert len(struck) == 8 * 8
    assert set((struck - drums.start).tolist()) == {36, 42}


def test_a_part_rests_where_it_rested(model, song):
    drums = next(track for track in song.tracks if track.role == "drums")
    section = max(song.sections, key=lambda one: one.duration_ticks)

    def inside(note):
        return section.start_ticks <= note.start_ticks < section.end_ticks

    assert any(inside(note) for note in drums.notes)
    quiet = song.with_track(replace(drums, notes=tuple(n for n in drums.notes if not inside(n))))
    made = imitated(quiet, reference(), model, seed=1, candidates=1).track(drums.id)
    assert made.notes
    assert not any(inside(note) for note in made.notes)


def test_who_follows_whom(song):
    pairs = paired(song, reference())
    assert {song.track(name).role: other.id for name, other in pairs.items()} == {"drums": "kit", "bass": "low"}
    assert all(song.track(name).role in IMITATED for name in pairs)


def test_notes_are_moved_into_key_and_octave():
    notes = [Note(0, 960, 50, 90), Note(960, 960, 57, 90)]
    bass = Track("b", "bass", "acoustic_bass", notes=(Note(0, 960, 36, 80),))
    assert [note.pitch for note in fitted(notes, -2, bass)] == [36, 43]
    drums = Track("d", "drums", "standard_kit", notes=(Note(0, 240, 36, 80),))
    assert fitted(notes, -2, drums) == notes


def test_stretches_of_notes_and_chords():
    notes = [Note(0, 5000, 60, 80), Note(4000, 960, 62, 80)]
    assert cut_notes(notes, 3840, 7680, 960) == [Note(1120, 960, 62, 80)]
    assert cut_notes(notes, 0, 3840, 0) == [Note(0, 3840, 60, 80)]
    chords = (ChordSpan(0, 3840, "C"), ChordSpan(3840, 3840, "N.C."))
    assert cut_chords(chords, 1920, 5760, 0, 2) == (ChordSpan(0, 1920, "D"), ChordSpan(1920, 1920, "N.C."))


@pytest.mark.parametrize(("key", "other", "up"), [("C", "D", 2), ("C", "A", -3), ("F", "B", 6), ("G", "G", 0)])
def test_from_key_to_key(key, other, up):
    tonic = {"C": 0, "D": 2, "A": 9, "F": 5, "B": 11, "G": 7}
    assert steps_between(Key(tonic[key], "major"), Key(tonic[other], "major")) == up
    assert steps_between(Key(9, "minor"), Key(0, "major")) == 0


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (replace(reference(), meters=(MeterChange(0, 3, 4),)), "the reference is in 3/4, the song in 4/4"),
        (replace(reference(), tracks=()), r"none of this song's parts: the song has .*bass.*, the reference no notes"),
        (
            replace(reference(), tracks=(Track("t", "melody", "flute", notes=(Note(0, 960, 60, 80),)),)),
            "the reference melody",
        ),
    ],
)
def test_references_that_cannot_be_followed(model, song, other, message):
    with pytest.raises(InputError, match=message):
        imitated(song, other, model, seed=1)
