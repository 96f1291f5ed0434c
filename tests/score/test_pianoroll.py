import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from PIL import Image
from score_strategies import songs

from songwright.score.pianoroll import WIDTH, draw_piano_roll, drawable, to_png_bytes
from songwright.score.song import Note, Section, Song, Track


@settings(max_examples=4, deadline=None)
@given(songs(offsets=True))
def test_any_song_in_any_script_is_drawn_the_same_twice(song):
    first = to_png_bytes(song)
    assert first == to_png_bytes(song)
    assert Image.open(io.BytesIO(first)).size[0] == WIDTH


def test_an_empty_song_is_drawn():
    assert draw_piano_roll(Song()).size[0] == WIDTH


def test_notes_change_the_picture_in_the_colour_of_their_role():
    empty = Song(duration_ticks=3840 * 4, tracks=(Track("a", "bass", "acoustic_bass", "", (Note(0, 60, 40, 100),)),))
    full = replace(empty, tracks=(replace(empty.tracks[0], notes=(Note(0, 15360, 40, 100),)),))
    colours = {c for _, c in draw_piano_roll(full).getcolors(100_000)}
    assert any(g > 150 and g > r + 50 and g > b + 30 for r, g, b in colours)
    assert to_png_bytes(empty) != to_png_bytes(full)


def test_long_songs_take_rows_and_sections_their_bands():
    song = Song(duration_ticks=3840 * 60, sections=(Section("A", "verse", 0, 3840 * 60, 0.2),))
    assert draw_piano_roll(song).size[1] > draw_piano_roll(replace(song, duration_ticks=3840 * 8)).size[1]
    louder = replace(song, sections=(replace(song.sections[0], energy=1.0),))
    assert to_png_bytes(louder) != to_png_bytes(song)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Café Щука", "Cafe Shchuka"), ("月亮代表我的心", "x"), ("Verse 副", "Verse"), ("", "x"), ("Диско", "Disko")],
)
def test_titles_are_written_in_letters_the_font_has(text, shown):
    assert drawable(text, "x") == shown
