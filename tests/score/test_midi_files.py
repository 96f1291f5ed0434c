import random
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from score_strategies import songs

from songwright.errors import DataError
from songwright.score.instruments import instrument
from songwright.score.midi import played_notes, read_midi, to_midi_bytes
from songwright.score.smf import MAX_QUARTERS, decode_text
from songwright.score.song import KeyChange, Note, Song, Track, TrackMix

SHARED = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def number(value):
    out = [value & 127]
    while value := value >> 7:
        out.append(value & 127 | 128)
    return bytes(reversed(out))


def chunk(*events, end=0):
    body = b"".join(number(delta) + data for delta, data in events) + number(end) + b"\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(body)) + body


def smf(*chunks, kind=1, clock=480, declared=None):
    head = struct.pack(">HHH", kind, len(chunks) if declared is None else declared, clock)
    return b"MThd" + struct.pack(">I", 6) + head + b"".join(chunks)


def load(tmp_path, data):
    path = tmp_path / "x.mid"
    path.write_bytes(data)
    return read_midi(path)


def on(pitch, channel=0, velocity=90):
    return bytes((0x90 | channel, pitch, velocity))


def off(pitch, channel=0):
    return bytes((0x80 | channel, pitch, 0))


def meta(kind, data):
    return bytes((0xFF, kind)) + number(len(data)) + data


@SHARED
@given(songs(offsets=True, words=True))
def test_a_song_keeps_its_performance_and_marks(tmp_path, song):
    back = load(tmp_path, to_midi_bytes(song))
    assert (back.title, back.style, back.seed) == (song.title, song.style, song.seed)
    assert (back.duration_ticks, back.meters, back.keys) == (song.duration_ticks, song.meters, song.keys)
    assert [round(60e6 / t.bpm) for t in back.tempos] == [round(60e6 / t.bpm) for t in song.tempos]
    assert (back.sections, back.chords) == (song.sections, song.chords)
    for mine, theirs in zip(song.tracks, back.tracks, strict=True):
        assert (theirs.id, theirs.role, theirs.instrument, theirs.name) == (
            mine.id,
            mine.role,
            mine.instrument,
            mine.name,
        )
        assert (theirs.controls, theirs.bends) == (mine.controls, mine.bends)
        keys = [(n.start_ticks, n.duration_ticks, n.pitch, n.velocity) for n in played_notes(mine)]
        assert sorted((n.start_ticks, n.duration_ticks, n.pitch, n.velocity) for n in theirs.notes) == sorted(keys)
    assert to_midi_bytes(back) == to_midi_bytes(load(tmp_path, to_midi_bytes(back)))


def test_words_come_back_with_their_melismas(tmp_path):
    from songwright.score.song import Syllable

    notes = (
        Note(0, 480, 60, 80, 0, 0),
        Note(480, 480, 62, 80, 0, 1),
        Note(960, 480, 64, 80, 0, 1),
        Note(1440, 480, 65, 80),
    )
    song = Song(duration_ticks=3840, tracks=(Track("sing", "vocal", "voice_oohs", "Sing", notes),),
                syllables=(Syllable(0, "hel", "hello"), Syllable(1, "lo", "hello")))  # fmt: skip
    back = load(tmp_path, to_midi_bytes(song))
    assert back.syllables == song.syllables
    assert [n.syllable for n in back.tracks[0].notes] == [0, 1, 1, None]


