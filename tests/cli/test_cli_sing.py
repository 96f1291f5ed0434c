"""Songs with words from the command line: what is sung, what is written beside it, and what is said to bad words."""

import json
import re
from pathlib import Path

import pretty_midi
import pytest
import soundfile

from songwright.cli.main import main
from songwright.score.midi import read_midi
from songwright.score.read import read_score

LINES = (
    "I left the light on in the hallway",
    "The kettle sang itself to sleep",
    "Come home, come home before the morning",
    "The door is never locked for you",
)
WORDS = "[verse]\n{}\n{}\n\n[chorus]\n{}\n{} (come home)\n".format(*LINES)


@pytest.fixture(autouse=True)
def bundled_soundfont(monkeypatch):
    """Every machine plays these songs from the same font, and asks no language model."""
    monkeypatch.setenv("SONGWRIGHT_SOUNDFONT", str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"))
    monkeypatch.delenv("SONGWRIGHT_LLM_MODEL", raising=False)


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    place = tmp_path_factory.mktemp("sung")
    (place / "words.txt").write_text(WORDS, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONGWRIGHT_SOUNDFONT", str(Path(pretty_midi.__file__).parent / "TimGM6mb.sf2"))
        arguments = ["--lyrics", str(place / "words.txt"), "--duration", "24", "-o", str(place / "song"), "-q"]
        assert main(["make", "warm soul song, male singer", *arguments]) == 0
    return place / "song"


def test_a_sung_song_has_its_files(song):
    names = {p.name for p in song.iterdir()}
    assert {"karaoke.wav", "lyrics.lrc", "lyrics_words.lrc", "lyrics.srt", "lyrics.json", "lyrics.txt"} <= names
    stems = {p.stem for p in (song / "stems").glob("*.wav")}
    assert {"vocal_lead", "vocal_backing"} <= stems
    lengths = {soundfile.info(p).frames for p in [song / "mix.wav", song / "karaoke.wav", *song.glob("vocals/*.wav")]}
    assert len(lengths) == 1


def test_every_word_is_sung_once_in_order_and_has_its_time(song):
    data = json.loads((song / "lyrics.json").read_text(encoding="utf-8"))
    words = [word for line in data["lines"] for word in line["words"]]
    assert " ".join(word["text"] for word in words) == " ".join(LINES)
    times = [(word["start_seconds"], word["end_seconds"]) for word in words]
    assert all(start < end for start, end in times)
    assert times == sorted(times)
    phonemes = [p for w in words for s in w["syllables"] for p in s["phonemes"]]
    assert len(phonemes) > 60 and all(p["start_seconds"] < p["end_seconds"] for p in phonemes)
    for name in ("lyrics.lrc", "lyrics.srt"):
        text = (song / name).read_text(encoding="utf-8")
        assert all(line in text for line in LINES)


def test_words_in_parentheses_are_left_to_the_others(song):
    score = read_score(song)
    texts = {s.id: s.text for s in score.syllables}
    answers = [t for t in score.tracks if t.role == "backing_vocal"]
    sung = " ".join(texts[n.syllable] for t in answers for n in t.notes if n.syllable is not None)
    assert "come home" in sung
    lead = score.track("vocal_lead")
    assert len({n.syllable for n in lead.notes}) == 9 + 8 + 9 + 8


def test_the_score_carries_the_words_to_other_programs(song):
    lead = read_midi(song / "score.mid").track("vocal_lead")
    assert all(n.syllable is not None for n in lead.notes)
    xml = (song / "score.musicxml").read_text(encoding="utf-8")
    assert re.search(r"<syllabic>begin</syllabic><text>ket</text>", xml)


def test_the_brief_says_who_sings_and_the_report_how(song):
    brief = json.loads((song / "brief.json").read_text(encoding="utf-8"))
    assert brief["singer"] in ("leo", "adam", "rex", "boris") and brief["voice_source"] == "espeak"
    assert brief["origins"]["singer"] == "inferred" and brief["origins"]["lyrics"] == "said"
    report = json.loads((song / "report.json").read_text(encoding="utf-8"))["singing"]
    assert report["planned_in_order"] == 1.0
    assert report["pyin"]["within_50_cents"] > 0.97 and report["pyin"]["median_cents"] < 10
    assert report["syllables_found"] > 0.9
    assert report["onsets"]["all"]["median_abs_ms"] < 15
    assert -2.1 <= report["level_over_instruments_db"] <= 3.1


def test_rendering_again_sings_nothing_and_gives_the_same_bytes(song, tmp_path, monkeypatch):
    from songwright.perform.singer.player import SingerPlayer

    before = {p.name: p.read_bytes() for p in [song / "mix.wav", *song.glob("stems/*.wav"), song / "lyrics.json"]}
    monkeypatch.setattr(SingerPlayer, "render", lambda *a, **k: pytest.fail("it was sung again"))
    assert main(["render", str(song / "song.json"), "-o", str(song), "--force", "-q"]) == 0
    for path in [song / "mix.wav", *song.glob("stems/*.wav"), song / "lyrics.json"]:
        assert before[path.name] == path.read_bytes(), path.name


def test_sing_takes_the_words_of_a_midi_file(song, tmp_path, capsys):
    assert main(["sing", "--score", str(song / "score.mid"), "-o", str(tmp_path / "a"), "--voice", "vera", "-q"]) == 0
    made = read_score(tmp_path / "a")
    assert [t.id for t in made.tracks] == ["vocal_lead"] and made.tracks[0].singer.name == "vera"
    assert not (tmp_path / "a" / "karaoke.wav").exists()
    lyrics = (tmp_path / "a" / "lyrics.lrc").read_text(encoding="utf-8")
    assert all(line in lyrics for line in LINES)


def test_sing_sets_new_words_and_tells_what_it_did(song, tmp_path, capsys):
    words = tmp_path / "words.txt"
    words.write_text("Oh, what a very long and winding line of words this is\nShort\n", encoding="utf-8")
    score = str(song / "score.musicxml")
    assert main(["sing", "--score", score, "--lyrics", str(words), "-o", str(tmp_path / "b"), "-q"]) == 0
    told = capsys.readouterr().err
    assert "note" in told
    text = (tmp_path / "b" / "lyrics.txt").read_text(encoding="utf-8")
    assert "Oh, what a very long and winding line of words this is" in text and "Short" in text


@pytest.mark.parametrize(
    ("content", "pattern"),
    [
        ("", "no words"),
        ("   \n\n", "no words"),
        ("🎵🎶✨", "sung|words"),
        ("123 \x07", ""),
    ],
)
def test_words_that_are_none(tmp_path, capsys, content, pattern):
    words = tmp_path / "w.txt"
    words.write_text(content, encoding="utf-8")
    code = main(["make", "a pop song", "--lyrics", str(words), "--duration", "15", "-o", str(tmp_path / "o"), "-q"])
    if not pattern:
        assert code == 0
        return
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and re.search(pattern, error)
    assert not (tmp_path / "o").exists() and not list(tmp_path.glob(".*partial*"))


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["make", "pop", "--lyrics", "missing.txt"], "missing.txt"),
        (["make", "pop", "--voice", "clra"], "clara"),
        (["make", "pop", "--voice", "missing.wav"], "file"),
        (["make", "pop", "--voice-source", "robot"], "espeak"),
        (["make", "pop", "--voice-source", "piper"], "piper"),
        (["make", "pop", "--language", "klingon"], "klingon|language"),
        (["sing", "--score", "missing.mid"], "missing.mid"),
    ],
)
def test_flags_that_cannot_be_used(tmp_path, monkeypatch, capsys, arguments, pattern):
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "-q"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and re.search(pattern, error)
    assert not list(tmp_path.iterdir()) or not list((tmp_path / "songs").glob("*"))


