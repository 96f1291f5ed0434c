"""A band around a tune: the tune stays what it is, the band belongs to the style, builds, and fits the tune."""

from dataclasses import replace

import pytest
from test_tune_form import BAR, phrase

from songwright.compose.accompany import Wishes, accompanied
from songwright.compose.bare_tune import from_a_bar_line, in_meter_of, tune_tracks
from songwright.compose.style import load_style
from songwright.errors import InputError
from songwright.score.drums import drum_group
from songwright.score.song import ChordSpan, KeyChange, MeterChange, Note, Song, TempoChange, Track, TrackMix
from songwright.score.theory import parse_chord, parse_key


def tune(*seeds, meter=(4, 4), **changes):
    notes = [n for i, seed in enumerate(seeds) for n in phrase(seed, 8 * i, up=7 * (seed == 2))]
    track = Track("flute", "melody", "flute", notes=tuple(notes))
    song = Song(duration_ticks=8 * len(seeds) * BAR, tempos=(TempoChange(0, 100.0),), tracks=(track,))
    return replace(song, **{"meters": (MeterChange(0, *meter),), **changes})


def band_of(song):
    return [track for track in song.tracks if track.id != "flute"]


@pytest.mark.parametrize("name", ["reggae", "jazz", "waltz", "techno"])
def test_the_tune_stays_and_a_band_of_the_style_joins_it(name):
    given = tune(1, 2)
    made = accompanied(given, load_style(name), Wishes(seed=3))
    kept = made.track("flute")
    assert all(a is b for a, b in zip(kept.notes, given.tracks[0].notes, strict=True))
    assert kept.instrument == "flute"
    assert kept.mix != TrackMix()
    assert made.style == name
    assert made.tempos == given.tempos
    assert not [track for track in band_of(made) if track.role == "melody"]
    books = {part.id for part in load_style(name).part}
    assert {track.id.removesuffix("_left").removesuffix("_right").removesuffix("_high") for track in band_of(made)} <= (
        books
    )
    assert any(track.role == "bass" for track in band_of(made))
    assert made.chords[0].start_ticks == 0
    assert made.chords[-1].end_ticks == made.duration_ticks == made.sections[-1].end_ticks


def test_the_same_tune_and_seed_get_the_same_band():
    first, second, other = (accompanied(tune(1), load_style("rock"), Wishes(seed=s)) for s in (3, 3, 4))
    assert first == second
    assert first.tracks != other.tracks


def test_chords_carry_the_tune_and_the_bass_stands_on_them():
    made = accompanied(tune(1, 2, 1, 2), load_style("rock"), Wishes())
    sounding = carried = 0
    for span in made.chords:
        tones = parse_chord(span.symbol).pitch_classes
        for note in made.track("flute").notes:
            held = min(note.end_ticks, span.end_ticks) - max(note.start_ticks, span.start_ticks)
            sounding += max(0, held)
            carried += max(0, held) * (note.pitch % 12 in tones)
    assert carried > 0.5 * sounding  # a tune of random tones of the scale: three of seven by chance
    key = parse_key(made.keys[0].key)
    scale = {(key.fifths * 7 + step) % 12 for step in (0, 2, 4, 5, 7, 9, 11)}
    bass = next(track for track in made.tracks if track.role == "bass")
    first = [note for note in bass.notes if note.start_ticks % BAR == 0]
    roots = [next(parse_chord(c.symbol) for c in made.chords if c.end_ticks > note.start_ticks) for note in first]
    hits = [note.pitch % 12 in (chord.root, chord.bass) for note, chord in zip(first, roots, strict=True)]
    assert sum(hits) > 0.9 * len(hits)
    assert sum(note.pitch % 12 in scale for note in bass.notes) > 0.9 * len(bass.notes)


