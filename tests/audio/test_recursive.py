"""Recursive filters: as scipy designs and runs them, in one piece or in many."""

import numpy as np
import pytest

from songwright.audio.recursive import FRAME, butterworth, impulse_response, run

RATE = 44100
DESIGNS = [
    ("lowpass", 1, 5000.0),
    ("lowpass", 5, 6000.0),
    ("highpass", 2, 38.0),
    ("highpass", 3, 4000.0),
    ("bandpass", 1, (600.0, 7000.0)),
    ("bandpass", 2, (1500.0, 7000.0)),
]


def noise(samples, dtype=np.float64):
    return np.random.default_rng(3).standard_normal((2, samples)).astype(dtype)


@pytest.mark.parametrize(("kind", "order", "hz"), DESIGNS)
def test_designs_and_runs_are_those_of_scipy(kind, order, hz):
    signal = pytest.importorskip("scipy.signal")
    sos = butterworth(order, hz, RATE, kind)
    reference = signal.butter(order, hz, kind, fs=RATE, output="sos")
    wave = noise(3001)
    assert np.allclose(signal.sosfreqz(sos, 256)[1], signal.sosfreqz(reference, 256)[1], atol=1e-9)
    assert np.allclose(run(sos, wave)[0], signal.sosfilt(reference, wave), atol=1e-9)


@pytest.mark.parametrize(("kind", "order", "hz"), DESIGNS)
def test_pieces_are_the_whole(kind, order, hz):
    sos = butterworth(order, hz, RATE, kind)
    wave = noise(40 * FRAME + 5)
    state, pieces = None, []
    for start in range(0, wave.shape[1], 7 * FRAME):
        piece, state = run(sos, wave[:, start : start + 7 * FRAME], state)
        pieces.append(piece)
    assert np.allclose(np.concatenate(pieces, axis=1), run(sos, wave)[0], atol=1e-12)


@pytest.mark.parametrize("samples", [0, 1, FRAME - 1, FRAME, 16 * FRAME, 17 * FRAME + 3])
def test_every_length_and_the_precision_that_was_given(samples):
    sos = butterworth(2, 1000.0, RATE)
    wave = noise(samples, np.float32)
    out, _ = run(sos, wave)
    assert out.shape == wave.shape and out.dtype == np.float32
    assert np.allclose(out, run(sos, wave.astype(np.float64))[0], atol=1e-5)


def test_a_channel_does_not_hear_the_other():
    sos = butterworth(2, 200.0, RATE, "highpass")
    wave = noise(5000)
    assert np.allclose(run(sos, wave)[0][1:], run(sos, wave[1:])[0], atol=1e-12)


def test_the_edge_is_three_decibels_down():
    answer = np.abs(np.fft.rfft(impulse_response(butterworth(4, 1000.0, RATE), RATE)))
    assert 20 * np.log10(answer[1000]) == pytest.approx(-3.01, abs=0.01) and answer[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("hz", "kind"), [(0.0, "lowpass"), (RATE / 2, "highpass"), ((1.0, 2.0), "lowpass"), (9.0, "notch")]
)
def test_what_cannot_be_designed_is_refused(hz, kind):
    with pytest.raises(ValueError, match="butterworth"):
        butterworth(2, hz, RATE, kind)
