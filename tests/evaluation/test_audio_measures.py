import numpy as np
import pytest

from songwright.evaluation.key import measure_key, relation
from songwright.evaluation.spectrum import SAMPLE_RATE, features
from songwright.evaluation.tempo import at_level, measure_tempo
from songwright.score.theory import parse_key


def clicks(bpm, seconds=40):
    random = np.random.default_rng(0)
    x = np.zeros(SAMPLE_RATE * seconds, np.float32)
    for beat in range(int(seconds * bpm / 60)):
        at = int(beat * 60 / bpm * SAMPLE_RATE)
        burst = random.standard_normal(600) * np.exp(-np.arange(600) / 120)
        x[at : at + 600] += (burst * (1.0 if beat % 2 == 0 else 0.6))[: len(x) - at]
    return x


@pytest.mark.parametrize("bpm", [62.0, 92.5, 118.0, 143.0, 174.0])
def test_tempo_is_exact_at_its_level(bpm):
    heard = features(clicks(bpm))
    tempo = measure_tempo(heard.onset_strength, heard.frame_rate)
    assert at_level(tempo.bpm, bpm) == pytest.approx(bpm, rel=2e-3)
    assert tempo.confidence > 0.3


def test_silence_and_noise_have_no_tempo():
    assert measure_tempo(np.zeros(4000), 86.0).bpm == 0.0
    noise = features(np.random.default_rng(1).standard_normal(SAMPLE_RATE * 20).astype(np.float32))
    assert measure_tempo(noise.onset_strength, noise.frame_rate).confidence < 0.2


def chords(*roots_and_thirds):
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    blocks = []
    for root, third in roots_and_thirds:
        pitches = [root, root + third, root + 7, root - 12]
        tones = [np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * t * k) / k for p in pitches for k in (1, 2, 3)]
        blocks.append(np.sum(tones, axis=0))
    return np.concatenate(blocks).astype(np.float32)


@pytest.mark.parametrize("shift", [0, 3, 7, 10])
def test_keys_are_heard(shift):
    major = chords((60 + shift, 4), (65 + shift, 4), (67 + shift, 4), (60 + shift, 4))
    minor = chords((60 + shift, 3), (65 + shift, 3), (67 + shift, 4), (60 + shift, 3))
    assert str(measure_key(features(major).chroma)[0]).split()[1] == "major"
    assert measure_key(features(major).chroma)[0].tonic == shift
    heard = measure_key(features(minor).chroma)[0]
    assert heard.tonic == shift and heard.is_minor


@pytest.mark.parametrize(
    ("asked", "measured", "expected"),
    [("C", "C", "same"), ("C", "A minor", "relative"), ("A minor", "C", "relative"), ("C", "G", "fifth"),
     ("C", "C minor", "parallel"), ("C", "F# minor", "other"), ("D dorian", "D minor", "same")],
)  # fmt: skip
def test_relations(asked, measured, expected):
    assert relation(parse_key(asked), parse_key(measured)) == expected
