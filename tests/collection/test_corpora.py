"""Each corpus's reader on a few hand-written bars in the corpus's own formats."""

import pytest

from songwright.collection.corpora import bands, billboard, chopin, chorales, groove, hymnal, lieder, openewld, pop909
from songwright.collection.form import sections
from songwright.errors import DataError
from songwright.score.midi import to_midi_bytes
from songwright.score.musicxml import to_musicxml_bytes
from songwright.score.song import TICKS_PER_QUARTER as Q
from songwright.score.song import (
    ChordSpan,
    KeyChange,
    MeterChange,
    Note,
    Song,
    Syllable,
    TempoChange,
    Track,
    check,
)


def one(corpus, data):
    (source,) = corpus.find(data)
    song = corpus.read(source)
    check(song)
    return song


def quarters(notes):
    return [(n.start_ticks / Q, n.duration_ticks / Q, n.pitch) for n in notes]


CHORDS = ((48, 52, 55), (45, 48, 52), (41, 45, 48), (43, 47, 50)) * 2
TUNE = [(64, 67, 65, 64), (60, 64, 69, 67), (65, 69, 67, 65), (62, 67, 65, 62)] * 2


@pytest.fixture
def pop(tmp_path):
    """Eight bars; the played edition begins 40 ticks late, the corrected one a beat before its first bar line."""
    melody = [Note(i * 4 * Q + k * Q, Q // 2, p, 90 + k) for i, row in enumerate(TUNE) for k, p in enumerate(row)]
    piano = [Note(i * 4 * Q, 4 * Q, p, 60 + k) for i, row in enumerate(CHORDS) for k, p in enumerate(row)]
    bridge = [Note(i * 4 * Q + 3 * Q, Q, 72 + i, 70) for i in range(8)]

    def moved(notes, ticks):
        return tuple(sorted(Note(n.start_ticks + ticks, n.duration_ticks, n.pitch, n.velocity) for n in notes))

    played = [("MELODY", melody), ("BRIDGE", bridge), ("PIANO", piano)]
    raw = Song(
        duration_ticks=36 * Q,
        tempos=(TempoChange(0, 100.0),),
        tracks=tuple(Track(name.lower(), "melody", "flute", name, moved(notes, 40)) for name, notes in played),
    )
    every = [*melody, *bridge, *piano]
    late = 3 * Q
    clean = Song(
        duration_ticks=36 * Q,
        keys=(KeyChange(0, "C major"),),
        tracks=(
            Track("piano", "chords", "acoustic_grand_piano", "piano", moved(every, late)),
            Track("chords", "chords", "acoustic_grand_piano", "chords", moved(piano, late)),
        ),
    )
    folder = tmp_path / "pop909" / "POP909" / "001"
    folder.mkdir(parents=True)
    (folder / "001.mid").write_bytes(to_midi_bytes(raw))
    (tmp_path / "pop909-cl").mkdir()
    (tmp_path / "pop909-cl" / "001.mid").write_bytes(to_midi_bytes(clean))
    structure = tmp_path / "pop909" / "structure" / "001"
    structure.mkdir(parents=True)
    (structure / "human_label1.txt").write_text("A4B4\n")
    (structure / "melody.txt").write_text("".join(f"{p} 4\n" for row in TUNE for p in row))
    return tmp_path


def test_pop909_bars_are_where_the_labels_and_chords_say(pop):
    song = one(pop909.CORPUS, pop)
    assert [t.role for t in song.tracks] == ["melody", "counter_melody", "chords"]
    tune = quarters(song.track("melody").notes)
    assert [s for s, *_ in tune[:4]] == [4, 5, 6, 7] and {n for _, n, _ in tune} <= {1.0, 0.5}
    assert [(c.start_ticks / Q, c.symbol) for c in song.chords[:4]] == [(0, "N.C."), (4, "C"), (8, "Am"), (12, "F")]
    assert [(s.role, s.start_ticks / Q) for s in song.sections] == [("intro", 0), ("verse", 4), ("chorus", 20)]
    assert song.tempos[0].bpm == 100 and song.duration_ticks % (4 * Q) == 0


def test_pop909_hands_are_a_bass_and_chords(pop):
    song = one(pop909.HANDS, pop)
    assert [n.pitch for n in song.track("bass").notes] == [48, 45, 41, 43] * 2
    together = len(song.track("bass").notes) + len(song.track("piano").notes)
    assert together == 24


def test_pop909_whose_editions_differ_is_refused(pop):
    other = Song(duration_ticks=8 * Q, tracks=(
        Track("piano", "chords", "acoustic_grand_piano", "piano", (Note(0, Q, 20, 1),)),
        Track("chords", "chords", "acoustic_grand_piano", "chords", (Note(0, Q, 48, 1),)),
    ))  # fmt: skip
    (pop / "pop909-cl" / "001.mid").write_bytes(to_midi_bytes(other))
    with pytest.raises(DataError, match="corrected edition"):
        one(pop909.CORPUS, pop)


def test_groove_strokes_are_on_the_grid_and_remember_where_they_were_played(tmp_path):
    root = tmp_path / "groove-midi"
    root.mkdir()
    beat = [(0, 36, 100), (Q // 2 + 30, 42, 40), (Q - 25, 38, 110), (Q + Q // 3 + 10, 42, 50), (Q + 2 * Q // 3, 42, 60),
            (2 * Q, 26, 90), (2 * Q + 12, 46, 30)]  # fmt: skip
    notes = tuple(Note(s, 60, p, v) for s, p, v in beat)
    song = Song(duration_ticks=4 * Q, tracks=(Track("d", "drums", "standard_kit", "d", notes),))
    (root / "a.mid").write_bytes(to_midi_bytes(song))
    head = "drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,audio_filename,duration,split\n"
    (root / "info.csv").write_text(
        head + "d,s,d/1,latin/brazilian-bossa,93,beat,4-4,a.mid,,1.0,validation\n"
        "d,s,d/2,rock,93,fill,4-4,a.mid,,1.0,test\n"
    )
    (source,) = groove.CORPUS.find(tmp_path)
    read = one(groove.CORPUS, tmp_path)
    assert source.split == "valid" and read.style == "bossa_nova" and read.tempos[0].bpm == 93
    assert [(s.id, s.split) for s in groove.FILLS.find(tmp_path)] == [("d/2", "test")]
    strokes = [(n.start_ticks, n.pitch, n.offset_ticks) for n in read.tracks[0].notes]
    assert strokes == [
        (0, 36, 0), (Q // 2, 42, 30), (Q, 38, -25), (Q + Q // 3, 42, 10), (Q + 2 * Q // 3, 42, 0), (2 * Q, 46, 0),
    ]  # fmt: skip


def test_billboard(tmp_path):
    root = tmp_path / "mcgill-billboard"
    (root / "salami_chords").mkdir(parents=True)
    (root / "index.csv").write_text("id,title,artist\n7,Song,Band\n")
    lines = [
        "# title: Song", "# metre: 4/4", "# tonic: E", "", "0.0\tsilence",
        "1.0\tA, intro, | E:min | E:min A:maj/3 |", "5.0\tB, verse, | C:maj7 . D:7 . | E:min | x2",
        "13.0\t| E:min | E:min | x2, (guitar)", "# tonic: F", "21.0\tC, chorus, | F:min | C:min7 | F:min | N |",
        "29.0\tsilence",
    ]  # fmt: skip
    (root / "salami_chords" / "0007.txt").write_text("\n".join(lines))
    song = one(billboard.CORPUS, tmp_path)
    assert song.tempos[0].bpm == 120 and song.duration_ticks == 14 * 4 * Q
    assert [(s.role, s.start_ticks // (4 * Q)) for s in song.sections] == [("intro", 0), ("verse", 2), ("chorus", 10)]
    assert [(k.tick // (4 * Q), k.key) for k in song.keys] == [(0, "E minor"), (10, "F minor")]
    assert [c.symbol for c in song.chords] == [
        "Em", "A/C#", "Cmaj7", "D7", "Em", "Cmaj7", "D7", "Em", "Fm", "Cm7", "Fm", "N.C.",
    ]  # fmt: skip


def test_a_lead_sheet_in_a_relative_key(tmp_path):
    folder = tmp_path / "openewld" / "dataset" / "[Traditional]" / "Tune"
    folder.mkdir(parents=True)
    notes = [Note(4 * Q, 4 * Q, 64, 80), Note(4 * Q, Q, 60, 80), Note(8 * Q, 4 * Q, 69, 80)]
    notes = [Note(0, 4 * Q, 69, 80, 0, 0), *notes]
    song = Song(
        duration_ticks=12 * Q,
        chords=(ChordSpan(0, 4 * Q, "Am"), ChordSpan(4 * Q, 4 * Q, "E7"), ChordSpan(8 * Q, 4 * Q, "Am")),
        tracks=(Track("lead", "melody", "flute", "Lead", tuple(sorted(notes))),),
        syllables=(Syllable(0, "1. Oh", "1. Oh"),),
    )
    text = to_musicxml_bytes(song).split(b"<identification>")
    plain = text[0] + text[1].split(b"</identification>")[1]  # as another program would write it
    (folder / "Tune.mxl").write_bytes(plain)
    read = one(openewld.CORPUS, tmp_path)
    assert read.keys[0].key == "A minor" and read.style == "folk" and len(read.chords) == 3
    assert [n.pitch for n in read.tracks[0].notes] == [69, 64, 69] and read.tracks[0].role == "vocal"
    assert [s.text for s in read.syllables] == ["Oh"]


def test_a_song_and_its_analysis_counted_from_its_upbeat(tmp_path):
    folder = tmp_path / "openscore-lieder" / "scores" / "Someone" / "Song"
    folder.mkdir(parents=True)
    piano = [Note(0, Q, 55, 80)]
    rows = [(48, 52, 55), (43, 47, 50), (45, 48, 52), (48, 52, 55)]
    piano += [Note(Q + i * 4 * Q, 4 * Q, p, 80) for i, row in enumerate(rows) for p in row]
    voice = (Note(0, Q, 67, 80, 0, 0), *(Note(Q + i * 4 * Q, 4 * Q, 72, 80, 0, i + 1) for i in range(4)))
    song = Song(
        duration_ticks=17 * Q,
        meters=(MeterChange(0, 1, 4), MeterChange(Q, 4, 4)),
        tracks=(Track("v", "vocal", "voice", "Voice", voice),
                Track("p", "chords", "acoustic_grand_piano", "Piano", tuple(sorted(piano)))),
        syllables=tuple(Syllable(i, t, t) for i, t in enumerate(("O", "du", "mein", "lied", "ja"))),
    )  # fmt: skip
    text = to_musicxml_bytes(song).split(b"<identification>")
    (folder / "lc1.mxl").write_bytes(text[0] + text[1].split(b"</identification>")[1])
    (folder / "analysis_automatic.rntxt").write_text("Time Signature: 4/4\n\nm1 C: I\nm2 V\nm3 vi\nm4 I\n")
    read = one(lieder.CORPUS, tmp_path)
    placed = [(c.start_ticks // Q, c.symbol) for c in read.chords]
    assert placed == [(0, "N.C."), (4, "C"), (8, "G"), (12, "Am"), (16, "C")]
    assert quarters(read.track("voice").notes)[0] == (3, 1, 67)
    assert [t.role for t in read.tracks] == ["vocal", "chords"]
    (folder / "analysis_automatic.rntxt").write_text("Time Signature: 4/4\n\nm1 F#: I\nm2 V\nm3 i\nm4 V\n")
    assert one(lieder.CORPUS, tmp_path).chords == ()


def test_a_band_gets_roles_by_its_notes(tmp_path):
    root = tmp_path / "freedoom-midi"
    root.mkdir()
    tune = tuple(Note(i * Q // 2, Q // 2, 70 + i % 5, 80) for i in range(32))
    tracks = (
        Track("a", "melody", "acoustic_grand_piano", "By the author", tuple(Note(i * Q, Q, 36, 80) for i in range(16))),
        Track("b", "bass", "saw_lead", "Bass of Doom", tune),
        Track("c", "melody", "slow_strings", "x", tuple(Note(i * 4 * Q, 4 * Q, p, 80) for i in range(4)
                                                       for p in (60, 64, 67))),
        Track("d", "drums", "standard_kit", "kit", tuple(Note(i * Q + 7, Q // 4, 36, 80) for i in range(16))),
        Track("e", "melody", "flute", "echo", tuple(Note(n.start_ticks + Q // 4, n.duration_ticks, n.pitch, 50)
                                                   for n in tune)),
    )  # fmt: skip
    (root / "a.mid").write_bytes(to_midi_bytes(Song(duration_ticks=16 * Q, tracks=tracks)))
    song = one(bands.FREEDOOM, tmp_path)
    assert [t.role for t in song.tracks] == ["bass", "melody", "pad", "drums"]
    assert song.style == "rock" and {n.offset_ticks for n in song.tracks[3].notes} == {7}


def test_a_hymn(tmp_path):
    root = tmp_path / "open-hymnal"
    root.mkdir()
    text = ("X:1\nT: Praise\nM:4/4\nL:1/4\nV:1\nV:2\nV:3\nV:4\nK:C\n[V:1] c B A G | F E D C |\n"
            "w: 1.~Praise the Lord ye heav'ns a- dore Him\n[V:2] G G F E | D C B, C |\n[V:3] E D C C | A, G, G, E, |\n"
            "[V:4] C, G,, F,, C, | D, E, G,, C, |\n")  # fmt: skip
    (root / "Praise-TUNE.abc").write_text(text)
    song = one(hymnal.CORPUS, tmp_path)
    assert [t.role for t in song.tracks] == ["vocal", "counter_melody", "counter_melody", "bass"]
    assert [s.text for s in song.syllables][:3] == ["Praise", "the", "Lord"]
    assert [c.symbol for c in song.chords][:3] == ["C", "G", "F"]


def test_chorales_and_first_editions(tmp_path):
    folder = tmp_path / "jsb-chorales"
    folder.mkdir()
    frames = "[[72,67,64,48],[72,67,64,48],[74,67,62,-1],[74,67,62,-1]]"
    (folder / "Jsb16thSeparated.json").write_text(f'{{"train": [{frames}], "valid": []}}')
    song = one(chorales.JSB, tmp_path)
    assert quarters(song.track("soprano").notes) == [(0, 0.5, 72), (0.5, 0.5, 74)]
    assert quarters(song.track("bass").notes) == [(0, 0.5, 48)]
    kern = tmp_path / "chopin-kern"
    kern.mkdir()
    rows = ["**kern\t**kern", "*M2/4\t*M2/4", "=1\t=1", "2C\t4e 4g", ".\t4g", "=2\t=2", "2C\t2e", "*-\t*-"]
    for name in ("009-1-KI-002", "009-1a-Sm-002"):
        (kern / f"{name}.krn").write_text("\n".join(rows) + "\n")
    song = one(chopin.CORPUS, tmp_path)
    assert [(t.id, t.role) for t in song.tracks] == [("piano", "chords")] and len(song.tracks[0].notes) == 6


def test_sections_join_and_get_labels():
    bar = 4 * Q
    rows = [(0, bar, "verse", "A"), (bar, 2 * bar, "verse", "A"), (2 * bar, 3 * bar, "chorus", "B"),
            (3 * bar, 4 * bar, "verse", "A")]  # fmt: skip
    assert [(s.label, s.duration_ticks // bar) for s in sections(rows)] == [("Verse", 2), ("Chorus", 1), ("Verse 2", 1)]