def test_a_voice_belongs_to_its_person(tmp_path, song, capsys, monkeypatch):
    from songwright.perform.singer import person

    monkeypatch.setattr(person, "_ROUNDS", 1)
    voice = song / "vocals" / "vocal_lead.wav"
    arguments = ["sing", "--score", str(song / "score.mid"), "--voice", str(voice), "-o", str(tmp_path / "o"), "-q"]
    assert main(arguments) == 2
    assert "--i-have-permission" in capsys.readouterr().err
    assert main([*arguments, "--i-have-permission"]) == 0
    made = read_score(tmp_path / "o")
    assert made.provenance["voice_recording"].startswith("vocal_lead.wav sha256:")
    assert made.tracks[0].singer.parameters


def test_a_speaker_that_hangs_is_stopped_and_nothing_is_left(tmp_path, monkeypatch, capsys):
    from songwright.speech import espeak

    worker = tmp_path / "worker.py"
    worker.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.setattr(espeak, "_WORKER", worker)
    monkeypatch.setattr(espeak, "TIMEOUT_SECONDS", 0.5)
    code = main(["make", "a pop song", "--duration", "15", "-o", str(tmp_path / "o"), "-q"])
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1 and "espeak" in error
    assert not (tmp_path / "o").exists() and not list(tmp_path.glob(".*partial*"))
