"""Brief and style book to `SongPlan`: title, key, tempo, metre, and the sections that meet the asked length.

Nothing here writes a note. The length of a song is that of its bars plus `RING_SECONDS` in which the last chord fades.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from songwright.brief.brief import Brief
from songwright.compose.plan import SectionPlan, SongPlan
from songwright.compose.style import Style
from songwright.errors import InputError
from songwright.score.song import RING_SECONDS, SECTION_ROLES
from songwright.score.theory import MODES, Key, parse_key, pitch_class
from songwright.seeding import generator

RITARDANDO = (0.92, 0.8)
"""Tempo of the last two bars before the held one, as a share of the song's, where the style slows down to end."""

# fmt: off
_DARK = frozenset({
    "sad", "melancholic", "dark", "lonely", "tense", "angry", "nostalgic", "mysterious", "gloomy", "cold", "bitter",
    "tragic", "longing", "sorrowful", "eerie", "heartbroken", "aggressive",
})
_BRIGHT = frozenset({
    "happy", "joyful", "bright", "fresh", "uplifting", "playful", "sunny", "hopeful", "cheerful", "triumphant",
    "warm", "sweet", "optimistic", "festive", "carefree", "clear",
})
# fmt: on
_TEMPO_WORDS = {"very_slow": 0.0, "slow": 0.15, "medium": 0.5, "fast": 0.85, "very_fast": 1.0}

_DROP_COST = {"solo": 0.6, "interlude": 0.3, "bridge": 0.8, "breakdown": 0.6, "build": 0.8, "intro": 1.2, "outro": 2.0}
USUAL_PARTS = {
    "intro": (4, 0.4),
    "outro": (4, 0.4),
    "bridge": (8, 0.6),
    "solo": (8, 0.8),
    "interlude": (8, 0.5),
    "breakdown": (8, 0.36),
    "build": (8, 0.66),
}
"""Bars and energy of sections that the style does not have."""
_MAIN_ROLES = ("chorus", "drop", "head", "theme", "verse")


@dataclass(frozen=True, slots=True)
class FormPart:
    """A section while its length is still open."""

    role: str
    bars: int
    energy: float


def plan_form(brief: Brief, style: Style) -> SongPlan:
    """Returns the skeleton of the song that the brief asks for in this style.

    Args:
        brief: what was asked; what it says wins over the style.
        style: the style book.

    Raises:
        InputError: the brief's metre or form cannot be used.
    """
    random = generator(brief.seed, "form", style.name)
    numerator, denominator = read_meter(brief.meter or style.meters[0])
    key = choose_key(brief, style)
    tempo = brief.tempo_bpm or usual_tempo(brief, style, random)
    parts = _skeleton(brief, style, random)
    quarters = numerator * 4 / denominator
    slowdown = sum(1 / r - 1 for r in RITARDANDO) if style.devices.ending == "ritardando" else 0.0
    if brief.duration_seconds is None:
        seconds, tolerance = style.duration_seconds, 0.2
    else:
        seconds, tolerance = brief.duration_seconds, 0.0
    sounding = seconds - RING_SECONDS
    bars = max(2.0, sounding * tempo / 60 / quarters - slowdown)
    if brief.tempo_bpm is not None or brief.duration_seconds is None:
        low, high = bars * (1 - tolerance), bars * (1 + tolerance)
    else:
        low = max(2.0, sounding * style.tempo_bpm[0] / 60 / quarters - slowdown)
        high = max(2.0, sounding * style.tempo_bpm[2] / 60 / quarters - slowdown)
    parts = fit_bars(parts, low, high, bars)
    total = sum(part.bars for part in parts)
    if brief.tempo_bpm is None and brief.duration_seconds is not None:
        tempo = round((total + slowdown) * quarters * 60 / sounding, 2)
    return SongPlan(
        title=brief.title or usual_title(brief, style),
        style=style.name,
        seed=brief.seed,
        key=key,
        tempo_bpm=float(tempo),
        numerator=numerator,
        denominator=denominator,
        sections=lay_sections(parts, brief, style, random),
        density=usual_density(brief),
        tail_bars=1,
    )


