"""The speech engine: what it answers, and what happens when its process hangs, dies or does not know."""

import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from songwright.speech import espeak
from songwright.speech.espeak import SpeechError, Utterance, phonemes, speak, split_marks


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """Puts a script in the place of the worker."""

    def put(code):
        path = tmp_path / "worker.py"
        path.write_text(f"import os, signal, sys, time\nfolder = {str(tmp_path)!r}\n{code}\n", encoding="utf-8")
        monkeypatch.setattr(espeak, "_WORKER", path)
        return tmp_path

    return put


def alive(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().split()[2] != "Z"


def test_phonemes_of_words():
    rows = phonemes(["hello", "", "little"], "en")
    assert [split_marks(p)[0] for p in rows[0][0]] == ["h", "@", "l", "oU"]
    assert rows[1] == []
    assert [split_marks(p)[1] for p in rows[2][0]] == [0, 1, 0, 0]


def test_mnemonics_come_back_as_phones_with_places():
    (spoken,) = speak([Utterance("[[h@l'oU||w'3:ld]]")], "en")
    assert [p.symbol for p in spoken.phones] == ["h", "@", "l", "oU", "w", "3:", "l", "d"]
    assert [p.word for p in spoken.phones] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [p.stress for p in spoken.phones if p.stress] == [1, 1]
    starts = [p.start_sample for p in spoken.phones]
    assert starts == sorted(starts)
    assert spoken.phones[-1].end_sample <= len(spoken.waveform)
    assert np.abs(spoken.waveform).max() > 0.05


def test_the_same_words_sound_the_same_a_second_later():
    lines = [Utterance("[[l'a|s'i:]]", variant="f2", pitch=60), Utterance("[[s'i:]]", variant="m3")]
    first = speak(lines, "en")
    time.sleep(1.1)  # espeak would seed its noise with the second
    for one, other in zip(first, speak(lines, "en"), strict=True):
        np.testing.assert_array_equal(one.waveform, other.waveform)
        assert one.phones == other.phones


def test_words_sound_the_same_whatever_is_said_beside_them():
    line, other = Utterance("[[l'a|s'i:]]", variant="klatt2", pitch=90), Utterance("[[m'u:n]]", variant="klatt2")
    (alone,) = speak([line], "en")
    for beside in (speak([other, line], "en")[1], speak([line, other], "en")[0], speak([line, line], "en")[1]):
        np.testing.assert_array_equal(alone.waveform, beside.waveform)
        assert alone.phones == beside.phones


def test_more_texts_than_one_process_takes():
    texts = [f"word {i}" for i in range(espeak.LARGEST_REQUEST + 3)]
    rows = phonemes(texts, "en")
    assert len(rows) == len(texts)
    assert rows[0] == phonemes(texts[:1], "en")[0]
    assert rows[-1] == phonemes(texts[-1:], "en")[0]


def test_nothing_asked_starts_no_process(worker):
    worker("sys.exit(9)")
    assert phonemes([], "en") == []
    assert speak([], "en") == []


@pytest.mark.parametrize(
    "text", ["a\x00b\x07\x1b[31mc", "\ud800", "\u200f\u202e", "😀😀", "…", "]] [[", "[[", "x" * 10000]
)
def test_odd_texts_are_answered(text):
    assert len(phonemes([text], "en")) == 1


def test_a_text_of_ten_thousand_letters():
    (row,) = phonemes(["love " * 2000], "en")
    assert len(row) == 2000


@pytest.mark.parametrize("language", ["xx", "narnian", ""])
def test_an_unknown_language_is_named(language):
    with pytest.raises(SpeechError, match=f"does not speak the language '{language}'") as caught:
        phonemes(["hello"], language)
    assert "\n" not in str(caught.value)


def test_a_worker_that_hangs_is_killed(worker, monkeypatch):
    folder = worker("open(folder + '/pid', 'w').write(str(os.getpid()))\ntime.sleep(60)")
    monkeypatch.setattr(espeak, "TIMEOUT_SECONDS", 0.6)
    with pytest.raises(SpeechError, match="no answer within"):
        phonemes(["hello"], "en")
    assert not alive(int((folder / "pid").read_text()))


def test_a_worker_that_dies_is_told_in_one_line(worker):
    worker("sys.stderr.write('first line\\nRuntimeError: no voice data\\n'); sys.exit(1)")
    with pytest.raises(SpeechError, match="RuntimeError: no voice data") as caught:
        phonemes(["hello"], "en")
    assert "\n" not in str(caught.value)


def test_a_worker_struck_by_a_signal_is_tried_once_more(worker):
    source = Path(espeak.__file__).with_name("worker.py")
    folder = worker(
        "open(folder + '/log', 'a').write('.')\n"
        "if len(open(folder + '/log').read()) == 1: os.kill(os.getpid(), signal.SIGSEGV)\n"
        f"exec(compile(open({str(source)!r}).read(), 'worker', 'exec'))"
    )
    assert phonemes(["oh"], "en") == [[["'oU"]]]
    assert (folder / "log").read_text() == ".."


def test_a_worker_struck_twice_is_given_up(worker):
    folder = worker("open(folder + '/log', 'a').write(f'{os.getpid()} ')\nos.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(SpeechError, match=f"signal {int(signal.SIGKILL)}, twice"):
        phonemes(["hello"], "en")
    pids = (folder / "log").read_text().split()
    assert len(pids) == 2
    assert not any(alive(int(pid)) for pid in pids)


def test_an_answer_cut_short_is_an_error(worker):
    worker("sys.stdout.write('abc')")
    with pytest.raises(SpeechError, match="espeak-ng failed"):
        phonemes(["hello"], "en")


def test_a_missing_package_is_named(worker):
    source = Path(espeak.__file__).with_name("worker.py")
    worker(f"sys.modules['espeakng_loader'] = None\nexec(compile(open({str(source)!r}).read(), 'worker', 'exec'))")
    with pytest.raises(SpeechError, match="pip install espeakng-loader"):
        phonemes(["hello"], "en")


def test_nothing_of_espeak_is_loaded_here():
    phonemes(["hello"], "en")
    assert "espeakng_loader" not in sys.modules
