import sys
from itertools import pairwise

import numpy as np
import pytest

from songwright.errors import DataError, InputError, MissingDependencyError
from songwright.perform.singer.bank.config import read_config
from songwright.perform.singer.bank.dictionary import read_dictionary
from songwright.perform.singer.bank.pinyin import pinyin_of
from songwright.perform.singer.bank.sing import VoiceBank, bank_phones
from songwright.perform.singer.player import SingerPlayer, phone_times
from songwright.perform.singer.sources.choose import bank_of
from songwright.perform.timeline import Performance
from songwright.score.song import Singer, Syllable

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from bank_fixture import HOP, PHONEMES, RATE, write_bank  # noqa: E402
from onnx import TensorProto  # noqa: E402

LINE = (("m", "A", 1), ("l", "ai", 1), ("th", "iE", "n", 1), ("j", "i", 1))
SUNG = ["m", "a", "l", "ai", "t", "ian", "i"]
SONG_RATE = 44100


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_bank(tmp_path_factory.mktemp("banks") / "tiny")


def performance(folder, rows=LINE, language="zh", pitches=(60, 64, 67, 62), length=0.4, velocity=90):
    syllables = tuple(Syllable(i, "x", "x", 1, 0, language, tuple(row[:-1]), row[-1]) for i, row in enumerate(rows))
    starts = 0.4 + length * np.arange(len(rows))
    return Performance(
        starts,
        starts + 0.97 * length,
        np.array(pitches[: len(rows)]),
        np.full(len(rows), velocity),
        syllables=syllables,
        singer=Singer("clara", f"bank:{folder}"),
    )


def sing(played):
    count = int((played.end_seconds[-1] + 0.4) * SONG_RATE)
    return SingerPlayer(1).render(played, "voice", sample_rate=SONG_RATE, num_samples=count)[0]


@pytest.fixture(scope="module")
def song(folder):
    played = performance(folder, length=0.6)
    return played, sing(played)


def test_sings_the_written_pitches_where_they_are_written(song):
    import pyworld

    played, sound = song
    f0, times = pyworld.harvest(sound.astype(np.float64), SONG_RATE, f0_floor=100, f0_ceil=700)
    errors = []
    for phone in (p for p in phone_times(played) if p.is_nucleus):
        inside = (times > phone.start_seconds + 0.06) & (times < phone.end_seconds - 0.06) & (f0 > 0)
        assert inside.sum() > 10
        errors.append(1200 * np.log2(f0[inside] / (440 * 2 ** ((played.pitches[phone.syllable] - 69) / 12))))
    errors = np.abs(np.concatenate(errors))
    assert np.median(errors) <= 10 and np.mean(errors < 50) >= 0.97


def test_is_loud_where_notes_are_and_silent_after(song):
    played, sound = song
    for start, end in zip(played.start_seconds, played.end_seconds, strict=True):
        inside = sound[int((start + 0.05) * SONG_RATE) : int((end - 0.05) * SONG_RATE)]
        assert -30 < 20 * np.log10(np.sqrt(np.mean(inside**2))) < -12
    assert np.abs(sound[int((played.end_seconds[-1] + 0.2) * SONG_RATE) :]).max() < 1e-3
    assert np.abs(sound[: int(0.1 * SONG_RATE)]).max() < 1e-3


def test_louder_notes_are_louder_and_the_same_song_is_the_same(folder, song):
    _, sound = song
    assert np.array_equal(sing(performance(folder, length=0.6)), sound)
    soft = sing(performance(folder, length=0.6, velocity=45))
    assert np.sqrt(np.mean(soft**2)) < 0.6 * np.sqrt(np.mean(sound**2))


def heard(monkeypatch, played):
    """Returns names, durations in seconds and languages that the acoustic model was given."""
    import songwright.perform.singer.bank.models as models

    feeds, run = [], models.run_session
    monkeypatch.setattr(models, "run_session", lambda s, path, offered, needed: (
        feeds.append({k: np.asarray(v) for k, v in offered.items()}), run(s, path, offered, needed))[1])  # fmt: skip
    sing(played)
    return next(f for f in feeds if "tokens" in f)