def choose_key(brief: Brief, style: Style) -> Key:
    """Returns the song's key: what was said, else the style's usual modes leaning to the mood."""
    random = generator(brief.seed, "key", style.name)
    said = brief.key.strip()
    tonic = pitch_class(str(random.choice(list(style.tonics))))
    if said and said.lower().replace(" ", "_") not in MODES:
        return parse_key(said)
    lean = len(_DARK & set(brief.moods)) - len(_BRIGHT & set(brief.moods))
    names = list(style.modes)
    if said:
        names = [n for n in names if Key(0, n).is_minor == Key(0, said.lower().replace(" ", "_")).is_minor]
        if said.lower() not in ("major", "minor") or not names:
            return Key(tonic, said.lower().replace(" ", "_"))
    weights = np.array([style.modes.get(n, 1.0) * 3.0 ** (lean if Key(0, n).is_minor else -lean) for n in names])
    return Key(tonic, str(random.choice(names, p=weights / weights.sum())))


def read_meter(text: str) -> tuple[int, int]:
    """Returns numerator and denominator of a metre such as ``6/8``; raises InputError for what is none."""
    head, _, tail = text.partition("/")
    if not (head.isdigit() and tail.isdigit()) or int(tail) not in (2, 4, 8, 16) or not 1 <= int(head) <= 15:
        raise InputError(f"metre '{text}' is not usable: expected such as 4/4, 3/4, 6/8, 12/8")
    return int(head), int(tail)


def usual_tempo(brief: Brief, style: Style, random: np.random.Generator) -> float:
    """Returns a tempo of the style, where the brief's words and energy lean."""
    low, usual, high = style.tempo_bpm
    word = getattr(brief, "tempo_word", "")
    if word in _TEMPO_WORDS:
        centre = low + (high - low) * _TEMPO_WORDS[word]
        return float(round(np.clip(centre + random.uniform(-0.08, 0.08) * (high - low), low, high)))
    lean = 0.0 if brief.energy is None else float(np.clip((brief.energy - 0.5) * 1.6, -1.0, 1.0))
    centre = usual + (lean * (high - usual) if lean > 0 else lean * (usual - low))
    reach = 0.25 * (high - low) + 1e-6
    return float(round(np.clip(random.triangular(centre - reach, centre, centre + reach), low, high)))


def _skeleton(brief: Brief, style: Style, random: np.random.Generator) -> list[FormPart]:
    weights = np.array([form.weight for form in style.form])
    chosen = style.form[int(random.choice(len(style.form), p=weights / weights.sum()))]
    parts = [FormPart(*row) for row in chosen.parsed()]
    if not brief.form:
        return _with_wished_sections(parts, set(brief.traits))
    usual = {role: (bars, energy) for form in style.form for role, bars, energy in form.parsed()}
    asked = []
    for role in brief.form:
        if role not in SECTION_ROLES:
            raise InputError(f"section '{role}' is not known; sections: {', '.join(SECTION_ROLES)}")
        bars, energy = usual.get(role) or USUAL_PARTS.get(role, (8, 0.6))
        asked.append(FormPart(role, bars, energy))
    return asked


def _with_wished_sections(parts: list[FormPart], traits: set[str]) -> list[FormPart]:
    """Returns the form with single sections that were asked for, and without those that were refused."""
    kept = [part for part in parts if f"no_{part.role}" not in traits]
    parts = kept if any(part.role in _MAIN_ROLES for part in kept) else parts
    roles = [part.role for part in parts]
    late = max((i for i, role in enumerate(roles) if role in _MAIN_ROLES), default=len(roles) - 1)
    for role in ("solo", "bridge", "interlude", "breakdown", "build"):
        if role in traits and role not in roles:
            bars, energy = USUAL_PARTS[role]
            parts = [*parts[:late], FormPart(role, bars, energy), *parts[late:]]
    if "intro" in traits and "intro" not in roles:
        parts = [FormPart("intro", *USUAL_PARTS["intro"]), *parts]
    if "outro" in traits and "outro" not in roles:
        parts = [*parts, FormPart("outro", *USUAL_PARTS["outro"])]
    return parts


