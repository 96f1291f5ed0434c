"""A voice for tests: the tune of `test_arrange.material`, its notes parted into lines, a syllable on each."""

from dataclasses import replace

from test_arrange import material

from songwright.compose.vocals import SungLine, VocalPlan
from songwright.score.song import Singer, Syllable
from songwright.score.voices import SINGERS, VOICE_TYPES

LINE_BARS = 2


def vocal_plan(plan, tune, singer="clara", *, language="en", backing=("to", "night"), delivery="sung", room=True):
    """Returns the plan of a voice that sings the tune of verses and choruses, two bars a line."""
    voice = VOICE_TYPES[SINGERS[singer].voice_type]
    beat, bar = plan.beat_ticks, plan.bar_ticks
    groups = {}
    for note in tune:
        section = plan.section_at(note.start_ticks)
        if section.role in ("solo", "interlude"):
            continue
        place = (note.start_ticks // bar - section.first_bar) // LINE_BARS
        if note.start_ticks % (LINE_BARS * bar) >= LINE_BARS * bar - 2 * beat:
            continue  # somewhere to breathe
        pitch = note.pitch
        while pitch > voice.tessitura[1] + 3:
            pitch -= 12
        while pitch < voice.low:
            pitch += 12
        groups.setdefault((section.first_bar, place), []).append(replace(note, pitch=pitch, velocity=90))
    syllables, lines = [], []
    rows = list(groups.values())
    for index, row in enumerate(rows):
        notes = []
        for note in row:
            stress = int(note.start_ticks % (2 * beat) == 0)
            notes.append(replace(note, syllable=len(syllables)))
            syllables.append(Syllable(len(syllables), "la", "la", stress, index, language, ("l", "A:"), 1, 0, delivery))
        role = plan.section_at(row[0].start_ticks).role
        words = ()
        if role in ("chorus", "drop") and index % 2 and backing:
            words = tuple(
                Syllable(len(syllables) + i, text, text, i % 2, index, language, ("t", "u:"), 1)
                for i, text in enumerate(backing)
            )
            syllables.extend(words)
        end = notes[-1].end_ticks
        following = rows[index + 1][0].start_ticks if index + 1 < len(rows) else plan.num_bars * bar
        reach = min(following, end + 2 * bar) if room else end
        lines.append(SungLine(index, role, notes[0].start_ticks, end, reach, tuple(notes), words))
    return VocalPlan(Singer(singer), SINGERS[singer].voice_type, tuple(lines), tuple(syllables))


def sung(name, seed=0, singer="clara", **options):
    """Returns plan, style, chords, what instruments lead, and the vocals of a test song."""
    plan, style, chords, tune = material(name, seed)
    vocals = vocal_plan(plan, tune, singer, **options)
    played = tuple(n for n in tune if plan.section_at(n.start_ticks).role in ("solo", "interlude"))
    return plan, style, chords, played, vocals
