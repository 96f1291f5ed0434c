"""A song in another style: what is kept is the same object and sounds the same; the rest belongs to the other style."""

from dataclasses import fields, replace

import numpy as np
import pytest
from sung_material import vocal_plan
from test_arrange import material

from songwright.brief.brief import Brief
from songwright.compose.arrange.arrange import arrange_sung
from songwright.compose.compose import Draft, assemble, compose_song
from songwright.compose.plan_of_song import plan_of
from songwright.compose.restyle import kept_tracks, led_between, restyled
from songwright.compose.style import load_style
from songwright.errors import InputError
from songwright.perform.render import render_song
from songwright.perform.timeline import performance
from songwright.score.song import Note, Song, Track
from songwright.score.theory import parse_chord

SUNG = ("vocal", "backing_vocal")


@pytest.fixture(scope="module")
def song():
    form = ("intro", "verse", "chorus", "solo", "chorus")
    plan, style, chords, tune = material("rock", 1, form=form, duration_seconds=60.0)
    vocals = vocal_plan(plan, tune)
    tune = tuple(n for n in tune if plan.section_at(n.start_ticks).role == "solo")
    arrangement = arrange_sung(plan, style, chords, tune, vocals, seed=1)
    return assemble(
        Draft(plan, chords, arrangement.tracks, arrangement.syllables, vocals), style, Brief(styles=("rock",), seed=1)
    )


@pytest.fixture(scope="module")
def jazz(song):
    return restyled(song, load_style("jazz"), seed=1)


def test_voices_words_form_and_tempo_stay(song, jazz):
    for track in song.tracks:
        if track.role in SUNG:
            assert jazz.track(track.id) is track
    assert jazz.syllables == song.syllables
    assert jazz.sections == song.sections
    assert jazz.tempos == song.tempos
    assert jazz.keys == song.keys
    assert jazz.duration_ticks == song.duration_ticks
    assert jazz.seed == song.seed


def test_the_rest_is_of_the_other_style(song, jazz):
    assert jazz.style == "jazz"
    assert jazz.swing == load_style("jazz").feel.swing
    assert jazz.master != song.master
    assert jazz.master.vocal_level_db == load_style("jazz").vocals.level_db
    books = {part.id for part in load_style("jazz").part}
    assert {t.id for t in jazz.tracks if t.role not in SUNG} <= books
    assert jazz.chords != song.chords
    sevenths = [len(parse_chord(c.symbol).pitch_classes) >= 4 for c in jazz.chords]
    assert sum(sevenths) > 0.6 * len(sevenths)


def test_the_new_chords_carry_what_is_sung(song, jazz):
    def carried(chords):
        good = total = 0
        for track in song.tracks:
            for note in track.notes if track.role in SUNG else ():
                for span in chords:
                    held = max(0, min(note.end_ticks, span.end_ticks) - max(note.start_ticks, span.start_ticks))
                    total += held
                    good += held * (note.pitch % 12 in parse_chord(span.symbol).pitch_classes)
        return good / total

    assert carried(jazz.chords) > carried(song.chords) - 0.1


def test_what_is_kept_is_sung_the_same(song, jazz):
    for track in song.tracks:
        if track.role in SUNG:
            before, after = performance(song, track), performance(jazz, jazz.track(track.id))
            for field in fields(before):
                assert np.array_equal(getattr(before, field.name), getattr(after, field.name)), field.name


class Tone:
    """A player of plain tones."""

    identity = "tone"

    def render(self, performance, instrument, *, sample_rate, num_samples):
        wave = np.zeros((2, num_samples), np.float32)
        for start, end, pitch in zip(
            performance.start_seconds, performance.end_seconds, performance.pitches, strict=True
        ):
            first, last = round(start * sample_rate), min(num_samples, round(end * sample_rate))
            time = np.arange(max(0, last - first)) / sample_rate
            wave[:, first:last] += (0.05 * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * time)).astype(np.float32)
        return wave


def _few(song):
    return replace(song, tracks=tuple(track for track in song.tracks if track.role in ("melody", "bass")))


def test_a_kept_melody_is_the_same_stem_in_the_same_room(tmp_path):
    song = compose_song(Brief(styles=("rock",), seed=2, duration_seconds=8.0, instrumental=True))
    made = restyled(song, load_style("reggae"), seed=0, keep_mix=True)
    assert made.master == song.master
    players = dict.fromkeys(("sampler", "synth", "singer"), Tone())
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    stems = [
        render_song(_few(one), tmp_path / name, players=players, sample_rate=8000).stems
        for name, one in (("a", song), ("b", made))
    ]
    kept = [track.id for track in kept_tracks(song)]
    assert kept
    for name in kept:
        before, after = (stem[name].read_bytes()[44:] for stem in stems)
        length = min(len(before), len(after))  # the last chord may ring longer in one of the two
        assert before[:length] == after[:length]
        assert not any(before[length:] + after[length:])
    assert stems[0]["bass"].read_bytes() != stems[1]["bass"].read_bytes()


def test_what_led_between_the_lines_is_led_by_the_new_style(song, jazz):
    tune = led_between(song, plan_of(song))
    assert tune
    leads = [note for track in jazz.tracks if track.role == "melody" for note in track.notes]
    places = {note.start_ticks for note in leads}
    assert sum(note.start_ticks in places for note in tune) > 0.8 * len(tune)


def test_another_tempo_and_style(song, jazz):
    made = restyled(song, load_style("folk"), seed=2, tempo_bpm=80.0)
    assert made.tempos[0].bpm == 80.0
    assert made.tracks != jazz.tracks
    assert all(made.track(track.id) is track for track in song.tracks if track.role in SUNG)


def test_a_bare_tune_gets_sections_too():
    notes = tuple(Note(i * 960, 900, 60 + i % 5, 80) for i in range(64))
    bare = Song(duration_ticks=64 * 960, tracks=(Track("t", "melody", "flute", notes=notes),))
    made = restyled(bare, load_style("folk"), seed=0)
    assert restyled(bare, load_style("folk"), seed=0) == made
    assert made.sections[-1].end_ticks == made.duration_ticks
    assert made.track("t").notes is notes


def test_nothing_to_keep():
    drums = Track("kit", "drums", "standard_kit", notes=(Note(0, 240, 36, 80),))
    with pytest.raises(InputError, match=r"neither a voice nor a melody .* kit"):
        restyled(Song(duration_ticks=3840, tracks=(drums,)), load_style("jazz"), seed=0)