def fit_bars(parts: list[FormPart], low: float, high: float, wish: float) -> list[FormPart]:
    """Returns the sections changed as little as may be so that their bars lie in [low, high] (else as near as can be).

    A beam search over whole-section changes (drop, halve, double, repeat), so phrases stay whole; what then remains
    goes to intro and outro bar by bar.

    Args:
        parts: the style's sections.
        low: the fewest bars wanted.
        high: the most bars wanted.
        wish: the number that would be best.
    """

    def score(candidate: tuple[FormPart, ...], cost: float) -> float:
        total = sum(part.bars for part in candidate)
        outside = max(low - total, total - high, 0.0)
        return 0.3 * outside + 3.0 * abs(total - wish) / wish + cost + _structure_cost(candidate)

    start = tuple(_repeated(parts, wish))
    beam = {start: 0.0}
    best, best_score = start, score(start, 0.0)
    seen = {start}
    for _ in range(12):
        found: dict[tuple[FormPart, ...], float] = {}
        for state, cost in beam.items():
            for step, variant in _variants(list(state)):
                candidate = tuple(variant)
                if candidate not in seen and cost + step < found.get(candidate, np.inf):
                    found[candidate] = cost + step
        ranked = sorted(found.items(), key=lambda item: score(*item))[:16]
        seen.update(candidate for candidate, _ in ranked)
        beam = dict(ranked)
        if not ranked or (score(*ranked[0]) > best_score + 1.5):
            break
        if score(*ranked[0]) < best_score:
            best, best_score = ranked[0][0], score(*ranked[0])
    return _absorb(list(best), low, high, wish)


def _structure_cost(parts: tuple[FormPart, ...]) -> float:
    """Returns how odd a form is: a chorus or build without the other, neighbours of one role, long edges."""
    roles = [part.role for part in parts]
    total = sum(part.bars for part in parts)
    cost = 0.0
    body = [role for role in roles if role != "intro"]
    if len(body) > 1 and body[0] in ("bridge", "breakdown", "solo", "interlude", "outro"):
        cost += 2.0
    if total > 8 and "chorus" in roles and not {"verse", "theme", "head"} & set(roles[: roles.index("chorus")]):
        cost += 3.0
    if "chorus" in roles and "bridge" in roles[: roles.index("chorus")]:
        cost += 2.0  # a bridge leads away from what was heard twice
    if total > 40 and "chorus" in roles and roles.count("chorus") < 2:
        cost += 1.0
    for before, after in itertools.pairwise(roles):
        arrives = after in ("chorus", "drop", "theme", "head")
        cost += 1.5 * (before == after) + 1.0 * (before in ("prechorus", "build") and not arrives)
    edges = sum(part.bars for part in parts if part.role in ("intro", "outro"))
    return cost + max(0.0, edges - 0.25 * total) * 0.3


def _repeated(parts: list[FormPart], wish: float) -> list[FormPart]:
    """Returns the form with its middle repeated for songs more than twice as long as the style's."""
    total = sum(part.bars for part in parts)
    times = int(wish / total - 0.3)
    if times < 1 or len(parts) < 4:
        return parts
    head, body, tail = parts[:1], parts[1:-2], parts[-2:]
    return head + body * (times + 1) + tail


def _variants(parts: list[FormPart]) -> Iterator[tuple[float, list[FormPart]]]:
    """Yields (cost, sections) of every form one step away."""
    mains = [i for i, part in enumerate(parts) if part.role in _MAIN_ROLES]
    for i, part in enumerate(parts):
        before, after = parts[:i], parts[i + 1 :]
        if len(parts) > 1 and mains != [i]:
            only = [p.role for p in parts].count(part.role) == 1
            final = part.role in ("chorus", "drop", "head", "theme") and i == mains[-1]
            climax = part.role in _MAIN_ROLES and part.energy == max(p.energy for p in parts)
            cost = _DROP_COST.get(part.role, 1.0) + 1.0 * only + 2.0 * final + 2.0 * climax
            yield cost, before + after
        half = part.bars // 2
        if part.bars % 2 == 0 and half >= (2 if part.role in ("intro", "outro", "build", "interlude") else 4):
            yield 0.4 + (0.4 if part.role in _MAIN_ROLES else 0.0), [*before, replace(part, bars=half), *after]
        if part.bars <= 8 and part.role not in ("intro", "outro"):
            yield 0.7, [*before, replace(part, bars=part.bars * 2), *after]
    repeats = [i for i in mains[:-1] if parts[i].role in ("verse", "head", "theme", "drop")]
    for i in repeats[-2:]:
        end = next((j for j in range(i + 1, len(parts)) if parts[j].role in ("chorus", "drop", "head")), i)
        yield 0.5, parts[: end + 1] + parts[i : end + 1] + parts[end + 1 :]
    if len(mains) > 1:
        yield 0.8, [*parts[: mains[-1] + 1], *parts[mains[-1] :]]


