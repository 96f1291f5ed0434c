from itertools import pairwise

import numpy as np
import pytest

from songwright.errors import InputError
from songwright.evaluation import recogniser
from songwright.evaluation.mel import NUM_BANDS, SAMPLE_RATE, log_mel, normalised
from songwright.evaluation.phoneme_classes import SILENCE, languages, phoneme_classes
from songwright.evaluation.recogniser import align, decode, load_network, phoneme_errors, posteriors, recognise
from songwright.speech.espeak import Utterance, speak

TEXTS = {
    "en": ["the morning light is falling on the window", "my brother found a golden ring", "we never danced again"],
    "zh": ["小河流水轻轻唱", "月亮挂在天空上", "我们走在回家的路上"],
    "ru": ["белый снег летит над рекой", "мы ждали весну и солнце", "тихая музыка звучала всю ночь"],
}
VOICES = ("m2", "f2", "Mike")


@pytest.fixture(scope="module")
def spoken():
    return {
        language: speak([Utterance(t, v, 120, volume=55) for t, v in zip(texts, VOICES, strict=True)], language)
        for language, texts in TEXTS.items()
    }


def told(line, language):
    known = phoneme_classes(language)
    rows = [c for p in line.phones for c in known.fold(p.symbol)]
    return [known.names[c] for i, c in enumerate(rows) if i == 0 or rows[i - 1] != c]


def rate(lines, language, sound=lambda line: line.waveform):
    wrong = total = 0
    for line in lines:
        heard = recognise(sound(line), line.sample_rate, language)
        wrong += phoneme_errors(told(line, language), [p.name for p in heard])
        total += len(told(line, language))
    return wrong / total


@pytest.mark.parametrize("language", languages())
def test_voices_that_it_never_heard_are_understood(spoken, language):
    assert rate(spoken[language], language) <= 0.25


@pytest.mark.parametrize("language", languages())
def test_reversed_speech_is_not_understood(spoken, language):
    assert rate(spoken[language], language, lambda line: line.waveform[::-1].copy()) > 0.6


@pytest.mark.parametrize("language", languages())
def test_words_of_another_line_do_not_score(spoken, language):
    lines = spoken[language]
    heard = [p.name for p in recognise(lines[0].waveform, lines[0].sample_rate, language)]
    wanted = told(lines[1], language)
    assert phoneme_errors(wanted, heard) / len(wanted) > 0.6


def test_level_and_sample_rate_do_not_matter(spoken):
    line = spoken["en"][0]
    quiet = recognise(line.waveform * np.float32(0.01), line.sample_rate, "en")
    assert [p.name for p in quiet] == [p.name for p in recognise(line.waveform, line.sample_rate, "en")]


@pytest.mark.parametrize("language", languages())
def test_alignment_finds_the_phones_near_where_they_were_spoken(spoken, language):
    known = phoneme_classes(language)
    errors = []
    for line in spoken[language]:
        phones = [(p, known.fold(p.symbol)) for p in line.phones]
        phones = [(p, c[0]) for p, c in phones if len(c) == 1]
        log_posterior = posteriors(line.waveform, line.sample_rate, language)
        placed = align(log_posterior, [c for _, c in phones], language)
        assert [p.name for p in placed] == [known.names[c] for _, c in phones]
        assert all(a.end_seconds <= b.start_seconds + 1e-9 for a, b in pairwise(placed))
        errors += [
            abs(p.start_seconds - q.start_sample / line.sample_rate) for p, (q, _) in zip(placed, phones, strict=True)
        ]
    assert np.median(errors) < 0.015
    assert np.percentile(errors, 90) < 0.06


@pytest.mark.parametrize("language", languages())
def test_a_breath_before_the_line_is_no_part_of_it(spoken, language):
    known = phoneme_classes(language)
    late = []
    for line in spoken[language]:
        length = round(0.25 * line.sample_rate)
        breath = np.convolve(np.random.default_rng(7).normal(0, 1, length), np.hanning(8), "same") * np.hanning(length)
        breath *= 0.12 * line.waveform.std() / breath.std()
        sound = np.concatenate([breath.astype(np.float32), line.waveform])
        classes = [c for p in line.phones for c in known.fold(p.symbol)]
        placed = align(posteriors(sound, line.sample_rate, language), classes, language)
        late.append(placed[0].start_seconds - 0.25 - line.phones[0].start_sample / line.sample_rate)
    assert np.abs(late).max() < 0.08


def test_alignment_leaves_what_sounds_at_the_edges_and_gives_every_phone_its_time():
    known = phoneme_classes("en")
    noise, vowel, nasal = (known.fold(s)[0] for s in ("h", "i:", "m"))
    path = [noise] * 20 + [vowel] * 30 + [nasal] * 8 + [noise] * 20
    scores = np.full((len(path), len(known.names)), -12.0, np.float32)
    scores[np.arange(len(path)), path] = -0.01
    placed = align(scores, [vowel, nasal], "en")
    assert [round(p.start_seconds, 3) for p in placed] == [0.195, 0.495]
    assert placed[-1].end_seconds == pytest.approx(0.575)
    crowded = align(scores, [vowel, known.fold("@")[0], nasal], "en")
    assert crowded[1].end_seconds - crowded[1].start_seconds == pytest.approx(recogniser.VOWEL_FRAMES / 100)
    assert len(align(scores[:4], [vowel, nasal, vowel, nasal], "en")) == 4  # too short for that: a frame each