def test_drums_lead_into_sections_and_the_band_builds():
    made = accompanied(tune(1, 2, 1, 2), load_style("rock"), Wishes())
    drums = next(track for track in made.tracks if track.role == "drums")
    strokes = [0] * (made.duration_ticks // BAR)
    for note in drums.notes:
        strokes[note.start_ticks // BAR] += drum_group(note.pitch) in ("snare", "toms")
    before = [s.start_ticks // BAR - 1 for s in made.sections[1:]]
    others = [n for bar, n in enumerate(strokes) if bar not in before]
    assert sum(strokes[bar] for bar in before) / len(before) > 1.5 * sum(others) / len(others)
    onsets = [
        sum(s.start_ticks <= n.start_ticks < s.end_ticks for t in band_of(made) for n in t.notes) for s in made.sections
    ]
    assert onsets[-1] > onsets[0]


def test_intro_and_outro_are_the_bands_own():
    given = tune(1, 2)
    made = accompanied(given, load_style("pop"), Wishes(intro_bars=4, outro_bars=2))
    assert made.sections[0].role == "intro"
    assert made.sections[-1].role == "outro"
    assert made.duration_ticks == (16 + 6) * BAR
    moved = [replace(note, start_ticks=note.start_ticks - 4 * BAR) for note in made.track("flute").notes]
    assert moved == list(given.tracks[0].notes)
    assert any(note.start_ticks < 4 * BAR for track in band_of(made) for note in track.notes)


def test_chords_of_the_file_stay_unless_others_are_asked_for():
    chords = tuple(ChordSpan(bar * BAR, BAR, ("F", "Bb")[bar % 2]) for bar in range(16))
    given = tune(1, 2, chords=chords, keys=(KeyChange(0, "F major"),))
    assert [c.symbol for c in accompanied(given, load_style("folk"), Wishes()).chords[:2]] == ["F", "Bb"]
    assert accompanied(given, load_style("folk"), Wishes(reharmonise=True)).chords[:4] != chords[:4]
    few = replace(given, chords=chords[:1])
    assert len(accompanied(few, load_style("folk"), Wishes()).chords) > 1


def test_a_lift_is_followed():
    up = tuple(replace(n, pitch=n.pitch + 2) for n in phrase(1, 8))
    notes = (*phrase(1, 0), *up)
    given = tune(1, 1, keys=(KeyChange(0, "C major"), KeyChange(8 * BAR, "D major")))
    given = replace(given, tracks=(replace(given.tracks[0], notes=notes),))
    made = accompanied(given, load_style("pop"), Wishes())
    low = [parse_chord(c.symbol).root for c in made.chords if c.start_ticks < 6 * BAR]
    high = [parse_chord(c.symbol).root for c in made.chords if 8 * BAR <= c.start_ticks < 14 * BAR]
    assert high[: len(low)] == [(root + 2) % 12 for root in low]


def test_bars_are_counted_as_the_style_counts_them():
    rock, waltz = load_style("rock"), load_style("waltz")
    assert in_meter_of(tune(1, meter=(2, 2)), rock).meters == (MeterChange(0, 4, 4),)
    assert in_meter_of(tune(1, meter=(2, 4)), rock).meters == (MeterChange(0, 4, 4),)
    assert in_meter_of(tune(1, meter=(3, 2)), waltz).meters == (MeterChange(0, 3, 4),)
    for kept in ((3, 4), (6, 8), (5, 4)):
        assert in_meter_of(tune(1, meter=kept), rock).meters == (MeterChange(0, *kept),)


def test_a_pick_up_and_its_short_last_bar_become_full_ones():
    notes = (Note(0, 900, 67, 80), *(replace(n, start_ticks=n.start_ticks + 960) for n in phrase(1, 0)))
    meters = (MeterChange(0, 1, 4), MeterChange(960, 4, 4), MeterChange(960 + 7 * BAR, 3, 4))
    given = replace(tune(1), meters=meters, duration_ticks=960 + 7 * BAR + 2880)
    given = replace(given, tracks=(replace(given.tracks[0], notes=notes),))
    full = from_a_bar_line(given)
    assert full.meters == (MeterChange(0, 4, 4),)
    assert full.tracks[0].notes[0].start_ticks == BAR - 960
    made = accompanied(given, load_style("country"), Wishes())
    assert made.track("flute").notes[1].start_ticks == BAR
    assert (made.sections[0].role, made.sections[1].start_ticks) == ("intro", BAR)


def test_which_track_has_the_tune():
    lead, other = tune(1).tracks[0], Track("horn", "counter_melody", "french_horn", notes=(Note(0, 960, 50, 80),))
    assert tune_tracks(Song(tracks=(other, lead))) == (lead,)
    assert tune_tracks(Song(tracks=(other,)))[0].role == "melody"
    assert tune_tracks(Song(tracks=(other, lead)), "horn")[0].id == "horn"


DRUMS = Track("kit", "drums", "standard_kit", notes=(Note(0, 240, 36, 80),))
BASS = Track("low", "bass", "acoustic_bass", notes=(Note(0, 960, 36, 80),))


@pytest.mark.parametrize(
    ("song", "wishes", "message"),
    [
        (Song(), Wishes(), "no tune in this file .* no notes at all"),
        (Song(tracks=(DRUMS, BASS)), Wishes(), "no tune in this file .* kit, low"),
        (tune(1), Wishes(tune="harp"), "no track 'harp' here; tracks: flute"),
        (replace(tune(1), tracks=(DRUMS, *tune(1).tracks)), Wishes(tune="kit"), "'kit' has no tune: it is drums"),
        (tune(1), Wishes(intro_bars=-1), "intro of -1 bars: expected 0 to 32"),
        (tune(1, meters=(MeterChange(0, 4, 4), MeterChange(2 * BAR, 3, 4))), Wishes(), "metre changes .* at bar 3"),
    ],
)
def test_wrong_wishes_are_told(song, wishes, message):
    with pytest.raises(InputError, match=message):
        accompanied(song, load_style("pop"), wishes)
