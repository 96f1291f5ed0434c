"""Who sings: whether a song has a singer at all, which of the house, and what the brief is told of it.

What the person said wins; else the style's usual singers, bent by mood and wish, and the seed.
"""

from songwright.brief.brief import Brief
from songwright.compose.style import Style
from songwright.lyrics.sheet import LyricSheet
from songwright.score.song import Singer
from songwright.score.voices import SINGERS, VOICE_TYPES, house_singer
from songwright.seeding import generator

DEFAULT_SOURCE = "espeak"

STYLE_SINGERS: dict[str, dict[str, float]] = {
    "afrobeat": {"adam": 2, "vera": 2, "boris": 1},
    "ambient": {"iris": 3, "leo": 1},
    "blues": {"boris": 2, "rex": 1, "vera": 2, "leo": 1},
    "bossa_nova": {"iris": 2, "leo": 2, "clara": 1},
    "country": {"adam": 2, "clara": 2, "leo": 1, "boris": 1},
    "disco": {"vera": 2, "clara": 2, "adam": 1},
    "folk": {"clara": 2, "leo": 2, "adam": 1, "iris": 1},
    "funk": {"vera": 2, "rex": 1, "adam": 1},
    "gospel": {"vera": 3, "boris": 1, "rex": 1},
    "guofeng": {"clara": 2, "iris": 2, "adam": 1},
    "hip_hop": {"adam": 2, "boris": 2, "vera": 1},
    "house": {"vera": 2, "clara": 2},
    "jazz": {"clara": 2, "vera": 1, "leo": 2},
    "mandarin_ballad": {"clara": 2, "adam": 2, "iris": 1},
    "metal": {"rex": 1},
    "punk": {"rex": 3, "adam": 1, "vera": 1},
    "reggae": {"adam": 2, "leo": 1, "vera": 1},
    "reggaeton": {"adam": 2, "clara": 1},
    "rnb": {"clara": 2, "leo": 2, "vera": 1},
    "rock": {"rex": 3, "adam": 1, "vera": 2},
    "russian_romance": {"boris": 2, "clara": 2, "leo": 1},
    "salsa": {"adam": 2, "rex": 1, "vera": 1},
    "soul": {"vera": 2, "leo": 2, "clara": 1},
    "synthwave": {"adam": 2, "clara": 2, "iris": 1},
    "trap": {"adam": 2, "leo": 1},
}
"""How likely each singer of the house is in a style; styles that are not listed take `USUAL_SINGERS`."""

USUAL_SINGERS: dict[str, float] = {"clara": 2, "adam": 2, "iris": 1, "leo": 1, "vera": 1}

RAPPERS: dict[str, float] = {"adam": 3.0, "boris": 3.0, "vera": 1.5}
"""How much likelier singers become where most lines are rapped."""

SOFT = frozenset({
    "whispered", "soft", "breathy", "intimate", "gentle", "tender", "peaceful", "dreamy", "lonely", "lullaby", "calm",
})  # fmt: skip
POWERFUL = frozenset({"powerful", "aggressive", "angry", "epic", "triumphant", "screamed", "belted", "energetic"})
_LEANS: tuple[tuple[frozenset[str], dict[str, float]], ...] = (
    (frozenset({"whispered", "soft", "breathy"}), {"iris": 40.0, "leo": 40.0}),
    (SOFT, {"iris": 10.0, "leo": 10.0, "clara": 1.5, "rex": 0.1}),
    (POWERFUL, {"vera": 10.0, "rex": 10.0, "iris": 0.1, "leo": 0.1}),
    (frozenset({"dark", "gloomy", "mysterious"}), {"boris": 2.5}),
    (frozenset({"childlike", "playful"}), {"iris": 1.3}),
)
"""Words of the brief that make singers likelier: each set counts once."""

_GENDERS = {"female": ("female",), "male": ("male",), "child": ("child",), "choir": ("female", "male")}


def wants_voice(brief: Brief, style: Style) -> bool:
    """Returns whether the song is sung: unless the brief says instrumental, where the style or the person wants it."""
    if brief.instrumental:
        return False
    asked = brief.vocal or brief.voice or brief.voice_type or brief.singer or brief.voice_source or brief.lyrics.strip()
    return bool(asked) or style.sung


def choose_singer(brief: Brief, style: Style, sheet: LyricSheet | None = None) -> tuple[Singer, str]:
    """Returns the singer and the voice type (key into `VOICE_TYPES`) whose range the tune is written for.

    Args:
        brief: singer, voice type, voice and source as said; moods and traits lean.
        style: its usual singers.
        sheet: the words, where they are known: rapped ones call for a voice of the rappers.

    Raises:
        InputError: the brief names a singer that is not of the house.
    """
    source = brief.voice_source or DEFAULT_SOURCE
    if brief.singer:
        name = brief.singer.lower()
        return Singer(name, source, brief.voice_parameters), brief.voice_type or house_singer(name).voice_type
    names = [name for name, singer in SINGERS.items() if _fits(singer.voice_type, brief)]
    if brief.voice_type and not names:
        gender = VOICE_TYPES[brief.voice_type].gender
        names = [name for name, singer in SINGERS.items() if VOICE_TYPES[singer.voice_type].gender == gender]
    table = STYLE_SINGERS.get(style.name, USUAL_SINGERS)
    words = {*brief.traits, *brief.moods, *brief.images}
    weights = {name: float(table.get(name, 0.0)) for name in names}
    if not any(weights.values()):
        weights = {name: 1.0 for name in names if name != "mia" or len(names) == 1}
    for lean, factors in _LEANS:
        if words & lean:
            quiet = factors.get("iris", 1.0) >= 40.0
            weights = {
                n: (max(w, 0.02) if quiet and n in factors else w) * factors.get(n, 1.0) for n, w in weights.items()
            }
    if "rap" in brief.traits or (sheet is not None and _is_rapped(sheet)):
        weights = {name: weight * RAPPERS.get(name, 1.0) for name, weight in weights.items()}
    ranked = sorted(weights)
    total = sum(weights.values())
    random = generator(brief.seed, "words", "singer", style.name)
    at, name = float(random.random()) * total, ranked[-1]
    for candidate in ranked:
        at -= weights[candidate]
        if at < 0:
            name = candidate
            break
    return Singer(name, source, brief.voice_parameters), brief.voice_type or SINGERS[name].voice_type


def _is_rapped(sheet: LyricSheet) -> bool:
    """Whether most lines are rapped."""
    deliveries = [line.delivery for line in sheet.lines()]
    return 2 * deliveries.count("rap") > len(deliveries)


def _fits(voice_type: str, brief: Brief) -> bool:
    if brief.voice_type:
        return voice_type == brief.voice_type
    if brief.voice:
        return VOICE_TYPES[voice_type].gender in _GENDERS.get(brief.voice, (brief.voice,))
    return VOICE_TYPES[voice_type].gender != "child"


def with_singer(brief: Brief, singer: Singer, voice_type: str) -> Brief:
    """Returns the brief with what was concluded about the voice: singer, voice type, source, and whose voice it is."""
    gender = VOICE_TYPES[voice_type].gender
    return brief.with_inferred(
        singer=singer.name, voice_type=voice_type, voice_source=singer.source, voice=brief.voice or gender
    )