@SHARED
@given(songs(), st.sampled_from([96, 120, 480, 960, 1024, 25]))
def test_notes_of_any_clock_are_scaled_to_the_nearest_tick_halves_to_even(tmp_path, song, clock):
    track = song.tracks[0]
    raw = [(n.start_ticks * clock // 960, max(1, n.duration_ticks * clock // 960), n.pitch, n.velocity)
           for n in track.notes if not track.is_drums]  # fmt: skip
    if not raw:
        return
    rows = sorted([(s, 1, on(p, velocity=v)) for s, _, p, v in raw] + [(s + d, 0, off(p)) for s, d, p, _ in raw])
    events, at = [], 0
    for tick, _, data in rows:
        events.append((tick - at, data))
        at = tick
    back = load(tmp_path, smf(chunk(*events), clock=clock))
    from fractions import Fraction

    starts = sorted((round(Fraction(s * 960, clock)), p) for s, _, p, _ in raw)
    assert sorted((n.start_ticks, n.pitch) for n in back.tracks[0].notes) == starts


def test_symusic_reads_the_same_notes_tempos_and_metres(tmp_path):
    import symusic

    song = Song(duration_ticks=7680, tracks=(
        Track("a", "melody", "flute", "Flute", tuple(Note(i * 480, 470, 60 + i, 50 + i, i) for i in range(12))),
        Track("d", "drums", "jazz_kit", "Drums", tuple(Note(i * 240, 60, 36 + i % 3, 90) for i in range(20))),
    ))  # fmt: skip
    path = tmp_path / "s.mid"
    path.write_bytes(to_midi_bytes(song))
    score = symusic.Score(str(path))
    assert score.ticks_per_quarter == 960
    assert [t.qpm for t in score.tempos] == [120.0]
    assert [(t.numerator, t.denominator) for t in score.time_signatures] == [(4, 4)]
    found = {t.name: t for t in score.tracks}
    assert found["Drums"].is_drum and found["Drums"].program == instrument("jazz_kit").program
    assert found["Flute"].program == instrument("flute").program
    assert [(n.time, n.duration, n.pitch, n.velocity) for n in found["Flute"].notes] == [
        (n.start_ticks, n.duration_ticks, n.pitch, n.velocity) for n in played_notes(song.tracks[0])
    ]


def test_twenty_players_stay_apart_or_share_only_equal_programs(tmp_path):
    names = ["flute", "oboe", "violin", "cello", "harp", "trumpet", "tuba", "koto", "sitar", "banjo"] * 2
    tracks = [Track(f"p{i}", "chords", n, f"P{i}", (Note(i * 60, 60, 60, 80),)) for i, n in enumerate(names)]
    back = load(tmp_path, to_midi_bytes(Song(duration_ticks=3840, tracks=tuple(tracks))))
    assert [(t.id, t.instrument, t.notes) for t in back.tracks] == [(t.id, t.instrument, t.notes) for t in tracks]


def test_offsets_that_make_a_pitch_overlap_itself_end_the_first_note():
    track = Track("a", "bass", "acoustic_bass", "", (Note(0, 480, 40, 90, 20), Note(480, 480, 40, 90, -10)))
    first, second = played_notes(track)
    assert first.end_ticks == second.start_ticks == 470
    written = Track("a", "bass", "acoustic_bass", "", (Note(0, 960, 40, 90), Note(480, 960, 40, 90)))
    assert played_notes(written) == written.notes


def test_mix_becomes_controllers_only_where_the_track_has_none(tmp_path):
    track = Track("a", "bass", "acoustic_bass", "B", (Note(0, 480, 40, 90),), mix=TrackMix(gain_db=-6.0, pan=-1.0))
    back = load(tmp_path, to_midi_bytes(Song(duration_ticks=3840, tracks=(track,))))
    assert {(c.controller, c.value) for c in back.tracks[0].controls} == {(7, 71), (10, 1)}


def test_program_changes_split_and_share_the_pedal(tmp_path):
    data = smf(chunk((0, b"\xc0\x00"), (0, b"\xb0\x40\x7f"), (0, on(60)), (480, off(60)), (0, b"\xc0\x49"), (0, on(64)),
                     (480, off(64))))  # fmt: skip
    song = load(tmp_path, data)
    assert [t.instrument for t in song.tracks] == ["acoustic_grand_piano", "flute"]
    assert all([(c.controller, c.value) for c in t.controls] == [(64, 127)] for t in song.tracks)


def test_setup_in_another_chunk_reaches_the_notes(tmp_path):
    song = load(tmp_path, smf(chunk((0, on(60, 3)), (480, off(60, 3))), chunk((0, b"\xc3\x28"), (0, b"\xb3\x07\x50"))))
    assert [(t.instrument, t.controls[0].value) for t in song.tracks] == [("violin", 80)]


def test_odd_notes_have_an_end(tmp_path):
    overlapping = chunk((0, on(60)), (240, on(60, velocity=70)), (240, off(60)), (480, off(60)), (0, on(62)),
                        (0, off(62)), (0, on(64)), end=480)  # fmt: skip
    notes = load(tmp_path, smf(overlapping)).tracks[0].notes
    assert [(n.start_ticks, n.duration_ticks, n.pitch, n.velocity) for n in notes] == [
        (0, 960, 60, 90), (480, 1440, 60, 70), (1920, 1, 62, 90), (1920, 960, 64, 90),
    ]  # fmt: skip


def test_running_status_and_velocity_zero(tmp_path):
    song = load(tmp_path, smf(chunk((0, on(60)), (480, bytes((60, 0))), (0, bytes((62, 80))), (480, bytes((62, 0))))))
    assert [(n.start_ticks, n.duration_ticks, n.pitch) for n in song.tracks[0].notes] == [(0, 960, 60), (960, 960, 62)]


def test_format_two_plays_its_patterns_one_after_another(tmp_path):
    pattern = chunk((0, on(60)), (480, off(60)), end=1440)
    song = load(tmp_path, smf(pattern, pattern, kind=2))
    assert [t.notes[0].start_ticks for t in song.tracks] == [0, 3840]


def test_format_zero_gives_a_track_to_each_channel_and_drums_their_role(tmp_path):
    song = load(tmp_path, smf(chunk((0, on(60)), (0, on(36, 9)), (480, off(60)), (0, off(36, 9))), kind=0))
    assert [t.is_drums for t in song.tracks] == [False, True]
    assert song.track("standard-kit").role == "drums"


def test_tempo_metre_and_key_changes(tmp_path):
    maps = chunk(
        (0, meta(0x58, bytes((3, 2, 24, 8)))), (0, meta(0x59, bytes((249, 0)))),
        (0, meta(0x51, (400000).to_bytes(3, "big"))),
        (1440, meta(0x58, bytes((6, 3, 24, 8)))), (0, meta(0x51, (600000).to_bytes(3, "big"))),
        (0, meta(0x51, (600000).to_bytes(3, "big"))),
    )  # fmt: skip
    song = load(tmp_path, smf(maps, chunk((0, on(60)), (3000, off(60)))))
    assert [(t.tick, round(t.bpm, 6)) for t in song.tempos] == [(0, 150.0), (2880, 100.0)]
    assert [(m.tick, m.numerator, m.denominator) for m in song.meters] == [(0, 3, 4), (2880, 6, 8)]
    assert song.keys == (KeyChange(0, "Cb major"),)
    assert song.duration_ticks == 2880 * 3


def test_foreign_markers_become_sections(tmp_path):
    marks = chunk((0, meta(6, b"Intro")), (1920, meta(6, b"Verse")), (1920, meta(6, b"Chorus")))
    song = load(tmp_path, smf(marks, chunk((0, on(60)), (7680, off(60)))))
    assert [(s.label, s.role, s.start_ticks) for s in song.sections] == [
        ("Intro", "intro", 0), ("Verse", "verse", 3840), ("Chorus", "chorus", 7680),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Привет мир", "utf-8"), ("Привет мир", "cp1251"), ("月亮代表我的心", "gb18030"), ("Café", "latin-1")],
)
def test_text_of_old_encodings(text, encoding):
    assert decode_text(text.encode(encoding)) == text


NOTE = chunk((0, on(60)), (480, off(60)))
HOSTILE = {
    "empty file": b"",
    "text": b"this is no music at all",
    "magic only": b"MThd",
    "no tracks": smf(),
    "cut chunk": smf(NOTE)[:-6],
    "65535 tracks": smf(NOTE, declared=65535),
    "smpte": smf(NOTE, clock=0xE728),
    "no clock": smf(NOTE, clock=0),
    "format 9": smf(NOTE, kind=9),
    "no notes": smf(chunk((0, b"\xb0\x07\x50"))),
    "delta bomb": smf(chunk(*[(0x0FFFFFFF, on(60)), (0x0FFFFFFF, off(60))] * 4)),
    "just too long": smf(chunk((0, on(60)), (0x0FFFFFFF, off(60))), clock=96),
    "endless number": smf(b"MTrk" + struct.pack(">I", 6) + b"\xff" * 6),
    "no status": smf(chunk((0, b"\x40\x40"))),
    "bad data byte": smf(chunk((0, b"\x90\xff\x40"))),
    "meta past the end": smf(chunk((0, b"\xff\x01\x7f" + b"x"))),
    "a million bars": smf(chunk((0, meta(0x58, bytes((1, 6, 24, 8)))), (0, on(60)), (96 * 90_000, off(60))), clock=96),
    "2000 players": smf(*[NOTE] * 2000),
    "realtime": smf(chunk((0, b"\xf8"))),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_give_one_clear_line(tmp_path, data):
    started = time.perf_counter()
    with pytest.raises(DataError) as caught:
        load(tmp_path, data)
    assert "\n" not in str(caught.value) and "x.mid" in str(caught.value)
    assert time.perf_counter() - started < 5


def test_missing_files_and_folders(tmp_path):
    for path in (tmp_path, tmp_path / "none.mid"):
        with pytest.raises(DataError):
            read_midi(path)


def test_random_damage_never_escapes(tmp_path):
    song = Song(duration_ticks=3840, tracks=(Track("a", "bass", "acoustic_bass", "B", (Note(0, 480, 40, 90),)),))
    good = to_midi_bytes(song)
    chance = random.Random(1)
    for _ in range(400):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            load(tmp_path, bytes(data[: chance.randint(1, len(data))] if chance.random() < 0.3 else data))
        except DataError:
            continue


def test_the_limit_of_length_is_where_it_says(tmp_path):
    ok = smf(chunk((0, on(60)), (96 * MAX_QUARTERS, off(60))), clock=96)
    assert load(tmp_path, ok).tracks[0].notes[0].duration_ticks == 960 * MAX_QUARTERS
