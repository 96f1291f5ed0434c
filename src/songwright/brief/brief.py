"""`Brief`: what was asked, field by field, and whether the person said it.

The reader of free text is in `reader`; nothing here understands words.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from songwright.errors import InputError

SCHEMA_VERSION = 1
Origin = Literal["said", "inferred", "default"]


@dataclass(frozen=True, slots=True)
class Brief:
    """A request for a song. Frozen; `with_said` and `with_inferred` make changed copies.

    Attributes:
        prompt: the text as given.
        language: ``en``, ``zh`` or ``ru``: what the prompt is written in.
        subject: what the song is about, in the prompt's own words; may be empty.
        title: the song's title.
        styles: names of style books, the main one first.
        moods: mood words in English, e.g. ``melancholic``, ``fresh``.
        energy: 0 calm to 1 wild, or None when nothing hints at it.
        era: e.g. ``"1980s"``; empty when unsaid.
        artist_hint: an artist named in the prompt: a hint to style and era, never a voice to copy.
        tempo_bpm: quarter notes per minute, or None to let the style choose.
        tempo_word: ``very_slow, slow, medium, fast, very_fast`` or empty: where in the style's range to go.
        key: e.g. ``"A minor"``, or a mode alone (``"minor"``); empty to let the style choose.
        meter: e.g. ``"3/4"``; empty to let the style choose.
        instruments: keys of `score.instruments.INSTRUMENTS` (or ``drums``) that must play.
        excluded_instruments: the same, that must not.
        form: section roles in order when asked for, e.g. ``("verse", "chorus")``.
        duration_seconds: asked length, or None for the style's usual one.
        voice: ``female, male, child, choir``, or empty when unsaid.
        voice_type: ``soprano, mezzo, alto, tenor, baritone, bass, child``, or empty to let the singer decide.
        singer: key into `score.voices.SINGERS`, or empty to let the voice decide.
        voice_source: what speaks for the singer, see `score.song.Singer`; empty is ``espeak``.
        voice_parameters: how the singer differs from the named one, e.g. measured from a recording.
        voice_recording: name and digest of that recording, whose use the person has confirmed; empty without.
        vocal: whether a voice was asked for, of whatever kind.
        instrumental: whether no voice is wanted.
        images: season, time, colour and image words that were mapped to moods, in English.
        traits: musical wishes that are not moods: ``groove, rhythmic_melody, acoustic, sparse, lush, clear``…
        lyrics: words to sing, as given.
        lyrics_language: language to write words in; empty is that of the prompt.
        seed: decides all free choices.
        not_understood: words of the prompt that nothing was made of.
        notes: lines that the program tells the person, e.g. that an artist's voice is not copied.
        origins: for every field above by name: said, inferred or default (absent means default).
    """

    prompt: str = ""
    language: str = "en"
    subject: str = ""
    title: str = ""
    styles: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    energy: float | None = None
    era: str = ""
    artist_hint: str = ""
    tempo_bpm: float | None = None
    tempo_word: str = ""
    key: str = ""
    meter: str = ""
    instruments: tuple[str, ...] = ()
    excluded_instruments: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    duration_seconds: float | None = None
    voice: str = ""
    voice_type: str = ""
    singer: str = ""
    voice_source: str = ""
    voice_parameters: Mapping[str, float] = field(default_factory=dict)
    voice_recording: str = ""
    vocal: bool = False
    instrumental: bool = False
    images: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    lyrics: str = ""
    lyrics_language: str = ""
    seed: int = 0
    not_understood: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def origin(self, name: str) -> Origin:
        """Returns where a field's value comes from."""
        return self.origins.get(name, "default")

    def with_said(self, **values: Any) -> "Brief":
        """Returns a copy with fields that the person stated (flags, for instance)."""
        return replace(self, **values, origins={**self.origins, **dict.fromkeys(values, "said")})

    def with_inferred(self, **values: Any) -> "Brief":
        """Returns a copy with fields concluded from others; what was said is kept."""
        free = {name: value for name, value in values.items() if self.origin(name) != "said"}
        return replace(self, **free, origins={**self.origins, **dict.fromkeys(free, "inferred")})


def to_json(brief: Brief) -> str:
    """Returns the brief as indented JSON."""
    data = {"format": "songwright.brief", "schema_version": SCHEMA_VERSION, **asdict(brief)}
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> Brief:
    """Returns the brief written by `to_json`.

    Raises:
        InputError: the text is no such brief.
    """
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("format", None) != "songwright.brief":
            raise InputError("this JSON is no brief: expected format 'songwright.brief'")
        if data.pop("schema_version") > SCHEMA_VERSION:
            raise InputError(f"brief of a newer schema; this program reads up to {SCHEMA_VERSION}")
        unknown = set(data) - {f.name for f in fields(Brief)}
        if unknown:
            raise InputError(f"brief has unknown fields: {', '.join(sorted(unknown))}")
        tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return Brief(**tuples)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"not a readable brief: {type(error).__name__} {error}") from error
