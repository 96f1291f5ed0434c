import shutil
import sys
from itertools import pairwise

import numpy as np
import pytest

from songwright.errors import InputError
from songwright.perform.singer.player import SingerPlayer
from songwright.perform.singer.source import SourceLine
from songwright.perform.singer.sources import arpabet
from songwright.perform.singer.sources.arpabet import VOWELS, engine_line, run_engine, timed
from songwright.perform.singer.sources.choose import _TRACTS, sounding_voice, source_of
from songwright.perform.singer.sources.espeak import EspeakSource
from songwright.perform.singer.sources.festival import FestivalSource, _scheme
from songwright.perform.singer.sources.flite import FliteSource
from songwright.perform.singer.sources.warp import carried, warp_path
from songwright.perform.singer.voice import voice_of
from songwright.perform.timeline import Performance
from songwright.score.song import Singer, Syllable
from songwright.score.voices import VOICE_TYPES
from songwright.speech.espeak import SpeechError

ENGINES = [
    pytest.param(
        source, id=name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
    )
    for name, source in (("flite", FliteSource()), ("festival", FestivalSource()))
]
WORDS = (("riv", "river", "r I", 1, 1), ("er", "river", "v 3", 1, 0), ("fire", "fire", "f aI3", 1, 1),
         ("lit", "little", "l I", 1, 1), ("tle", "little", "t# @L", 1, 0),
         ("star", "star", "s t A@", 2, 1), ("uh", "uh", "@", 0, 1))  # fmt: skip


def syllables(rows=WORDS, language="en"):
    return tuple(
        Syllable(i, text, word, stress, 0, language, tuple(phones.split()), nucleus)
        for i, (text, word, phones, nucleus, stress) in enumerate(rows)
    )


LINE = SourceLine(syllables(), 220.0)
HARSH = SourceLine(syllables((('") (system "x', "$(rm -rf /) `x`", "m u: n", 1, 1),)), 220.0)
CHINESE = SourceLine(syllables((("妈", "妈", "m A", 1, 1), ("来", "来", "l ai", 1, 1)), "zh"), 220.0)


def check(line, spoken):
    assert [p.symbol for p in spoken.phones] == [p for s in line.syllables for p in s.phonemes]
    nuclei = [p.syllable for p in spoken.phones if p.is_nucleus]
    assert nuclei == list(range(len(line.syllables)))
    assert np.isfinite(spoken.waveform).all() and 0.05 < np.abs(spoken.waveform).max() <= 1.0
    for phone in spoken.phones:
        assert 0 <= phone.start_seconds < phone.end_seconds <= len(spoken.waveform) / spoken.sample_rate + 1e-3
    for before, after in pairwise(spoken.phones):
        assert before.end_seconds <= after.start_seconds + 1e-6


@pytest.mark.parametrize("source", ENGINES)
def test_every_phone_is_spoken_in_order_with_one_vowel_a_syllable(source):
    spoken = source.speak([LINE, HARSH])
    check(LINE, spoken[0])
    check(HARSH, spoken[1])
    again = source.speak([LINE])[0]
    assert np.array_equal(again.waveform, spoken[0].waveform) and again.phones == spoken[0].phones


@pytest.mark.parametrize("source", ENGINES)
def test_noises_lie_where_the_phones_say(source):
    spoken = source.speak([LINE])[0]

    def share_above(phone, hz=3500):
        a, b = (int(t * spoken.sample_rate) for t in (phone.start_seconds, phone.end_seconds))
        power = np.abs(np.fft.rfft(spoken.waveform[a:b] * np.hanning(b - a))) ** 2
        return power[np.fft.rfftfreq(b - a, 1 / spoken.sample_rate) > hz].sum() / power.sum()

    hiss = next(p for p in spoken.phones if p.symbol == "s")
    vowels = [p for p in spoken.phones if p.is_nucleus]
    assert share_above(hiss) > 0.5 > 3 * max(share_above(v) for v in vowels)


@pytest.mark.parametrize("source", ENGINES)
def test_other_languages_are_spoken_by_espeak_and_the_log_says_so(source, caplog):
    mixed = source.speak([CHINESE, LINE])
    check(CHINESE, mixed[0])
    check(LINE, mixed[1])
    assert sum("espeak speaks 1 of 2" in m for m in caplog.messages) == 1


def test_words_of_engines_are_invented_and_hold_one_vowel_for_each_syllable():
    told = engine_line(SourceLine(LINE.syllables * 40, 220.0))
    names = [w.name for w in told.words]
    assert len(set(names)) == len(names) == 5 * 40 and all(n.isascii() and n.isalpha() and n.islower() for n in names)
    for word in told.words:
        assert all(sum(p in VOWELS or p == "ax" for p in phones) == 1 for phones, _ in word.syllables)
    assert engine_line(CHINESE) is None
    assert engine_line(SourceLine(syllables((("x", "x", "m ~?! n", 1, 1),)), 220.0)) is None