def test_model_is_given_the_banks_phonemes_in_order_at_their_times(folder, monkeypatch):
    played = performance(folder)
    feed = heard(monkeypatch, played)
    names = [PHONEMES[t] for t in feed["tokens"][0]]
    assert names[0] == names[-1] == "SP" and [n for n in names if n != "SP"] == SUNG
    assert feed["durations"].sum() == feed["f0"].shape[1] and feed["durations"].min() >= 1
    starts = np.cumsum(np.concatenate(([0], feed["durations"][0]))) * HOP / RATE
    vowels = [starts[i] for i, n in enumerate(names) if n in ("a", "ai", "ian")]
    wanted = [p.start_seconds for p in phone_times(played) if p.is_nucleus]
    assert np.abs(np.diff(vowels) - np.diff(wanted[:3])).max() <= 1.01 * HOP / RATE


EXTRA = {
    "steps": (TensorProto.INT64, (1,)), "depth": (TensorProto.FLOAT, (1,)), "energy": (TensorProto.FLOAT, (1, "f")),
    "breathiness": (TensorProto.FLOAT, (1, "f")), "voicing": (TensorProto.FLOAT, (1, "f")),
    "tension": (TensorProto.FLOAT, (1, "f")), "gender": (TensorProto.FLOAT, (1, "f")),
    "velocity": (TensorProto.FLOAT, (1, "f")), "languages": (TensorProto.INT64, (1, "n")),
    "spk_embed": (TensorProto.FLOAT, (1, "f", 8)),
}  # fmt: skip


def test_models_with_every_input_are_fed(tmp_path, monkeypatch):
    settings = (
        "use_continuous_acceleration: true\nuse_variable_depth: true\nmax_depth: 0.6\nuse_lang_id: true\n"
        "languages: languages.json\nspeakers: [first]\n"
    )
    bank = write_bank(tmp_path / "b", settings=settings, extra=[(k, *v) for k, v in EXTRA.items()])
    (bank / "languages.json").write_text('{"zh": 1}')
    (bank / "first.emb").write_bytes(np.arange(8, dtype="<f4").tobytes())
    feed = heard(monkeypatch, performance(bank))
    assert feed["depth"] == pytest.approx([0.6]) and feed["steps"] == [20]
    assert feed["spk_embed"].shape[2] == 8 and feed["energy"].max() < 0 < feed["energy"].max() - feed["energy"].min()


def test_skipping_models_are_told_depth_in_thousandths(tmp_path, monkeypatch):
    extra = [("speedup", TensorProto.INT64, (1,)), ("depth", TensorProto.INT64, (1,))]
    bank = write_bank(tmp_path / "b", settings="use_shallow_diffusion: true\nmax_depth: 400\n", extra=extra)
    feed = heard(monkeypatch, performance(bank))
    assert feed["speedup"] == [20] and feed["depth"] == [400]


def test_spectra_are_brought_to_the_vocoders_base(folder, tmp_path):
    bank = write_bank(tmp_path / "b", settings="mel_base: e\n")
    assert read_config(bank).mel_factor == pytest.approx(1 / np.log(10))
    assert read_config(folder).mel_factor == 1.0


def test_other_languages_are_sung_by_the_nearest_sounds_and_told_once(folder, caplog):
    dictionary = read_dictionary(read_config(folder))
    line = Syllable(0, "thing", "thing", 1, 0, "en", ("T", "I", "N"), 1)
    found = dictionary.phones(line)
    assert (
        len(found.onset) == 1 and found.onset[0] in ("s", "t") and found.rest[0] in ("a", "i") and len(found.rest) > 1
    )
    dictionary.phones(line)
    assert len(caplog.messages) == len(set(caplog.messages)) >= 1


def test_prefixed_phonemes_of_english_and_russian(tmp_path):
    bank = write_bank(tmp_path / "b")
    names = ["SP", "en/hh", "en/ax", "en/l", "en/ow", "ru/d", "ru/dd", "ru/a", "ru/e", "ru/nn", "ru/n"]
    (bank / "phonemes.txt").write_text("\n".join(names))
    dictionary = read_dictionary(read_config(bank))
    low = dictionary.phones(Syllable(0, "low", "hello", 1, 0, "en", ("l", "oU"), 1))
    assert (low.onset, low.rest) == (("en/l",), ("en/ow",))
    den = dictionary.phones(Syllable(0, "день", "день", 1, 0, "ru", ("d;", "E", "n;"), 1))
    assert (den.onset, den.rest) == (("ru/dd",), ("ru/e", "ru/nn"))


@pytest.mark.parametrize(
    ("phonemes", "pinyin"),
    [("ts. uo", "zhuo"), ("j i", "yi"), ("w a n", "wan"), ("n y", "nv"), ("tS; y", "ju"), ("ts.h w A N", "chuang"),
     ("S; j ong", "xiong"), ("@r", "er"), ("p o", "bo"), ("k k", "")],
)  # fmt: skip
def test_pinyin_of_sounds(phonemes, pinyin):
    assert pinyin_of(phonemes.split()) == pinyin


