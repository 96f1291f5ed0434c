"""What follows from what was said: moods from images, energy from moods, style and era from an artist, a title.

Nothing here reads text, and nothing that was said is changed.
"""

from functools import lru_cache

from songwright.brief.brief import Brief
from songwright.brief.draft import Draft
from songwright.brief.words import common, split
from songwright.score.instruments import INSTRUMENTS

_FAR_ENERGY = 0.35
_TEMPO_ENERGY = {"very_slow": 0.2, "slow": 0.3, "medium": 0.5, "fast": 0.75, "very_fast": 0.9}
_SMALL_WORDS = {"a", "an", "the", "of", "in", "on", "and", "to", "for", "at", "with", "my"}


def conclude(draft: Draft, prompt: str, language: str, subject: str, title: str, lyrics: str) -> Brief:
    """Returns the Brief of a draft, every field with its origin."""
    said = draft.said
    brief = Brief(prompt=prompt).with_inferred(language=language)
    if not said.get("styles"):
        said["styles"] = said.get("styles_weak", [])
    values: dict[str, object] = {
        name: tuple(said[name])
        for name in ("styles", "moods", "images", "traits", "form", "excluded_instruments")
        if said.get(name)
    }
    values |= {name: said[name][0] for name in ("voice", "voice_type", "era", "tempo_word", "meter") if said.get(name)}
    values |= {name: value for name, value in (("subject", subject), ("title", title), ("lyrics", lyrics)) if value}
    values |= draft.numbers
    if "instrumental" in said:
        values["instrumental"] = bool(said["instrumental"])
    if said.get("vocal"):
        values["vocal"] = True
    if said.get("energy"):
        values["energy"] = float(said["energy"][-1])
    if draft.artists:
        values["artist_hint"] = draft.artists[0][0]
    brief = brief.with_said(**values)
    if draft.era_hint:
        brief = brief.with_inferred(era=draft.era_hint)
    brief = _with_artists(brief, draft)
    brief = _with_instruments(brief, said.get("instruments", []), said.get("excluded_instruments", []))
    brief = _with_moods(brief, draft)
    if not brief.title:
        brief = brief.with_inferred(title=_title(brief))
    notes = [*brief.notes, *draft.notes]
    if draft.refused:
        notes.append(f"not wanted, and left out: {', '.join(dict.fromkeys(draft.refused))}")
    return brief.with_inferred(notes=tuple(dict.fromkeys(notes)), not_understood=tuple(draft.not_understood))


def _with_artists(brief: Brief, draft: Draft) -> Brief:
    if not draft.artists:
        return brief
    hints = [pair for _, values in draft.artists for pair in values]
    styles = tuple(dict.fromkeys(value for name, value in hints if name == "styles"))
    eras = [value for name, value in hints if name == "era"]
    names = ", ".join(dict.fromkeys(name for name, _ in draft.artists))
    known = f"{names}: a hint to style and era only; no voice and no song is copied"
    brief = brief.with_inferred(notes=(known if hints else f"{known} (and no style is known for that name)",))
    brief = brief.with_inferred(styles=styles) if styles else brief
    return brief.with_inferred(era=eras[0]) if eras else brief


def _with_instruments(brief: Brief, wanted: list[str], excluded: list[str]) -> Brief:
    """Chooses which guitar a "guitar" is, unless one was named; "no guitar" means none of the family."""
    values: dict[str, object] = {}
    families = generic_families()
    if wanted:
        named = [name for name in wanted if name not in families]
        chosen = [name for name in wanted if name in named or not _is_named(name, named)]
        values["instruments"] = tuple(dict.fromkeys(_specific(name, brief) for name in chosen))
    if excluded:
        every = [member for name in excluded for member in excluded_members(name)]
        kept = values.get("instruments", ())
        values["excluded_instruments"] = tuple(m for m in dict.fromkeys(every) if m not in kept)  # type: ignore[operator]
    return brief.with_said(**values)


def _is_named(family: str, named: list[str]) -> bool:
    """Whether one of the named instruments is of the family that a general word means."""
    return any(name in excluded_members(family) for name in named)


def excluded_members(name: str) -> list[str]:
    """Returns all instruments that "no such instrument" excludes; the one itself if it is of no group."""
    listed = split(common()["excluded"].get(name, name))
    return [
        m for x in listed for m in ([k for k, i in INSTRUMENTS.items() if i.family == x[1:]] if x[0] == "@" else [x])
    ]


def _specific(name: str, brief: Brief) -> str:
    """Returns the instrument that a general word such as "guitar" means in these styles and moods."""
    choices = generic_families().get(name)
    if choices is None:
        return name
    by_style = (choices[style] for style in brief.styles if style in choices)
    by_mood = (
        key for key, listed in common()["generic_moods"].get(name, {}).items() if {*split(listed)} & {*brief.moods}
    )
    return next(by_style, next(by_mood, choices["default"]))


def _with_moods(brief: Brief, draft: Draft) -> Brief:
    energies, images = mood_energy(), image_moods()
    soft = [m for named in draft.soft_moods for m in (images.get(named) or ([named] if named in energies else []))]
    soft += [mood for image in brief.images for mood in images.get(image, [])]
    moods = list(brief.moods)
    level = _mean([energies[mood] for mood in moods if mood in energies])
    for mood in soft:
        far = level is not None and abs(energies.get(mood, level) - level) > _FAR_ENERGY
        if mood not in moods and not far:
            moods.append(mood)
    if len(moods) > len(brief.moods):
        origin = brief.origin("moods")
        brief = brief.with_said(moods=tuple(moods)) if origin == "said" else brief.with_inferred(moods=tuple(moods))
    if level is None:
        level = _TEMPO_ENERGY.get(brief.tempo_word) or _mean([energies[m] for m in moods if m in energies])
    return brief.with_inferred(energy=round(level, 2)) if level is not None else brief


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _title(brief: Brief) -> str:
    """Returns a title made of the subject; in English as titles are written. Empty if there is no subject."""
    words = brief.subject.split()
    if brief.language == "en" and words:
        kept = words[1:] if words[0].lower() in ("a", "an") and len(words) > 1 else words
        cased = [w if i and w.lower() in _SMALL_WORDS else w[:1].upper() + w[1:] for i, w in enumerate(kept)]
        return " ".join(cased)[:60]
    return (brief.subject[:1].upper() + brief.subject[1:])[:60]


@lru_cache(maxsize=1)
def mood_energy() -> dict[str, float]:
    """Returns how lively every mood is, 0 to 1."""
    return {mood: float(level) for level, listed in common()["mood_energy"].items() for mood in split(listed)}


@lru_cache(maxsize=1)
def image_moods() -> dict[str, list[str]]:
    """Returns the moods that every image calls up."""
    return {image: split(listed) for image, listed in common()["image_moods"].items()}


@lru_cache(maxsize=1)
def generic_families() -> dict[str, dict[str, str]]:
    """Returns, for a general word such as ``guitar``, the instrument by style; ``default`` is for all others."""
    table: dict[str, dict[str, str]] = {}
    for family, choices in common()["generic"].items():
        table[family] = {style: name for name, listed in choices.items() for style in split(listed)}
    return table
