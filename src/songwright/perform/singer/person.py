"""A person's way of singing, taken from a recording and given to a singer of the house: `listen`.

It is a style, not a copy: range, vocal-tract length, colour, breath and vibrato are measured; the sounds of speech stay
those of the house. Whoever calls this has asked whether the recorded voice may be used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from songwright.errors import DataError
from songwright.perform.singer.measures import VoiceMeasures, formant_ratio, measure_voice
from songwright.perform.singer.player import SingerPlayer
from songwright.perform.singer.voice import EQUALISER_HZ, voice_of
from songwright.perform.timeline import Performance
from songwright.score.song import Singer, Syllable
from songwright.score.voices import VOICE_TYPES

TYPE_SINGERS = {
    "soprano": "iris", "mezzo": "clara", "alto": "vera", "tenor": "adam", "baritone": "leo", "bass": "boris",
    "child": "mia",
}  # fmt: skip
"""Who of the house takes on a voice of each type."""

_SPEECH_SHARE = 0.2
_SPEECH_TO_SONG = 8.0
"""Semitones by which people sing higher than they speak."""
_SPEECH_BREATH = 0.3
"""Speech measures noisier than song; more breath than this above the singer's own is not believed."""
_ROUNDS = 3
_STEP = 0.7
_BREATH_PER_DB = 0.035
_RATE = 44100
_VOWELS = (("A:",), ("i:",), ("u:",), ("E",), ("oU",))


@dataclass(frozen=True)
class PersonStyle:
    """What a recording says of a voice.

    Attributes:
        singer: key into `score.voices.SINGERS`: who takes it on.
        voice_type: key into `VOICE_TYPES`.
        parameters: of `voice_of`, for `Singer.parameters`.
        measured: what was heard.
    """

    singer: str
    voice_type: str
    parameters: Mapping[str, float]
    measured: VoiceMeasures


def listen(path: Path) -> PersonStyle:
    """Returns the style of a voice recorded alone, a few seconds at least, spoken or (better) sung.

    Raises:
        DataError: the file is no audio, or holds less than a second of voice.
    """
    from songwright.audio.files import read_audio

    waveform, sample_rate = read_audio(path)
    measured = measure_voice(waveform, sample_rate)
    if measured is None:
        raise DataError(path, "expected at least a second of a voice alone; hardly any voice is in it")
    voice_type = voice_type_of(measured)
    singer = TYPE_SINGERS[voice_type]
    return PersonStyle(singer, voice_type, fit(measured, singer), measured)


def voice_type_of(measured: VoiceMeasures) -> str:
    """Returns the voice type in whose tessitura the voice lies."""
    middle = measured.pitches[1] + (_SPEECH_TO_SONG if measured.steady_share < _SPEECH_SHARE else 0.0)
    adults = [name for name in VOICE_TYPES if name != "child"]
    return min(adults, key=lambda name: abs(sum(VOICE_TYPES[name].tessitura) / 2 - middle))


def fit(measured: VoiceMeasures, singer: str) -> dict[str, float]:
    """Returns the parameters with which a singer of the house measures like a voice.

    The singer sings vowels at the voice's pitch and is measured the same way; what differs is corrected, three times
    over, because the controls work on each other.
    """
    base = voice_of(Singer(singer))
    parameters: dict[str, float] = {}
    if measured.vibrato_cents > 0:
        parameters["vibrato_rate_hz"] = round(float(np.clip(measured.vibrato_rate_hz, 3.5, 8.0)), 2)
        parameters["vibrato_cents"] = round(float(np.clip(measured.vibrato_cents, 0.0, 45.0)), 1)
    ratio, tilt, breath = 1.0, base.tilt_db_per_octave, base.breathiness
    bands = np.array(base.equaliser_db)
    speaks = measured.steady_share < _SPEECH_SHARE
    most_breath = min(1.0, base.breathiness + _SPEECH_BREATH) if speaks else 1.0
    pitch = round(float(np.clip(measured.pitches[1], 40, 79)))
    for turn in range(_ROUNDS):
        heard = measure_voice(_sung(Singer(singer, parameters=parameters), pitch), _RATE)
        if heard is None:
            break
        if turn == 0:
            ratio = formant_ratio(measured.envelope_db, heard.envelope_db)
        tilt += _STEP * (measured.tilt_db_per_octave - heard.tilt_db_per_octave) * (turn == 0)
        breath -= _STEP * _BREATH_PER_DB * (measured.hnr_db - heard.hnr_db)
        breath = float(np.clip(breath, 0.0, most_breath))
        if turn > 0:
            off = np.nan_to_num(measured.band_db - heard.band_db)
            bands = np.clip(bands + _STEP * (off - off.mean()), -12.0, 12.0)
        parameters |= {
            "tract_ratio": round(ratio, 3),
            "tilt_db_per_octave": round(float(np.clip(tilt, -6.0, 6.0)), 2),
            "breathiness": round(breath, 3),
            **{f"eq_{hz}_db": round(float(db), 1) for hz, db in zip(EQUALISER_HZ, bands, strict=True)},
        }
    return parameters


def _sung(singer: Singer, pitch: int) -> NDArray[np.float32]:
    """Returns a singer's vowels on three pitches around a voice's middle. (2, samples)."""
    starts: NDArray[np.float64] = np.linspace(0.0, 4.95, 10)
    pitches = np.array([pitch + (0, 2, -3)[i % 3] for i in range(10)])
    words = tuple(Syllable(i, "a", "a", 1, 0, "en", ("l", *_VOWELS[i % 5]), 1) for i in range(10))
    performance = Performance(
        starts, np.asarray(starts + 0.53), pitches, np.full(10, 88), syllables=words, singer=singer
    )
    return SingerPlayer(0).render(performance, "voice", sample_rate=_RATE, num_samples=round(6.0 * _RATE))
