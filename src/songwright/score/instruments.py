"""Every instrument a track may name: General MIDI programs, drum kits, and patches of the built-in synthesiser.

An entry of kind ``synth`` is played by our synthesiser; its program is what other programs hear in the MIDI file.
"""

import difflib
from dataclasses import dataclass
from typing import Literal

from songwright.errors import InputError


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument.

    Attributes:
        program: General MIDI program, 0 to 127 (for a kit: the program on the drum channel).
        family: ``piano, mallet, organ, guitar, bass, strings, ensemble, brass, reed, pipe, lead, pad, effect, world,
            percussive, sound, voice`` or ``kit``.
        low, high: playable range as MIDI notes.
        player: ``sampler`` (soundfont), ``synth`` (our own) or ``singer``.
    """

    program: int
    family: str
    low: int
    high: int
    player: Literal["sampler", "synth", "singer"] = "sampler"


def _synth(program: int, family: str, low: int, high: int) -> Instrument:
    return Instrument(program, family, low, high, "synth")


INSTRUMENTS: dict[str, Instrument] = {
    "acoustic_grand_piano": Instrument(0, "piano", 21, 108),
    "bright_piano": Instrument(1, "piano", 28, 103),
    "electric_grand": Instrument(2, "piano", 28, 103),
    "honky_tonk": Instrument(3, "piano", 28, 103),
    "electric_piano": Instrument(4, "piano", 28, 103),
    "electric_piano_fm": Instrument(5, "piano", 28, 103),
    "harpsichord": Instrument(6, "piano", 29, 89),
    "clavinet": Instrument(7, "piano", 36, 84),
    "celesta": Instrument(8, "mallet", 60, 96),
    "glockenspiel": Instrument(9, "mallet", 72, 108),
    "music_box": Instrument(10, "mallet", 60, 96),
    "vibraphone": Instrument(11, "mallet", 53, 89),
    "marimba": Instrument(12, "mallet", 45, 96),
    "xylophone": Instrument(13, "mallet", 65, 96),
    "tubular_bells": Instrument(14, "mallet", 60, 77),
    "dulcimer": Instrument(15, "mallet", 48, 84),
    "drawbar_organ": Instrument(16, "organ", 36, 96),
    "percussive_organ": Instrument(17, "organ", 36, 96),
    "rock_organ": Instrument(18, "organ", 36, 96),
    "church_organ": Instrument(19, "organ", 36, 96),
    "reed_organ": Instrument(20, "organ", 36, 96),
    "accordion": Instrument(21, "organ", 53, 89),
    "harmonica": Instrument(22, "organ", 60, 96),
    "bandoneon": Instrument(23, "organ", 48, 89),
    "nylon_guitar": Instrument(24, "guitar", 40, 83),
    "steel_guitar": Instrument(25, "guitar", 40, 84),
    "jazz_guitar": Instrument(26, "guitar", 40, 84),
    "clean_guitar": Instrument(27, "guitar", 40, 86),
    "muted_guitar": Instrument(28, "guitar", 40, 76),
    "overdriven_guitar": Instrument(29, "guitar", 40, 86),
    "distortion_guitar": Instrument(30, "guitar", 40, 86),
    "guitar_harmonics": Instrument(31, "guitar", 36, 96),
    "acoustic_bass": Instrument(32, "bass", 28, 60),
    "electric_bass_finger": Instrument(33, "bass", 28, 62),
    "electric_bass_pick": Instrument(34, "bass", 28, 62),
    "fretless_bass": Instrument(35, "bass", 28, 62),
    "slap_bass": Instrument(36, "bass", 28, 62),
    "slap_bass_2": Instrument(37, "bass", 28, 62),
    "synth_bass": Instrument(38, "bass", 24, 64),
    "synth_bass_2": Instrument(39, "bass", 24, 64),
    "violin": Instrument(40, "strings", 55, 96),
    "viola": Instrument(41, "strings", 48, 84),
    "cello": Instrument(42, "strings", 36, 76),
    "contrabass": Instrument(43, "strings", 28, 60),
    "tremolo_strings": Instrument(44, "strings", 36, 96),
    "pizzicato_strings": Instrument(45, "strings", 36, 91),
    "harp": Instrument(46, "strings", 24, 100),
    "timpani": Instrument(47, "strings", 36, 57),
    "string_ensemble": Instrument(48, "ensemble", 36, 96),
    "slow_strings": Instrument(49, "ensemble", 36, 96),
    "synth_strings": Instrument(50, "ensemble", 36, 96),
    "synth_strings_2": Instrument(51, "ensemble", 36, 96),
    "choir_aahs": Instrument(52, "ensemble", 48, 79),
    "voice_oohs": Instrument(53, "ensemble", 48, 79),
    "synth_voice": Instrument(54, "ensemble", 48, 84),
    "orchestra_hit": Instrument(55, "ensemble", 36, 96),
    "trumpet": Instrument(56, "brass", 54, 82),
    "trombone": Instrument(57, "brass", 40, 72),
    "tuba": Instrument(58, "brass", 28, 58),
    "muted_trumpet": Instrument(59, "brass", 54, 82),
    "french_horn": Instrument(60, "brass", 41, 77),
    "brass_section": Instrument(61, "brass", 40, 82),
    "synth_brass": Instrument(62, "brass", 36, 88),
    "synth_brass_2": Instrument(63, "brass", 36, 88),
    "soprano_sax": Instrument(64, "reed", 56, 87),
    "alto_sax": Instrument(65, "reed", 49, 80),
    "tenor_sax": Instrument(66, "reed", 44, 75),
    "baritone_sax": Instrument(67, "reed", 36, 68),
    "oboe": Instrument(68, "reed", 58, 91),
    "english_horn": Instrument(69, "reed", 52, 81),
    "bassoon": Instrument(70, "reed", 34, 72),
    "clarinet": Instrument(71, "reed", 50, 91),
    "piccolo": Instrument(72, "pipe", 74, 102),
    "flute": Instrument(73, "pipe", 60, 96),
    "recorder": Instrument(74, "pipe", 60, 96),
    "pan_flute": Instrument(75, "pipe", 60, 96),
    "blown_bottle": Instrument(76, "pipe", 36, 96),
    "shakuhachi": Instrument(77, "pipe", 55, 84),
    "whistle": Instrument(78, "pipe", 60, 96),
    "ocarina": Instrument(79, "pipe", 60, 84),
    "square_lead": Instrument(80, "lead", 36, 96),
    "saw_lead": Instrument(81, "lead", 36, 96),
    "calliope_lead": Instrument(82, "lead", 36, 96),
    "chiff_lead": Instrument(83, "lead", 36, 96),
    "charang_lead": Instrument(84, "lead", 36, 96),
    "voice_lead": Instrument(85, "lead", 36, 96),
    "fifths_lead": Instrument(86, "lead", 36, 96),
    "bass_lead": Instrument(87, "lead", 36, 96),
    "new_age_pad": Instrument(88, "pad", 36, 96),
    "warm_pad": Instrument(89, "pad", 36, 96),
    "polysynth_pad": Instrument(90, "pad", 36, 96),
    "choir_pad": Instrument(91, "pad", 36, 96),
    "bowed_pad": Instrument(92, "pad", 36, 96),
    "metallic_pad": Instrument(93, "pad", 36, 96),
    "halo_pad": Instrument(94, "pad", 36, 96),
    "sweep_pad": Instrument(95, "pad", 36, 96),
    "fx_rain": Instrument(96, "effect", 36, 96),
    "fx_soundtrack": Instrument(97, "effect", 36, 96),
    "fx_crystal": Instrument(98, "effect", 36, 96),
    "fx_atmosphere": Instrument(99, "effect", 36, 96),
    "fx_brightness": Instrument(100, "effect", 36, 96),
    "fx_goblins": Instrument(101, "effect", 36, 96),
    "fx_echoes": Instrument(102, "effect", 36, 96),
    "fx_sci_fi": Instrument(103, "effect", 36, 96),
    "sitar": Instrument(104, "world", 48, 77),
    "banjo": Instrument(105, "world", 48, 84),
    "shamisen": Instrument(106, "world", 50, 79),
    "koto": Instrument(107, "world", 50, 86),
    "kalimba": Instrument(108, "world", 48, 79),
    "bagpipe": Instrument(109, "world", 55, 77),
    "fiddle": Instrument(110, "world", 55, 93),
    "shanai": Instrument(111, "world", 60, 84),
    "tinkle_bell": Instrument(112, "percussive", 36, 96),
    "agogo_bells": Instrument(113, "percussive", 36, 96),
    "steel_drums": Instrument(114, "percussive", 52, 86),
    "woodblock": Instrument(115, "percussive", 36, 96),
    "taiko": Instrument(116, "percussive", 36, 96),
    "melodic_tom": Instrument(117, "percussive", 36, 96),
    "synth_drum": Instrument(118, "percussive", 36, 96),
    "reverse_cymbal": Instrument(119, "percussive", 36, 96),
    "guitar_fret_noise": Instrument(120, "sound", 36, 96),
    "breath_noise": Instrument(121, "sound", 36, 96),
    "seashore": Instrument(122, "sound", 36, 96),
    "bird_tweet": Instrument(123, "sound", 36, 96),
    "telephone": Instrument(124, "sound", 36, 96),
    "helicopter": Instrument(125, "sound", 36, 96),
    "applause": Instrument(126, "sound", 36, 96),
    "gunshot": Instrument(127, "sound", 36, 96),
    # Drum kits of the soundfont
    "standard_kit": Instrument(0, "kit", 27, 87),
    "room_kit": Instrument(8, "kit", 27, 87),
    "power_kit": Instrument(16, "kit", 27, 87),
    "electronic_kit": Instrument(24, "kit", 27, 87),
    "tr808_kit": Instrument(25, "kit", 27, 87),
    "jazz_kit": Instrument(32, "kit", 27, 87),
    "brush_kit": Instrument(40, "kit", 27, 87),
    "orchestra_kit": Instrument(48, "kit", 27, 87),
    # Patches of the built-in synthesiser
    "synth_kit_808": _synth(25, "kit", 27, 87),
    "synth_kit_909": _synth(24, "kit", 27, 87),
    "synth_kit_lofi": _synth(25, "kit", 27, 87),
    "sub_bass": _synth(39, "bass", 24, 60),
    "bass_808": _synth(39, "bass", 21, 60),
    "reese_bass": _synth(39, "bass", 24, 60),
    "acid_bass": _synth(38, "bass", 24, 64),
    "pluck_bass": _synth(38, "bass", 24, 64),
    "saw_bass": _synth(38, "bass", 24, 64),
    "super_saw": _synth(81, "lead", 36, 100),
    "analog_lead": _synth(81, "lead", 36, 100),
    "soft_lead": _synth(80, "lead", 36, 100),
    "square_synth": _synth(80, "lead", 36, 100),
    "portamento_lead": _synth(80, "lead", 36, 100),
    "synth_pluck": _synth(84, "lead", 36, 100),
    "synth_keys": _synth(4, "piano", 36, 96),
    "fm_bell": _synth(98, "lead", 48, 100),
    "synth_stab": _synth(62, "lead", 36, 96),
    "arp_synth": _synth(81, "lead", 36, 100),
    "analog_pad": _synth(89, "pad", 36, 96),
    "glass_pad": _synth(88, "pad", 36, 96),
    "dark_pad": _synth(95, "pad", 36, 96),
    "string_machine": _synth(50, "pad", 36, 96),
    "noise_riser": _synth(119, "effect", 36, 84),
    "noise_fall": _synth(119, "effect", 36, 84),
    "impact": _synth(47, "effect", 24, 84),
    "reverse_swell": _synth(119, "effect", 36, 84),
    "vinyl_noise": _synth(122, "effect", 36, 84),
    # Whoever `Track.singer` names
    "voice": Instrument(52, "voice", 36, 88, "singer"),
}
"""Name of each instrument and what it is."""

_SAMPLED = {name: i for name, i in INSTRUMENTS.items() if i.player == "sampler"}
_BY_PROGRAM = {i.program: name for name, i in _SAMPLED.items() if i.family != "kit"}
_KITS = {i.program: name for name, i in _SAMPLED.items() if i.family == "kit"}


def instrument(name: str) -> Instrument:
    """Returns the instrument of this name.

    Raises:
        InputError: there is none; the message names the nearest.
    """
    if name in INSTRUMENTS:
        return INSTRUMENTS[name]
    near = difflib.get_close_matches(name, INSTRUMENTS, n=3, cutoff=0.4)
    raise InputError(f"unknown instrument '{name}'; nearest: {', '.join(near) or 'none'}")


def from_program(program: int, *, drums: bool = False) -> str:
    """Returns the name of a General MIDI program (of the nearest lower kit when `drums`)."""
    if drums:
        return _KITS[max(p for p in _KITS if p <= program)]
    return _BY_PROGRAM[program]
