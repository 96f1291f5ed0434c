"""Brief to Song: the one function that walks the street form → harmony → melody → arrangement.

A song with a voice walks the same street, but its words come first: they make the form and the melody.
"""

from dataclasses import dataclass

from songwright import __version__
from songwright.brief.brief import Brief
from songwright.compose.arrange.arrange import arrange, arrange_sung
from songwright.compose.arrange.mixing import master_of
from songwright.compose.casting_voice import choose_singer, wants_voice
from songwright.compose.form import RITARDANDO, plan_form
from songwright.compose.harmony import write_harmony
from songwright.compose.judges import NOBODY, Judges
from songwright.compose.lyric_form import FormFrame, lay_out
from songwright.compose.melody import write_melody
from songwright.compose.melody.write_words import write_sung_melody
from songwright.compose.plan import SongPlan
from songwright.compose.song_words import song_words, voiced_key
from songwright.compose.style import Style, load_style
from songwright.compose.vocals import VocalPlan
from songwright.compose.wishes import bend
from songwright.progress import Progress, silent
from songwright.score.song import (
    ChordSpan,
    MeterChange,
    Section,
    Song,
    Syllable,
    TempoChange,
    Track,
    check,
)

DEFAULT_STYLE = "pop"


@dataclass(frozen=True, slots=True)
class Draft:
    """What the stages of composing made, kept for people and tests that look inside.

    Attributes:
        plan: the form.
        chords: the harmony of the whole song.
        tracks: the arrangement, the lead among them.
        syllables: of everything that is sung.
        vocals: who sings what; None in an instrumental song.
        notes: what the person should know.
    """

    plan: SongPlan
    chords: tuple[ChordSpan, ...]
    tracks: tuple[Track, ...]
    syllables: tuple[Syllable, ...] = ()
    vocals: VocalPlan | None = None
    notes: tuple[str, ...] = ()


def compose_song(brief: Brief, *, judges: Judges = NOBODY, progress: Progress = silent) -> Song:
    """Returns the score that answers a brief. The same brief always gives the same song.

    Args:
        brief: what was asked; `brief.seed` decides everything that is left open.
        judges: decide where several ways are open; see `learned.composer.judges_of`.
        progress: told about the stages.

    Raises:
        InputError: the brief asks for something that cannot be.
    """
    style = style_of(brief)
    progress("compose", 0.0)
    draft = (
        sung_draft(brief, style, judges, progress)
        if wants_voice(brief, style)
        else instrumental_draft(brief, style, judges, progress)
    )
    song = assemble(draft, style, brief, composer=judges.name)
    check(song)
    progress("compose", 1.0)
    return song


def style_of(brief: Brief) -> Style:
    """Returns the style book of a brief, bent by its wishes."""
    return bend(load_style(brief.styles[0] if brief.styles else DEFAULT_STYLE), brief)


def instrumental_draft(brief: Brief, style: Style, judges: Judges = NOBODY, progress: Progress = silent) -> Draft:
    """Returns the stages' results for a song without a voice."""
    plan = plan_form(brief, style)
    chords = write_harmony(plan, style, seed=brief.seed, judge=judges.harmony)
    progress("compose", 0.2)
    melody = write_melody(plan, style, chords, seed=brief.seed, network=judges.tunes)
    progress("compose", 0.6)
    tracks = arrange(
        plan,
        style,
        chords,
        melody.notes,
        seed=brief.seed,
        wanted=brief.instruments,
        unwanted=brief.excluded_instruments,
        judge=judges.takes,
        drummer=judges.drummer,
    )
    return Draft(plan, chords, tracks)


def sung_draft(brief: Brief, style: Style, judges: Judges = NOBODY, progress: Progress = silent) -> Draft:
    """Returns the stages' results for a song with a voice: singer, words, form, harmony, melody, arrangement.

    Raises:
        InputError: the lyrics hold nothing that can be sung.
        SpeechError: espeak failed while the words were sounded.
    """
    singer, voice_type = choose_singer(brief, style)
    words = song_words(brief, style, voice_type)
    progress("compose", 0.1)
    frame = words.frame or FormFrame(None, voiced_key(brief, style, voice_type))
    form = lay_out(brief, style, words.sheet, frame)
    chords = write_harmony(form.plan, style, seed=brief.seed, judge=judges.harmony)
    progress("compose", 0.2)
    melody, vocals = write_sung_melody(form, style, chords, singer, voice_type, seed=brief.seed, network=judges.tunes)
    progress("compose", 0.6)
    arrangement = arrange_sung(
        form.plan,
        style,
        chords,
        melody.notes,
        vocals,
        seed=brief.seed,
        wanted=brief.instruments,
        unwanted=brief.excluded_instruments,
        judge=judges.takes,
        drummer=judges.drummer,
    )
    notes = tuple(dict.fromkeys((*words.notes, *form.notes)))
    return Draft(form.plan, chords, arrangement.tracks, arrangement.syllables, vocals, notes)


def assemble(draft: Draft, style: Style, brief: Brief, composer: str = "statistical") -> Song:
    """Returns the song made of the stages' results: maps of tempo, metre and key, sections, tracks, mix, provenance."""
    plan = draft.plan
    sections = tuple(
        Section(s.label, s.role, plan.start_ticks(s), s.num_bars * plan.bar_ticks, s.energy) for s in plan.sections
    )
    return Song(
        title=plan.title,
        style=style.name,
        seed=brief.seed,
        swing=style.feel.swing,
        duration_ticks=plan.num_bars * plan.bar_ticks,
        tempos=_tempos(plan, style),
        meters=(MeterChange(0, plan.numerator, plan.denominator),),
        keys=plan.key_changes(),
        sections=sections,
        chords=draft.chords,
        tracks=draft.tracks,
        syllables=draft.syllables,
        master=master_of(style, sung=draft.vocals is not None),
        provenance={
            "program": f"songwright {__version__}",
            "composer": composer,
            "prompt": brief.prompt,
            "artist_hint": brief.artist_hint,
            **_voice(draft, brief),
        },
    )


def _voice(draft: Draft, brief: Brief) -> dict[str, object]:
    """Returns what provenance says of the voice; nothing in an instrumental song."""
    vocals = draft.vocals
    if vocals is None:
        return {}
    voice = {"singer": vocals.singer.name, "voice_type": vocals.voice_type, "voice_source": vocals.singer.source}
    if brief.voice_recording:
        voice["voice_recording"] = brief.voice_recording
    return {**voice, "notes": list(draft.notes)}


def _tempos(plan: SongPlan, style: Style) -> tuple[TempoChange, ...]:
    tempos = [TempoChange(0, plan.tempo_bpm)]
    last = plan.num_bars - plan.tail_bars
    if style.devices.ending == "ritardando" and last > len(RITARDANDO):
        for i, share in enumerate(RITARDANDO):
            tempos.append(TempoChange((last - len(RITARDANDO) + i) * plan.bar_ticks, round(plan.tempo_bpm * share, 3)))
        tempos.append(TempoChange(last * plan.bar_ticks, plan.tempo_bpm))
    return tuple(tempos)