def test_lines_that_come_back_otherwise_are_refused():
    told = engine_line(SourceLine(syllables((("low", "low", "l oU", 1, 1),)), 220.0))
    assert timed(told, [("pau", 0.2), ("l", 0.3), ("ow", 0.5), ("pau", 0.7)])[1].start_seconds == 0.3
    assert timed(told, [("l", 0.3), ("ah", 0.5)]) is None
    assert timed(told, [("l", 0.3), ("ow", 0.3)]) is None


def test_nothing_of_the_text_reaches_festival(tmp_path):
    program = _scheme([engine_line(HARSH)], tmp_path)
    assert "system" not in program and "rm -rf" not in program and "m uw n" in program


def test_missing_hanging_and_failing_engines_are_told_in_one_line(monkeypatch):
    with pytest.raises(SpeechError, match="apt install nothing") as caught:
        run_engine("no-such-program", "nothing", [])
    assert "\n" not in str(caught.value)
    with pytest.raises(SpeechError, match="failed \\(a line\\)"):
        run_engine(sys.executable, "x", ["-c", "import sys; sys.stderr.write('much\\na line'); sys.exit(3)"])
    monkeypatch.setattr(arpabet, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(SpeechError, match="no answer"):
        run_engine(sys.executable, "x", ["-c", "import time; time.sleep(60)"])


def test_a_song_is_sung_with_another_source():
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    starts = 0.4 + 0.4 * np.arange(7)
    pitches = np.array([62, 64, 66, 67, 66, 62, 64])
    played = Performance(
        starts, starts + 0.39, pitches, np.full(7, 90), syllables=LINE.syllables, singer=Singer("clara", "flite")
    )
    sound = SingerPlayer(1).render(played, "voice", sample_rate=44100, num_samples=int(3.6 * 44100))[0]
    import pyworld

    f0, times = pyworld.harvest(sound.astype(np.float64), 44100, f0_floor=200, f0_ceil=600)
    for start, pitch in zip(starts, pitches, strict=True):
        inside = (times > start + 0.08) & (times < start + 0.25) & (f0 > 0)
        assert abs(np.median(1200 * np.log2(f0[inside] / (440 * 2 ** ((pitch - 69) / 12))))) < 25


def test_sources_are_chosen_by_name():
    assert isinstance(source_of(None), EspeakSource) and isinstance(source_of(Singer("adam")), EspeakSource)
    assert isinstance(source_of(Singer("clara", "flite")), FliteSource)
    assert isinstance(source_of(Singer("clara", "festival")), FestivalSource)
    with pytest.raises(InputError, match="no voicebank at /somewhere"):
        source_of(Singer("clara", "bank:/somewhere"))
    for name in ("robot", "piper:", "bank:", "piper", "flite:x"):
        with pytest.raises(InputError, match="no voice source"):
            source_of(Singer("clara", name))


def test_formants_of_the_speaker_become_those_of_the_singers_voice_type():
    assert all(t in _TRACTS for t in VOICE_TYPES)
    scales = [sounding_voice(Singer(name, "flite")).formant_scale for name in ("boris", "adam", "clara", "mia")]
    assert scales == sorted(scales) and 0.8 < scales[0] < 0.95 < scales[2] < 1.05 < scales[3]
    own = Singer("adam", "piper:x", {"tract_ratio": 1.1})
    assert sounding_voice(own).formant_scale == pytest.approx(1.1)
    assert sounding_voice(Singer("adam")) == voice_of(Singer("adam"))


def test_phone_times_are_carried_to_another_speaking_of_a_line():
    slow, fast = EspeakSource("klatt4"), EspeakSource("klatt2", 60)
    known, other = slow.speak([LINE])[0], fast.speak([LINE])[0]
    cut = other.waveform[: int(0.7 * len(other.waveform))]
    moved = carried(known, other.waveform, other.sample_rate)
    off = [abs(a.start_seconds - b.start_seconds) for a, b in zip(moved, other.phones, strict=True)]
    assert np.median(off) < 0.025 and max(off) < 0.12
    assert all(p.end_seconds <= len(cut) / other.sample_rate + 1e-6 for p in carried(known, cut, other.sample_rate))


def test_warping_never_goes_back_and_keeps_equal_sounds_equal():
    rng = np.random.default_rng(0)
    frames = rng.standard_normal((40, 8))
    assert np.array_equal(warp_path(frames, frames), np.stack([np.arange(40)] * 2, axis=1))
    path = warp_path(frames, np.repeat(frames, 2, axis=0))
    assert (np.diff(path, axis=0) >= 0).all() and np.abs(path[:, 1] - 2 * path[:, 0]).max() <= 2
