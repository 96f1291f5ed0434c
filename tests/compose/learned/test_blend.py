"""Songs between two songs: the ends are the songs themselves, and what lies between keeps form, words and harmony."""

from dataclasses import replace

import numpy as np
import pytest

from songwright.compose.learned.bars.coder import SHIPPED, BarCoder, load_coder
from songwright.compose.learned.bars.kinds import bar_shapes
from songwright.compose.learned.blend import blended
from songwright.compose.learned.blend_harmony import followed
from songwright.compose.learned.blend_sides import guessed_chords, matched_windows, partner, side_of
from songwright.compose.tokens.grid import chord_number, chord_of
from songwright.errors import InputError
from songwright.neural.bar_network import BarNetwork, weight_sizes
from songwright.score.song import (
    ChordSpan,
    KeyChange,
    MeterChange,
    Note,
    Section,
    Song,
    Syllable,
    TempoChange,
    Track,
    check,
    to_json,
)
from songwright.score.theory import parse_chord, parse_key

BAR, BEAT = 3840, 960


def line(cells, octave=0, velocity=80, length=None):
    """Notes from pairs (sixteenth, pitch)."""
    ends = [cell for cell, _ in cells[1:]] + [(cells[-1][0] // 16 + 1) * 16]
    return tuple(
        Note(cell * 240, (length or end - cell) * 240, pitch + 12 * octave, velocity)
        for (cell, pitch), end in zip(cells, ends, strict=True)
    )


def song(title, chords, tune, roles, *, tempo=100.0, key="C major", bars=8, octave=0, **more):
    """A song whose four bars come round: chords by the bar, a tune, and tracks that go with the chords."""
    symbols = [chords[i % len(chords)] for i in range(bars)]
    spans = tuple(ChordSpan(i * BAR, BAR, symbol) for i, symbol in enumerate(symbols))
    melody = line([(16 * b + c, p) for b in range(bars) for c, p in tune[b % len(tune)]], octave)
    bass, block = [], []
    for i, symbol in enumerate(symbols):
        root = parse_chord(symbol).root
        bass += [Note(i * BAR + beat * BEAT, BEAT, 36 + root, 90) for beat in roles["bass"]]
        tones = [60 + (root + step) % 12 for step in parse_chord(symbol).intervals[:3]]
        block += [Note(i * BAR + beat * BEAT, BEAT, p, 70) for beat in roles["chords"] for p in sorted(tones)]
    drums = [Note(i * BAR + cell * 240, 240, p, 90) for i in range(bars) for p, cell in roles["drums"]]
    tracks = (
        Track("lead", "melody", "flute", notes=melody),
        Track("piano", "chords", "acoustic_grand_piano", notes=tuple(sorted(block))),
        Track("bass", "bass", "electric_bass_finger", notes=tuple(bass)),
        Track("drums", "drums", "standard_kit", notes=tuple(sorted(drums))),
    )
    half = bars // 2 * BAR
    sections = (Section("Verse", "verse", 0, half, 0.4), Section("Chorus", "chorus", half, bars * BAR - half, 0.8))
    made = Song(
        title=title, duration_ticks=bars * BAR, tempos=(TempoChange(0, tempo),), keys=(KeyChange(0, key),),
        sections=sections, chords=spans, tracks=tracks,
    )  # fmt: skip
    return replace(made, **more)


def kit(kick, snare, hats):
    return [(pitch, cell) for pitch, cells in ((36, kick), (38, snare), (42, hats)) for cell in cells]


ROCK = {"bass": (0, 1, 2, 3), "chords": (0, 2), "drums": kit((0, 8), (4, 12), range(0, 16, 2))}
BALLAD = {"bass": (0, 2), "chords": (0, 1, 2, 3), "drums": kit((0, 10), (8,), range(0, 16, 4))}
TUNE_A = (
    ((0, 72), (4, 76), (8, 79), (12, 76)),
    ((0, 77), (8, 76), (12, 74)), ((0, 71), (4, 74), (8, 79)), ((0, 76), (8, 72)),
)  # fmt: skip
TUNE_B = (
    ((0, 69), (6, 71), (8, 73), (14, 74)),
    ((0, 76), (2, 74), (4, 73), (8, 69)), ((0, 74), (6, 73), (8, 71)), ((0, 69),),
)  # fmt: skip


@pytest.fixture(scope="module")
def coder():
    """The networks that come with the program."""
    return load_coder(SHIPPED)


@pytest.fixture(scope="module")
def noise():
    """Networks with random weights: what they write is noise, but the rules hold for noise too."""
    random = np.random.default_rng(3)
    networks = {}
    for kind, shape in bar_shapes(16, 8, 6).items():
        sizes = weight_sizes(shape)
        networks[kind] = BarNetwork(shape, {name: random.normal(0, 0.5, size) for name, size in sizes.items()})
    return BarCoder(networks, {})


@pytest.fixture
def first():
    return song("Day", ("C", "F", "G", "C"), TUNE_A, ROCK)


@pytest.fixture
def second():
    return song("Night", ("A", "D", "E", "A"), TUNE_B, BALLAD, tempo=144.0, key="A major")


def starts(track, low=0, high=10**9):
    return {(n.start_ticks, n.pitch) for n in track.notes if low <= n.start_ticks < high}


def test_the_ends_are_the_songs_themselves(first, second, noise):
    assert blended(first, second, 0.0, noise) is first
    assert blended(first, second, 1.0, noise) is second


def test_a_song_blended_with_itself_stays_as_it_is(first, coder):
    same = blended(first, first, 0.5, coder)
    assert same.tracks == first.tracks and same.chords == first.chords and same.tempos == first.tempos


def test_the_same_arguments_give_the_same_bytes(first, second, noise):
    assert to_json(blended(first, second, 0.4, noise)) == to_json(blended(first, second, 0.4, noise))


@pytest.mark.parametrize("mix", [0.2, 0.5, 0.8])
def test_form_players_and_key_are_of_the_nearer_song(first, second, noise, mix):
    made = blended(first, second, mix, noise)
    near = first if mix <= 0.5 else second
    check(made)
    assert made.sections == near.sections and made.keys == near.keys and made.duration_ticks == near.duration_ticks
    assert [(t.id, t.instrument, t.mix) for t in made.tracks] == [(t.id, t.instrument, t.mix) for t in near.tracks]
    assert made.title == "Day / Night" and made.provenance["blend"]["mix"] == mix
    for track, own in zip(made.tracks, near.tracks, strict=True):
        if not track.is_drums:
            assert max(n.pitch for n in track.notes) <= max(n.pitch for n in own.notes) + 12


def test_tempo_goes_by_ratios(first, second, noise):
    assert blended(first, second, 0.5, noise).tempos[0].bpm == pytest.approx(120.0)
    tempos = [blended(first, second, mix, noise).tempos[0].bpm for mix in (0.0, 0.25, 0.5, 0.75, 1.0)]
    ratios = np.diff(np.log(tempos))
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)


@pytest.mark.parametrize("mix", [0.3, 0.5, 0.7])
def test_bars_that_repeat_in_both_songs_repeat_in_the_blend(first, second, coder, mix):
    made = blended(first, second, mix, coder)
    half = made.duration_ticks // 2
    for track in made.tracks:
        again = {(start - half, pitch) for start, pitch in starts(track, half)}
        assert again == starts(track, 0, half), track.id

    def symbol(tick):
        return next(c.symbol for c in made.chords if c.start_ticks <= tick < c.end_ticks)

    for tick in range(0, half, BEAT):
        assert symbol(tick) == symbol(tick + half)


def test_the_further_the_mix_the_further_from_the_first_song(first, second, coder):
    def away(made, name):
        mine, own = (starts(s.track(name)) for s in (made, first))
        return 1 - 2 * len(mine & own) / max(1, len(mine) + len(own))

    for name in ("lead", "bass", "drums", "piano"):
        distances = [away(blended(first, second, mix, coder), name) for mix in (0.0, 0.1, 0.3, 0.5)]
        assert distances[0] == 0.0 and distances[1] <= distances[2] + 0.1 and distances[2] <= distances[3] + 0.1
        assert distances[3] > 0.1


@pytest.mark.parametrize("mix", [0.25, 0.5, 0.75])
def test_notes_stay_in_scale_or_chord(first, second, noise, mix):
    made = blended(first, second, mix, noise)
    scale = set(parse_key(made.keys[0].key).pitch_classes)
    for track in made.tracks:
        for note in track.notes if not track.is_drums else ():
            chord = next(c for c in made.chords if c.start_ticks <= note.start_ticks < c.end_ticks)
            assert note.pitch % 12 in scale | set(parse_chord(chord.symbol).pitch_classes), (track.id, note)


def test_chords_cover_the_song_without_gaps(first, second, noise):
    made = blended(first, second, 0.45, noise)
    ends = [0, *(span.end_ticks for span in made.chords)]
    assert [span.start_ticks for span in made.chords] == ends[:-1] and ends[-1] == made.duration_ticks


def sung(base, low=57):
    """The song with its tune sung: a syllable on every note."""
    words = tuple(Syllable(i, "la", "la", line=i // 4) for i in range(len(base.tracks[0].notes)))
    voice = [replace(n, syllable=i, pitch=n.pitch - 12) for i, n in enumerate(base.tracks[0].notes)]
    double = [replace(n, syllable=None) for n in voice]
    tracks = (
        Track("singer", "vocal", "voice", notes=tuple(voice)),
        Track("double", "backing_vocal", "voice", notes=tuple(double)), *base.tracks[1:],
    )  # fmt: skip
    return replace(base, tracks=tracks, syllables=words)


def test_a_voice_keeps_rhythm_words_and_compass(first, second, coder):
    singing = sung(first)
    made = blended(singing, second, 0.5, coder)
    voice, own = made.track("singer"), singing.track("singer")
    assert made.syllables == singing.syllables
    kept = [(n.start_ticks, n.duration_ticks, n.syllable, n.velocity) for n in own.notes]
    assert [(n.start_ticks, n.duration_ticks, n.syllable, n.velocity) for n in voice.notes] == kept
    assert min(n.pitch for n in own.notes) <= min(n.pitch for n in voice.notes)
    assert max(n.pitch for n in voice.notes) <= max(n.pitch for n in own.notes)
    assert [n.pitch for n in voice.notes] != [n.pitch for n in own.notes]
    assert [n.pitch for n in made.track("double").notes] == [n.pitch for n in voice.notes]


def test_words_of_the_further_song_are_not_sung(first, second, coder):
    made = blended(first, sung(second), 0.4, coder)
    assert not made.syllables and all(n.syllable is None for t in made.tracks for n in t.notes)


def test_songs_without_chords_get_none_and_one_that_has_them_gives_its_own(first, second, coder):
    bare = [replace(s, chords=()) for s in (first, second)]
    made = blended(*bare, 0.5, coder)
    assert made.chords == ()
    lent = blended(bare[0], second, 0.3, coder)
    assert {span.symbol for span in lent.chords} == {"C", "F", "G"}  # those of the second, in the first one's key


def test_guessed_chords_are_those_that_sound(first):
    side = side_of(replace(first, chords=()))
    named = [chord_of(int(number), 0).symbol() for number in side.chord[:, 0]]
    assert sum(a == b.symbol for a, b in zip(named, first.chords, strict=True)) >= 7
    nothing = guessed_chords(side.windows, (), side.shift)
    assert not nothing.any()


def test_sections_meet_by_role_and_last_bars_meet(first, second):
    swapped = replace(second, sections=(
        Section("Chorus", "chorus", 0, 2 * BAR, 0.8), Section("Verse", "verse", 2 * BAR, 6 * BAR, 0.4),
    ))  # fmt: skip
    pairs = matched_windows(side_of(first), side_of(swapped))
    assert pairs.tolist() == [2, 3, 4, 7, 0, 1, 0, 1]


def test_bars_of_another_length_stay_as_they_are(first, second, noise):
    short = replace(
        second, meters=(MeterChange(0, 4, 4), MeterChange(3 * BAR, 2, 4), MeterChange(3 * BAR + BAR // 2, 4, 4))
    )
    assert (matched_windows(side_of(first), side_of(short)) == -1).any()
    check(blended(first, short, 0.5, noise))


def test_songs_in_different_metres_are_told_in_one_line(first, second, noise):
    waltz = replace(second, meters=(MeterChange(0, 3, 4),))
    with pytest.raises(InputError, match="'Day' is in 4/4, 'Night' in 3/4") as error:
        blended(first, waltz, 0.5, noise)
    assert "\n" not in str(error.value)


def test_bad_mixes_and_empty_songs_are_told(first, second, noise):
    for mix in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError, match="mix"):
            blended(first, second, mix, noise)
    with pytest.raises(InputError, match="no notes"):
        blended(first, replace(second, tracks=()), 0.5, noise)


def test_partners_are_found_by_role_and_go_round(first, second):
    two = replace(first, tracks=(*first.tracks, replace(first.track("piano"), id="piano_2")))
    assert partner(two.tracks[0], two, sung(second)) == 0  # a tune goes with a voice where nothing else has one
    assert partner(two.tracks[4], two, second) == 1
    effect = replace(two.tracks[0], role="effects")
    assert partner(effect, replace(two, tracks=(effect,)), second) is None


def test_notes_follow_a_chord_that_moves():
    numbers = {name: chord_number(parse_chord(name)) for name in ("C", "F", "Am", "G7")}
    note = Note(0, 960, 64, 80)  # E
    assert followed(note, numbers["C"], numbers["C"], 0) is note
    assert followed(note, numbers["C"], numbers["Am"], 0) is note
    assert followed(note, numbers["C"], numbers["F"], 0).pitch == 65
    assert followed(note, 0, numbers["F"], 0) is note
    root = Note(0, 960, 36, 80)
    assert followed(root, numbers["C"], numbers["F"], 0, is_bass=True).pitch == 41
    assert followed(root, numbers["C"], numbers["Am"], 0, is_bass=True).pitch == 33
    assert followed(Note(0, 960, 43, 80), numbers["C"], numbers["F"], 0, is_bass=True).pitch == 48
