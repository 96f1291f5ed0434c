import numpy as np
import pytest

from songwright.errors import ConfigError
from songwright.perform.effects.reverb import ROOMS, echo_response, room_response

RATE = 44100


def decay_seconds(response, start_db=-5.0, stop_db=-25.0):
    """Returns the time to fall by 60 dB, from the backward-integrated energy (Schroeder)."""
    energy = np.cumsum(np.square(response[::-1]))[::-1]
    curve = 10 * np.log10(energy / energy[0] + 1e-15)
    first, last = np.argmax(curve < start_db), np.argmax(curve < stop_db)
    return (last - first) / RATE * 60 / (start_db - stop_db)


def band(response, low, high):
    spectrum = np.fft.rfft(response)
    hz = np.fft.rfftfreq(len(response), 1 / RATE)
    return np.fft.irfft(np.where((hz >= low) & (hz < high), spectrum, 0), len(response))


@pytest.mark.parametrize("kind", ROOMS)
@pytest.mark.parametrize("seconds", [0.6, 2.0])
def test_rooms_ring_as_long_as_asked(kind, seconds):
    response = room_response(kind, seconds, RATE)
    for side in response:
        assert decay_seconds(band(side, 700, 1800)[: int(0.9 * len(side))]) == pytest.approx(seconds, rel=0.2)
    assert decay_seconds(band(response[0], 8000, 12000)) < 0.9 * decay_seconds(band(response[0], 700, 1800))


@pytest.mark.parametrize("kind", ROOMS)
def test_rooms_have_unit_energy_and_two_different_sides(kind):
    response = room_response(kind, 1.2, RATE)
    assert np.square(response).sum(axis=1) == pytest.approx([1.0, 1.0], abs=1e-4)
    assert abs(np.corrcoef(response)[0, 1]) < 0.5
    assert np.isfinite(response).all()
    room_response.cache_clear()
    assert np.array_equal(response, room_response(kind, 1.2, RATE))


def test_echoes_come_in_time_and_fade():
    response = echo_response(0.25, 0.5, RATE)
    times = [np.argmax(np.abs(response[:, i * 11025 - 2000 : i * 11025 + 2000]).max(axis=0)) for i in (1, 2, 3)]
    assert all(abs(t - 2000) < 8 for t in times)
    peaks = [np.abs(response[:, i * 11025 - 2000 : i * 11025 + 2000]).max() for i in (1, 2, 3)]
    assert peaks[1] < 0.6 * peaks[0] and peaks[2] < 0.6 * peaks[1]
    sides = [np.abs(response[:, i * 11025 - 2000 : i * 11025 + 2000]).max(axis=1).argmax() for i in (1, 2, 3)]
    assert sides == [0, 1, 0] or sides == [1, 0, 1]


def test_what_no_room_can_be():
    with pytest.raises(ConfigError, match="plate"):
        room_response("cave", 1.0, RATE)
    with pytest.raises(ConfigError, match="reverb_seconds"):
        room_response("hall", 0.0, RATE)
    with pytest.raises(ConfigError, match="delay_feedback"):
        echo_response(0.3, 1.0, RATE)
    with pytest.raises(ConfigError, match="echo time"):
        echo_response(9.0, 0.3, RATE)
