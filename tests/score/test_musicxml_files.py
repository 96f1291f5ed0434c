import io
import time
import zipfile
from fractions import Fraction
from itertools import groupby

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from score_strategies import songs

from songwright.errors import DataError
from songwright.score.musicxml import read_musicxml, to_musicxml_bytes
from songwright.score.notation import Grid, bar_pieces, in_voices, notated
from songwright.score.song import ChordSpan, MasterMix, Note, Song, Syllable, Track
from songwright.score.theory import QUALITIES, Chord, parse_chord

SHARED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
any_songs = st.one_of(songs(words=True), songs(step=160), songs(step=80), songs(step=7))


def load(tmp_path, data, name="x.musicxml"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_musicxml(path)


@SHARED
@given(any_songs)
def test_the_notated_layer_comes_back(tmp_path, song):
    back = load(tmp_path, to_musicxml_bytes(song))
    kept = notated(song)
    assert back.tracks == kept.tracks
    for field in (
        "title",
        "style",
        "seed",
        "swing",
        "duration_ticks",
        "tempos",
        "meters",
        "keys",
        "sections",
        "syllables",
    ):
        assert getattr(back, field) == getattr(kept, field), field
    assert [parse_chord(c.symbol) for c in back.chords] == [parse_chord(c.symbol) for c in kept.chords]
    assert to_musicxml_bytes(back) == to_musicxml_bytes(song)


@SHARED
@given(any_songs)
def test_notating_twice_changes_nothing_and_moves_little(song):
    once = notated(song)
    assert notated(once) == once
    for before, after in zip([t for t in song.tracks if t.notes], once.tracks, strict=True):
        starts = {n.start_ticks for n in after.notes}
        assert all(min(abs(n.start_ticks - s) for s in starts) <= 80 for n in before.notes)


@SHARED
@given(any_songs)
def test_every_bar_of_every_voice_adds_up(song):
    for track in notated(song).tracks:
        grid = Grid(song, track.notes)
        for voice in in_voices(track.notes):
            for bar, pieces in bar_pieces(grid, voice).items():
                at = grid.bars[bar]
                for piece in pieces:
                    assert piece.start == at
                    at += piece.duration
                assert at == grid.ends[bar]


def oracle_notes(part):
    """Returns (onset, pitch) in quarters of a music21 part, ties joined, and the sum of all lengths."""
    found, total = [], Fraction(0)
    for note in part.flatten().notes:
        if "ChordSymbol" in note.classes:
            continue
        total += Fraction(note.quarterLength).limit_denominator(64) * len(note.pitches)
        if note.tie is None or note.tie.type == "start":
            found += [(Fraction(note.offset).limit_denominator(64), p.midi) for p in note.pitches]
    return sorted(found), total


@pytest.mark.filterwarnings("ignore:.*valid instrument")
@settings(
    max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(songs(step=240))
def test_music21_sees_the_same_notes_measures_and_chords(song):
    import music21

    written = notated(song)
    score = music21.converter.parseData(to_musicxml_bytes(song).decode(), format="musicxml")
    assert len(score.parts) == len(written.tracks)
    for part, track in zip(score.parts, written.tracks, strict=True):
        measures = list(part.getElementsByClass("Measure"))
        assert [Fraction(m.offset) for m in measures] == [Fraction(b, 960) for b in song.bar_starts()]
        assert all(m.duration.quarterLength == m.barDuration.quarterLength for m in measures)
        if track.is_drums:
            continue
        total = sum((Fraction(n.duration_ticks, 960) for n in track.notes), Fraction(0))
        assert oracle_notes(part) == (sorted((Fraction(n.start_ticks, 960), n.pitch) for n in track.notes), total)
    symbols = score.parts[0].flatten().getElementsByClass("ChordSymbol")
    assert [Fraction(s.offset) for s in symbols] == [Fraction(c.start_ticks, 960) for c in song.chords]
    for symbol, span in zip(symbols, song.chords, strict=True):
        chord = parse_chord(span.symbol)
        if chord is not None:
            assert symbol.root().pitchClass == chord.root
            assert symbol.bass().pitchClass == chord.bass_pitch_class


@pytest.mark.parametrize("quality", sorted(QUALITIES))
def test_every_quality_survives_with_and_without_its_text(tmp_path, quality):
    symbol = Chord(6, quality, 1 if quality else None).symbol()
    song = Song(duration_ticks=3840, tracks=(Track("a", "melody", "flute", "A", (Note(0, 960, 60, 90),)),),
                chords=(ChordSpan(0, 3840, symbol),))  # fmt: skip
    data = to_musicxml_bytes(song)
    assert load(tmp_path, data).chords == song.chords
    foreign = data.replace(b' text="' + quality.encode() + b'"', b"").replace(b'name="songwright"', b'name="other"')
    assert parse_chord(load(tmp_path, foreign).chords[0].symbol) == parse_chord(symbol)


ORDER = ["chord", "pitch", "unpitched", "rest", "duration", "tie", "instrument", "voice", "type", "dot",
         "time-modification", "notations", "lyric"]  # fmt: skip


@SHARED
@given(any_songs)
def test_elements_stand_in_the_order_of_the_schema(song):
    from xml.etree import ElementTree

    root = ElementTree.fromstring(to_musicxml_bytes(song))
    assert [e.tag for e in root][:3] == ["work", "identification", "part-list"]
    for note in root.iter("note"):
        places = [ORDER.index(child.tag) for child in note]
        assert places == sorted(places)
    for attributes in root.iter("attributes"):
        places = [["divisions", "key", "time", "clef"].index(child.tag) for child in attributes]
        assert places == sorted(places)
    for measure in root.iter("measure"):
        for triplet in (n for n in measure.iter("note") if n.find("time-modification") is not None):
            assert int(triplet.findtext("duration")) % 80 == 0
        tuplets = [t.get("type") for t in measure.iter("tuplet")]
        assert [k for k, _ in groupby(tuplets)] == tuplets
        assert len(tuplets) % 2 == 0


def test_words_and_melismas(tmp_path):
    notes = (Note(0, 960, 60, 80, 0, 3), Note(960, 480, 62, 80, 0, 4), Note(1440, 480, 64, 80, 0, 4))
    song = Song(duration_ticks=3840, tracks=(Track("s", "vocal", "voice_oohs", "S", notes),),
                syllables=(Syllable(3, "hel", "hello", 1), Syllable(4, "lo", "hello")))  # fmt: skip
    back = load(tmp_path, to_musicxml_bytes(song))
    assert back.syllables == song.syllables and back.tracks == song.tracks


FOREIGN = """<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "x.dtd">
<score-partwise><movement-title>Waltz</movement-title><part-list><score-part id="P1"><part-name>Clarinet</part-name>
<midi-instrument id="I1"><midi-program>72</midi-program></midi-instrument></score-part></part-list><part id="P1">
<measure number="0" implicit="yes"><attributes><divisions>2</divisions><key><fifths>2</fifths></key>
<time><beats>3</beats><beat-type>4</beat-type></time><transpose><chromatic>-2</chromatic></transpose></attributes>
<direction><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>c. 140</per-minute></metronome>
</direction-type></direction><note><pitch><step>D</step><octave>5</octave></pitch><duration>2</duration>
<lyric><syllabic>begin</syllabic><text>Wal</text></lyric></note></measure>
<measure number="1"><harmony><root><root-step>E</root-step><root-alter>-1</root-alter></root>
<kind>dominant</kind><degree><degree-value>9</degree-value><degree-alter>-1</degree-alter><degree-type>add</degree-type>
</degree></harmony><note><grace/><pitch><step>C</step><octave>4</octave></pitch></note>
<note><pitch><step>E</step><octave>5</octave></pitch><duration>4</duration><tie type="start"/>
<lyric><syllabic>end</syllabic><text>zer</text></lyric></note>
<note><chord/><pitch><step>G</step><octave>5</octave></pitch><duration>4</duration></note>
<backup><duration>4</duration></backup><forward><duration>4</duration></forward>
<note><pitch><step>E</step><octave>5</octave></pitch><duration>2</duration><tie type="stop"/></note></measure>
</part></score-partwise>"""


def test_a_foreign_file(tmp_path):
    song = load(tmp_path, FOREIGN.encode())
    assert song.title == "Waltz" and song.tracks[0].instrument == "clarinet"
    assert [(m.tick, m.numerator, m.denominator) for m in song.meters] == [(0, 1, 4), (960, 3, 4)]
    assert [(n.start_ticks, n.duration_ticks, n.pitch) for n in song.tracks[0].notes] == [
        (0, 960, 72), (960, 2880, 74), (960, 1920, 77),
    ]  # fmt: skip
    assert song.chords == (ChordSpan(0, 960, "N.C."), ChordSpan(960, 2880, "Eb7b9"))
    assert song.tempos[0].bpm == 140 and song.keys[0].key == "D major"
    assert [s.text for s in song.syllables] == ["Wal", "zer"] and song.syllables[0].word == "Walzer"


def archive(inner, *, container=True, name="score.xml"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        if container:
            file.writestr("META-INF/container.xml", f'<c><rootfiles><rootfile full-path="{name}"/></rootfiles></c>')
        file.writestr(name, inner)
    return out.getvalue()


@pytest.mark.parametrize("container", [True, False])
def test_zipped_files(tmp_path, container):
    assert load(tmp_path, archive(FOREIGN, container=container), "x.mxl").title == "Waltz"


BOMB = '<!DOCTYPE a [<!ENTITY x "aaaa">]><score-partwise>&x;</score-partwise>'
HOSTILE = {
    "empty": b"",
    "text": b"la la la",
    "entities": BOMB.encode(),
    "entities in utf-16": BOMB.encode("utf-16"),
    "external": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><score-partwise>&x;</score-partwise>',
    "deep": b"<a>" * 100_000,
    "timewise": b"<score-timewise/>",
    "html": b"<html/>",
    "no parts": b"<score-partwise/>",
    "broken zip": b"PK\x03\x04 this is no archive",
    "empty zip": archive("", name="readme.txt", container=False),
    "zip bomb": archive(" " * 65_000_000),
    "divisions": FOREIGN.replace("<divisions>2<", "<divisions>0<").encode(),
    "endless note": FOREIGN.replace("<duration>4<", "<duration>999999999<").encode(),
    "nan": FOREIGN.replace("<duration>4<", "<duration>nan<").encode(),
    "metre": FOREIGN.replace("<beat-type>4<", "<beat-type>0<").encode(),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_give_one_clear_line(tmp_path, data):
    started = time.perf_counter()
    with pytest.raises(DataError) as caught:
        load(tmp_path, data)
    assert "\n" not in str(caught.value)
    assert time.perf_counter() - started < 5


def test_too_many_voices_end_early_instead_of_piling_up():
    notes = tuple(Note(i * 240, 3840 - i * 240, 60 + i, 80) for i in range(8))
    song = notated(Song(duration_ticks=3840, tracks=(Track("a", "chords", "electric_piano", "A", notes),)))
    assert {n.pitch for n in song.tracks[0].notes} == {n.pitch for n in notes}
    assert len(in_voices(song.tracks[0].notes)) <= 4


def test_mix_and_offsets_are_not_notated():
    note = Note(0, 480, 60, 90, 13)
    track = Track("a", "melody", "flute", "A", (note,))
    song = Song(duration_ticks=3840, master=MasterMix(reverb="hall"), tracks=(track,))
    assert notated(song).tracks[0].notes[0].offset_ticks == 0