def test_silence_and_noise_hold_no_words():
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert recognise(silence, SAMPLE_RATE, "en") == recognise(silence, SAMPLE_RATE, "en")
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    for sound in (silence, noise):
        log_posterior = posteriors(sound, SAMPLE_RATE, "en")
        wanted = [c for s in ("m", "oU", "n", "I", "N") for c in phoneme_classes("en").fold(s)]
        assert np.mean([p.log_score for p in align(log_posterior, wanted, "en")]) < -3.0


def test_posteriors_are_probabilities_of_a_frame_every_ten_milliseconds(spoken):
    line = spoken["ru"][0]
    log_posterior = posteriors(line.waveform, line.sample_rate, "ru")
    assert log_posterior.shape[1] == len(phoneme_classes("ru").names)
    assert len(log_posterior) == pytest.approx(100 * len(line.waveform) / line.sample_rate, abs=2)
    np.testing.assert_allclose(np.exp(log_posterior).sum(axis=1), 1.0, atol=1e-4)


def test_decoding_follows_clear_posteriors():
    known = phoneme_classes("en")
    path = [0] * 5 + [known.fold("m")[0]] * 6 + [known.fold("i:")[0]] * 9 + [0] * 4
    scores = np.full((len(path), len(known.names)), -12.0, np.float32)
    scores[np.arange(len(path)), path] = -0.01
    heard = decode(scores, "en")
    assert [p.name for p in heard] == ["m", "i:"]
    assert [round(p.start_seconds, 3) for p in heard] == [0.045, 0.105]


def test_alignment_of_too_many_phones_says_so():
    scores = np.zeros((3, len(phoneme_classes("en").names)), np.float32)
    with pytest.raises(InputError, match="cannot place 5 phones in 3 frames"):
        align(scores, [1, 2, 3, 4, 5], "en")
    with pytest.raises(InputError, match="cannot place 0"):
        align(scores, [], "en")


def test_bad_input_is_told():
    with pytest.raises(InputError, match="mono"):
        posteriors(np.zeros((2, 100), np.float32), SAMPLE_RATE, "en")
    with pytest.raises(InputError, match="en, zh, ru, not 'fr'"):
        posteriors(np.zeros(100, np.float32), SAMPLE_RATE, "fr")
    with pytest.raises(InputError, match="no class for 'Q7#'"):
        phoneme_classes("en").fold("Q7#")


@pytest.mark.parametrize("language", languages())
def test_every_class_belongs_to_one_kind_and_folds_to_itself(language):
    known = phoneme_classes(language)
    assert known.names[SILENCE] == "" and len(set(known.names)) == len(known.names)
    assert len(known.kinds) == len(known.voiceless) == len(known.names)
    assert {"stop", "fricative", "nasal", "vowel"} == set(known.kinds[1:])
    assert not any(v for v, k in zip(known.voiceless[1:], known.kinds[1:], strict=True) if k in ("vowel", "nasal"))
    assert sorted(i for row in known.folding.values() if len(row) == 1 for i in set(row))[0] == 1
    assert {i for row in known.folding.values() for i in row} == set(range(1, len(known.names)))


def test_tones_and_glides_are_folded_away():
    known = phoneme_classes("zh")
    assert known.fold("iou35") == known.fold("iou") and known.fold("|") == ()
    assert phoneme_classes("ru").fold(";") == ()


def test_network_fits_the_classes():
    network = load_network()
    assert sum(w.size for w in network.weights) < 500_000
    for language in languages():
        head = network.heads[language]
        assert head.last - head.first == len(phoneme_classes(language).names) == len(head.log_prior)
        np.testing.assert_allclose(np.exp(head.log_bigram).sum(axis=1), 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("reference", "estimate", "errors"),
    [
        ("abc", "abc", 0),
        ("abc", "ac", 1),
        ("abc", "axc", 1),
        ("abc", "abxc", 1),
        ("", "ab", 2),
        ("ab", "", 2),
        ("kitten", "sitting", 3),
    ],
)
def test_phoneme_errors_are_edit_distance(reference, estimate, errors):
    assert phoneme_errors(reference, estimate) == errors


def test_mel_is_zero_for_silence_and_blind_to_tilt():
    assert not log_mel(np.zeros(1600, np.float32)).any()
    power = np.random.default_rng(1).uniform(0.5, 1.0, (50, NUM_BANDS)).astype(np.float32)
    tilt = np.geomspace(1.0, 4.0, NUM_BANDS).astype(np.float32)
    np.testing.assert_allclose(normalised(power), normalised(power * tilt), atol=1e-3)


def test_a_network_from_a_file_is_the_one_that_was_shipped(tmp_path):
    from importlib.resources import files

    path = tmp_path / "weights.npz"
    path.write_bytes(files("songwright.evaluation").joinpath("phonemes.npz").read_bytes())
    np.testing.assert_array_equal(recogniser.load_network(path).head_weight, load_network().head_weight)