def _absorb(parts: list[FormPart], low: float, high: float, wish: float) -> list[FormPart]:
    """Returns the sections with intro and outro lengthened or shortened by whole bars to reach the bounds."""
    total = sum(part.bars for part in parts)
    if low <= total <= high:
        return parts
    target = round(wish) if high - low < 1 else int(np.clip(total, np.ceil(low), np.floor(high)))
    need = target - total
    parts = list(parts)
    ends = [i for i in (len(parts) - 1, 0) if parts[i].role in ("intro", "outro")]
    for i in [*ends, *sorted(range(len(parts)), key=lambda j: parts[j].energy)]:
        room = need if need > 0 else max(need, 1 - parts[i].bars)
        if i in ends and need > 0:
            room = min(need, 4) if len(ends) > 1 and i == ends[0] else need
        if room:
            parts[i] = replace(parts[i], bars=parts[i].bars + room)
            need -= room
        if need == 0:
            break
    return parts


def lay_sections(
    parts: list[FormPart], brief: Brief, style: Style, random: np.random.Generator
) -> tuple[SectionPlan, ...]:
    """Returns the sections with labels, places and energies, and with the style's lift in the last chorus."""
    counts: dict[str, int] = {}
    roles = [part.role for part in parts]
    lean = 0.0 if brief.energy is None else (brief.energy - 0.5) * 0.2
    lift = 0
    if "key_lift" in style.devices.last_chorus and brief.origin("key") != "said" and roles.count("chorus") > 1:
        lift = int(random.choice([0, 1, 2], p=[0.4, 0.3, 0.3]))
        if "key_change" in brief.traits:
            lift = max(lift, 1)
    last_chorus = max((i for i, role in enumerate(roles) if role == "chorus"), default=-1)
    sections = []
    bar = 0
    for i, part in enumerate(parts):
        count = counts.get(part.role, 0)
        counts[part.role] = count + 1
        name = {"prechorus": "Pre-chorus"}.get(part.role, part.role.capitalize())
        energy = part.energy if i == last_chorus else min(part.energy, 0.98)
        sections.append(
            SectionPlan(
                label=f"{name} {count + 1}" if roles.count(part.role) > 1 else name,
                role=part.role,  # type: ignore[arg-type]  # checked against SECTION_ROLES when the style was read
                first_bar=bar,
                num_bars=part.bars,
                energy=float(np.clip(round(energy + lean * (1 - part.energy), 3), 0.0, 1.0)),
                occurrence=count,
                is_last=part.role not in roles[i + 1 :],
                key_shift=lift if 0 <= last_chorus <= i else 0,
            )
        )
        bar += part.bars
    return tuple(sections)


def usual_density(brief: Brief) -> float:
    """Returns how busy the brief wants the tune, 1 where it says nothing."""
    traits = set(brief.traits)
    density = (
        1.0 - 0.25 * bool(traits & {"sparse", "minimal", "simple"}) + 0.2 * bool(traits & {"busy", "lush", "dense"})
    )
    if brief.energy is not None:
        density += (brief.energy - 0.5) * 0.2
    return round(density, 3)


def usual_title(brief: Brief, style: Style) -> str:
    """Returns the title: the subject, else the prompt, else the style's."""
    if brief.subject:
        return brief.subject[:1].upper() + brief.subject[1:60]
    words = " ".join(brief.prompt.split())
    return words[:60].rstrip() or style.title
