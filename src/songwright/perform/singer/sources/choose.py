"""From the text in `Singer.source` to what speaks or sings for that singer."""

from dataclasses import replace
from pathlib import Path

from songwright.errors import InputError
from songwright.perform.singer.bank.config import read_config, voices_folder
from songwright.perform.singer.bank.sing import VoiceBank
from songwright.perform.singer.source import Bank, Source
from songwright.perform.singer.sources.espeak import EspeakSource
from songwright.perform.singer.sources.festival import FestivalSource
from songwright.perform.singer.sources.flite import FliteSource
from songwright.perform.singer.sources.piper import PiperSource
from songwright.perform.singer.voice import Voice, voice_of
from songwright.score.song import Singer
from songwright.score.voices import house_singer

_TRACTS = {"soprano": 1.02, "mezzo": 1.0, "alto": 0.97, "tenor": 0.89, "baritone": 0.87, "bass": 0.83, "child": 1.16}
"""Formants of each voice type against those of a grown woman, which the speaker of flite and festival is."""


def source_of(singer: Singer | None) -> Source:
    """Returns what speaks for a singer; for one who sings from a bank, what plans the times.

    Raises:
        SongwrightError: no such source, or its files are not there.
    """
    name = singer.source if singer is not None else "espeak"
    kind, _, rest = name.partition(":")
    if kind == "bank" and rest:
        read_config(_bank_folder(rest))  # what is missing is told before anything is spoken
    if name in ("", "espeak") or (kind == "bank" and rest):
        voice = voice_of(singer)
        return EspeakSource(voice.variant, round(voice.source_pitch))
    if name == "festival":
        return FestivalSource()
    if name == "flite":
        return FliteSource()
    if kind == "piper" and rest:
        return PiperSource(rest)
    raise InputError(f"no voice source '{name}'; expected espeak, festival, flite, piper:<path> or bank:<folder>")


def bank_of(singer: Singer | None) -> Bank | None:
    """Returns the bank that a singer sings from; None for singers who sing from a source.

    A bank is opened anew for every track: noise that its networks draw is then the same however tracks are divided.

    Raises:
        SongwrightError: it is no voicebank, or misses files.
    """
    kind, _, rest = (singer.source if singer is not None else "").partition(":")
    if kind != "bank" or not rest:
        return None
    return VoiceBank(_bank_folder(rest))


def _bank_folder(name: str) -> Path:
    """Returns the folder that a path or the name of a bank means."""
    folder, named = Path(name), voices_folder() / name
    return named if len(folder.parts) == 1 and not folder.is_dir() and named.is_dir() else folder


def sounding_voice(singer: Singer | None) -> Voice:
    """Returns how a singer sounds: what corrects espeak's spectrum is left out where another source speaks.

    Raises:
        SongwrightError: no such singer, or a parameter is outside its limits.
    """
    voice = voice_of(singer)
    kind = (singer.source if singer is not None else "espeak").partition(":")[0]
    if singer is None or kind not in ("festival", "flite", "piper"):
        return voice
    tract = float(singer.parameters.get("tract_ratio", 1.0))
    if kind != "piper":
        tract *= _TRACTS.get(house_singer(singer.name).voice_type, 1.0)
    return replace(voice, variant=kind, formant_scale=tract, upper_formant_scale=1.0)
