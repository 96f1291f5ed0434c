"""Words, singers and lines through JSON, MIDI and MusicXML, and words of other programs' files."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from songwright.errors import DataError, InputError
from songwright.score.midi import read_midi, to_midi_bytes
from songwright.score.musicxml import read_musicxml, to_musicxml_bytes
from songwright.score.song import Note, Singer, Song, Syllable, Track, check, from_json, to_json
from songwright.score.view import describe_bars

SHARED = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def sung_songs(draw):
    """Two voices with lines, melismas, rests, rap, tones; ids with gaps, and the second voice sings ids of its own."""
    syllables, tracks, next_id, line = [], [], 0, 0
    for index in range(draw(st.integers(1, 2))):
        notes, at = [], 0
        for _ in range(draw(st.integers(1, 3))):
            for _ in range(draw(st.integers(1, 4))):
                next_id += draw(st.integers(1, 3))
                phonemes = draw(st.sampled_from([(), ("h", "@"), ("l", "oU"), ("m", "i", "r")]))
                syllables.append(Syllable(
                    next_id, draw(st.sampled_from(["hel", "мир", "爱", "<&>", "don't,"])),
                    draw(st.sampled_from(["hello", "мир", "爱", ""])), draw(st.integers(0, 2)), line,
                    draw(st.sampled_from(["", "en", "zh", "ru"])), phonemes, 1 if phonemes else 0,
                    draw(st.integers(0, 5)), draw(st.sampled_from(["sung", "rap", "spoken"])),
                ))  # fmt: skip
                for _ in range(draw(st.integers(1, 2))):
                    notes.append(Note(at, 480, draw(st.integers(55, 75)), 80, 0, next_id))
                    at += 480
                if draw(st.booleans()):
                    notes.append(Note(at, 480, 60, 80))
                    at += 480
            line += 1
            at += 480 * draw(st.integers(0, 4))
        singer = draw(st.sampled_from([None, Singer("clara"), Singer("rex", "piper:/a b.onnx", {"tilt_db": -1.5})]))
        tracks.append(Track(f"v{index}", "vocal" if index == 0 else "backing_vocal", "voice", f"V{index}", tuple(notes),
                            singer=singer))  # fmt: skip
    end = max(-(-t.notes[-1].end_ticks // 3840) * 3840 for t in tracks)
    return Song(title="Сong 歌", duration_ticks=end, tracks=tuple(tracks), syllables=tuple(syllables))


@SHARED
@given(sung_songs())
def test_every_field_comes_back_from_every_format(tmp_path, song):
    assert from_json(to_json(song)) == song
    (tmp_path / "s.mid").write_bytes(to_midi_bytes(song))
    (tmp_path / "s.musicxml").write_bytes(to_musicxml_bytes(song))
    for back in (read_midi(tmp_path / "s.mid"), read_musicxml(tmp_path / "s.musicxml")):
        assert back.syllables == song.syllables
        for mine, theirs in zip(song.tracks, back.tracks, strict=True):
            assert theirs.singer == mine.singer and (theirs.role, theirs.instrument) == (mine.role, "voice")
            assert theirs.notes == tuple(sorted(mine.notes))


def test_songs_of_older_files_have_words_without_sounds():
    data = json.loads(to_json(Song(
        duration_ticks=3840, syllables=(Syllable(0, "la", "la", 1),),
        tracks=(Track("a", "vocal", "voice_oohs", "A", (Note(0, 960, 60, 80, 0, 0),)),),
    )))  # fmt: skip
    data["syllables"] = [{"id": 0, "text": "la", "word": "la", "stress": 1}]
    del data["tracks"][0]["singer"]
    song = from_json(json.dumps(data))
    assert song.syllables == (Syllable(0, "la", "la", 1),) and song.tracks[0].singer is None


def test_syllables_of_numbers_are_one_word():
    from songwright.score.sung import word_places

    parts = [("24", "24"), ("", "24"), ("", "24"), ("la", "la"), ("la", "la")]
    places = word_places([Syllable(i, text, word) for i, (text, word) in enumerate(parts)])
    assert list(places.values()) == ["begin", "middle", "end", "single", "single"]


def sung(**changes):
    return Song(
        duration_ticks=3840,
        syllables=(replace(Syllable(3, "la", "la", phonemes=("l", "A:"), nucleus=1), **changes),),
        tracks=(Track("a", "vocal", "voice", "A", (Note(0, 960, 60, 80, 0, 3),)),),
    )


@pytest.mark.parametrize(
    ("song", "says"),
    [
        (sung(id=4), "syllable 3"),
        (sung(nucleus=2), "nucleus 2"),
        (sung(tone=6), "tone"),
        (sung(delivery="hummed"), "delivery"),
        (replace(sung(), syllables=(*sung().syllables, Syllable(3, "la"))), "rise"),
        (replace(sung(), tracks=(replace(sung().tracks[0], singer=Singer("")),)), "singer"),
    ],
)
def test_words_that_do_not_fit_are_refused(song, says):
    check(sung())
    with pytest.raises(InputError, match=says):
        check(song)


def test_edited_files_lose_only_what_they_lost(tmp_path):
    text = to_musicxml_bytes(sung()).decode().replace('name="3"', 'name="9"')
    (tmp_path / "s.musicxml").write_text(text, encoding="utf-8")
    assert [n.syllable for n in read_musicxml(tmp_path / "s.musicxml").tracks[0].notes] == [None]
    (tmp_path / "s.mid").write_bytes(to_midi_bytes(sung()).replace(b'"sung": [3]', b'"sing": [3]'))
    assert [n.syllable for n in read_midi(tmp_path / "s.mid").tracks[0].notes] == [None]
    (tmp_path / "s.mid").write_bytes(to_midi_bytes(sung()).replace(b'[[3, "la"', b'[[{}, "l"'))
    with pytest.raises(DataError):
        read_midi(tmp_path / "s.mid")


def varlen(value):
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, value & 0x7F | 0x80)
    return bytes(out)


def track(*events):
    """A chunk of (tick, bytes)."""
    data, at = b"", 0
    for tick, event in sorted(events, key=lambda e: e[0]):
        data += varlen(tick - at) + event
        at = tick
    data += b"\0\xff\x2f\0"
    return b"MTrk" + len(data).to_bytes(4, "big") + data


def meta(kind, text):
    raw = text.encode()
    return bytes((0xFF, kind)) + varlen(len(raw)) + raw


def notes(*starts, length=440, pitch=64, channel=0):
    for start in starts:
        yield start, bytes((0x90 | channel, pitch, 80))
        yield start + length, bytes((0x80 | channel, pitch, 0))


def midi(tmp_path, *chunks, name="s.mid"):
    data = b"MThd" + (6).to_bytes(4, "big") + b"\0\1" + len(chunks).to_bytes(2, "big") + (480).to_bytes(2, "big")
    (tmp_path / name).write_bytes(data + b"".join(chunks))
    return read_midi(tmp_path / name)


def lines_of(song):
    """Words of each line, syllables joined by hyphens."""
    from songwright.score.sung import word_places

    places, lines = word_places(song.syllables), {}
    for s in song.syllables:
        glue = "-" if places[s.id] in ("middle", "end") else " "
        lines[s.line] = lines[s.line] + glue + s.text if s.line in lines else s.text
    return [lines[k] for k in sorted(lines)]


def test_karaoke_texts_are_words_and_lines(tmp_path):
    words = [(480, "\\Hel"), (960, "lo "), (1440, "world"), (1920, "/Good "), (2400, "night")]
    song = midi(
        tmp_path,
        track((0, meta(1, "@KMIDI KARAOKE FILE"))),
        track((0, meta(3, "Words")), (0, meta(1, "@LENGL")), *[(t, meta(1, w)) for t, w in words]),
        track((0, meta(3, "Bass")), *notes(0, 960, 1920, 2880, pitch=36, channel=1)),
        track((0, meta(3, "Tune")), *notes(480, 960, 1440, 1920, 2400)),
        name="s.kar",
    )
    assert lines_of(song) == ["Hel-lo world", "Good night"]
    assert [t.role for t in song.tracks if t.name == "Tune"] == ["vocal"] and song.syllables[0].word == "Hello"
    assert [n.syllable for n in song.track("tune").notes] == [0, 1, 2, 3, 4]
    assert all(n.syllable is None for n in song.track("bass").notes)


def test_lyric_events_of_two_singers_are_kept_apart(tmp_path):
    def singer(name, words, channel):
        events = [(i * 480, meta(5, w)) for i, w in enumerate(words)]
        return track((0, meta(3, name)), *events, *notes(0, 480, 960, 1440, pitch=60 + 5 * channel, channel=channel))

    song = midi(tmp_path, singer("A", ["won-", "der", "ful", "day"], 0), singer("B", ["oh", "ne-", "ver", "more"], 1))
    assert [s.text for s in song.syllables] == ["won", "der", "ful", "day", "oh", "ne", "ver", "more"]
    assert [s.word for s in song.syllables][:2] == ["wonder", "wonder"]
    assert [[n.syllable for n in t.notes] for t in song.tracks] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [s.line for s in song.syllables] == [0] * 4 + [1] * 4
    assert {t.role for t in song.tracks} == {"vocal"}


def test_rests_make_lines_and_wordless_notes_make_melismas(tmp_path):
    words = [(0, "A-"), (480, "men"), (3840, "sing")]
    song = midi(tmp_path, track((0, meta(3, "Voice")), *[(t, meta(5, w)) for t, w in words],
                                *notes(0, 480, 960, 3840, length=480), *notes(5760, length=200)))  # fmt: skip
    assert lines_of(song) == ["A-men", "sing"]
    assert [n.syllable for n in song.tracks[0].notes] == [0, 1, 1, 2, None]


def test_carriage_returns_mark_lines_and_late_words_find_their_notes(tmp_path):
    words = [(10, "你"), (470, "好\r"), (975, "天"), (1440, "空")]
    song = midi(tmp_path, track((0, meta(3, "主唱")), *[(t, meta(5, w)) for t, w in words], *notes(0, 480, 960, 1440)))
    assert lines_of(song) == ["你 好", "天 空"] and [s.word for s in song.syllables] == ["你", "好", "天", "空"]


def test_words_without_a_note_of_their_own_are_not_lost(tmp_path):
    words = [(0, "in"), (480, "to"), (700, "the"), (960, "night")]
    song = midi(tmp_path, track((0, meta(3, "Voice")), *[(t, meta(5, w)) for t, w in words],
                                *notes(0, 480, 960, length=470)))  # fmt: skip
    assert [s.text for s in song.syllables] == ["in", "to the", "night"]


def note_xml(step, duration, lyric="", rest=False):
    what = "<rest/>" if rest else f"<pitch><step>{step}</step><octave>4</octave></pitch>"
    return f"<note>{what}<duration>{duration}</duration><voice>1</voice>{lyric}</note>"


def lyric_xml(text, syllabic="single", number=1, more=""):
    return f'<lyric number="{number}"><syllabic>{syllabic}</syllabic><text>{text}</text>{more}</lyric>'


def score_xml(*measures, head="Flute"):
    bars = "".join(f'<measure number="{i + 1}">{m}</measure>' for i, m in enumerate(measures))
    start = "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"
    bars = bars.replace('<measure number="1">', f'<measure number="1">{start}', 1)
    return (
        f'<score-partwise><part-list><score-part id="P1"><part-name>{head}</part-name></score-part></part-list>'
        f'<part id="P1">{bars}</part></score-partwise>'
    )


def read_xml(tmp_path, text):
    (tmp_path / "s.musicxml").write_text(text, encoding="utf-8")
    return read_musicxml(tmp_path / "s.musicxml")


def test_the_first_of_several_verses_is_sung(tmp_path):
    second = lyric_xml("two", number=2)
    song = read_xml(tmp_path, score_xml(
        note_xml("C", 1, second + lyric_xml("A", "begin")) + note_xml("D", 1, lyric_xml("men", "end", more="<extend/>"))
        + note_xml("E", 1) + note_xml("F", 1, second),
        note_xml("G", 2, rest=True) + note_xml("G", 2, lyric_xml("to", more="<elision>‿</elision><text>it</text>")),
    ))  # fmt: skip
    assert lines_of(song) == ["A-men", "to it"]
    assert [n.syllable for n in song.tracks[0].notes] == [0, 1, 1, 1, 2]
    assert song.tracks[0].role == "vocal" and song.tracks[0].instrument != "voice"


def test_a_part_with_only_a_second_verse_is_sung(tmp_path):
    song = read_xml(tmp_path, score_xml(note_xml("C", 4, lyric_xml("la", number=2))))
    assert [s.text for s in song.syllables] == ["la"]


def test_the_words_stand_under_their_notes():
    text = describe_bars(sung(), 1, 1)
    rows = text.splitlines()
    note_row = next(row for row in rows if "C4" in row)
    word_row = rows[rows.index(note_row) + 1]
    assert note_row.index("C4") == word_row.index("la")
