import re

import pytest
from hypothesis import given, settings
from score_strategies import songs

from songwright.errors import InputError
from songwright.score.song import ChordSpan, Note, Section, Song, Track
from songwright.score.view import describe, describe_bars


@settings(max_examples=30, deadline=None)
@given(songs(offsets=True))
def test_every_track_and_section_is_shown(song):
    text = describe(song)
    for track in song.tracks:
        assert track.id in text
    for section in song.sections:
        assert section.label in text
    assert all(line == line.rstrip() for line in text.splitlines())
    assert describe(song) == text


def small_song():
    drums = [Note(i * 480, 60, 42, 60) for i in range(8)] + [Note(0, 60, 36, 110), Note(1920, 60, 36, 40)]
    return Song(
        title="Small",
        duration_ticks=7680,
        keys=Song().keys,
        sections=(Section("Verse", "verse", 0, 3840, 0.5), Section("Chorus", "chorus", 3840, 3840, 1.0)),
        chords=(ChordSpan(0, 1920, "Dm7"), ChordSpan(1920, 1920, "G7"), ChordSpan(3840, 3840, "Cmaj7")),
        tracks=(
            Track("lead", "melody", "flute", "Lead", (Note(0, 960, 74, 90), Note(1920, 480, 71, 90))),
            Track(
                "keys", "chords", "electric_piano", "", tuple(Note(t, 240, p, 70) for t in (0, 960) for p in (60, 64))
            ),
            Track("drums", "drums", "standard_kit", "", tuple(sorted(drums))),
        ),
    )


def row(text, name):
    line = next(line for line in text.splitlines() if line.strip().startswith(name))
    return re.sub(r"\s+", " ", line).strip()


def test_bars_show_notes_chords_and_drums_on_their_steps():
    text = describe_bars(small_song(), 1, 1)
    assert "bar 1 · Verse · 4/4 · Dm7 . G7 ." in text
    assert row(text, "lead") == "lead |D5 - - - |. . . . |B4 - . . |. . . . |"
    assert row(text, "keys") == "keys |[2] . . . |= . . . |. . . . |. . . . |"
    assert row(text, "kick") == "kick |X . . . |. . . . |o . . . |. . . . |"
    assert row(text, "closed hat") == "closed hat |x . x . |x . x . |x . x . |x . x . |"


def test_bars_that_are_not_there_are_refused():
    with pytest.raises(InputError, match="bars 1 to 2"):
        describe_bars(small_song(), 3, 4)
    assert "bar 2" in describe_bars(small_song(), 2, 9)


def test_colour_only_on_request():
    assert "\x1b" not in describe(small_song())
    assert "\x1b[33m" in describe(small_song(), color=True)


def test_width_is_respected_by_the_overview():
    overview = describe(small_song(), width=80).split("FIRST BARS")[0]
    assert max(map(len, overview.splitlines())) <= 100