def test_phonemes_of_a_syllable_fill_its_time(folder):
    dictionary = read_dictionary(read_config(folder))
    played = performance(folder)
    phones = phone_times(played)
    rows = bank_phones(phones, {s.id: dictionary.phones(s) for s in played.syllables})
    assert [r.name for r in rows] == SUNG
    assert rows[0].start == phones[0].start_seconds and rows[-1].end == phones[-1].end_seconds
    assert all(a.end <= b.start + 1e-9 and a.start < a.end for a, b in pairwise(rows))


def test_a_syllable_that_the_bank_cannot_sing_is_silence(tmp_path, monkeypatch):
    bank = write_bank(tmp_path / "b")
    (bank / "phonemes.txt").write_text("SP\nqq\n")
    feed = heard(monkeypatch, performance(bank, LINE[:1]))
    assert feed["tokens"].tolist() == [[0, 0]] and feed["durations"].sum() == feed["f0"].shape[1]


def damage(folder, name, text):
    (folder / name).write_text(text)


def vocoder_elsewhere(folder):
    (folder / "dsvocoder").rename(folder.parent / "tiny")
    damage(folder, "dsconfig.yaml", "acoustic: acoustic.onnx\nvocoder: ../tiny\n")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda f: (f / "acoustic.onnx").unlink(), "acoustic.onnx"),
        (lambda f: (f / "dsconfig.yaml").unlink(), "dsconfig.yaml"),
        (lambda f: (f / "dsdict.yaml").unlink(), "dsdict.yaml"),
        (lambda f: (f / "phonemes.txt").unlink(), "phonemes.txt"),
        (lambda f: (f / "dsvocoder" / "model.onnx").unlink(), "model.onnx"),
        (lambda f: (f / "dsvocoder" / "vocoder.yaml").unlink(), "vocoder"),
        (lambda f: damage(f, "dsconfig.yaml", "acoustic: ../../other.onnx\nvocoder: tiny\n"), "outside"),
        (lambda f: vocoder_elsewhere(f), "outside"),
        (lambda f: damage(f, "dsconfig.yaml", "acoustic: [1, {a: 2\n"), "YAML"),
        (lambda f: damage(f, "dsconfig.yaml", "!!python/object/apply:os.getcwd []"), "YAML"),
        (lambda f: damage(f, "dsvocoder/vocoder.yaml", "model: model.onnx\nhop_size: 512\n"), "fit"),
        (lambda f: damage(f, "acoustic.onnx", "not a network"), "acoustic.onnx"),
        (lambda f: damage(f, "dsdict.yaml", "just words"), "dsdict.yaml"),
    ],
)  # fmt: skip
def test_damaged_banks_are_told_in_one_line(tmp_path, harm, told):
    bank = write_bank(tmp_path / "bank")
    harm(bank)
    with pytest.raises(DataError, match=told) as caught:
        sing(performance(bank, LINE[:1]))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_networks_with_other_inputs_are_told(tmp_path):
    bank = write_bank(tmp_path / "a", first="words")
    with pytest.raises(DataError, match=r"no input tokens.*words"):
        sing(performance(bank, LINE[:1]))
    strange = write_bank(tmp_path / "b", extra=[("mood", TensorProto.FLOAT, (1,))])
    with pytest.raises(DataError, match="mood"):
        sing(performance(strange, LINE[:1]))


@pytest.mark.parametrize("package", ["onnxruntime", "yaml"])
def test_missing_packages_are_named_with_their_extra(folder, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"{package}.*songwright\[voices\]"):
        sing(performance(folder, LINE[:1]))


def test_symbolic_links_do_not_lead_out(tmp_path):
    bank = write_bank(tmp_path / "bank")
    (tmp_path / "secret.txt").write_text("SP\na\n")
    (bank / "phonemes.txt").unlink()
    (bank / "phonemes.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match="outside"):
        read_config(bank)


def test_banks_are_found_by_name_and_named(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    write_bank(tmp_path / "songwright" / "voices" / "tiny")
    found = bank_of(Singer("clara", "bank:tiny"))
    assert found is not None and "Tiny" in found.identity
    assert VoiceBank(folder).languages() == ()
    assert bank_of(Singer("clara")) is None
    with pytest.raises(InputError, match="no voicebank"):
        bank_of(Singer("clara", "bank:nowhere"))
