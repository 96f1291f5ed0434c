"""Forms made by words: lines have room, sections follow the sheet, lengths are met without dropping a word."""

from dataclasses import replace

import pytest
from word_sheets import CHORUS, SONG, VERSE, line, sheet

from songwright.brief.brief import Brief
from songwright.compose.casting_voice import choose_singer, wants_voice, with_singer
from songwright.compose.form import plan_form
from songwright.compose.lyric_form import FASTEST, SUNG_SHARE, FormFrame, lay_out, weight_of
from songwright.compose.song_words import is_half_written, request_for, voiced_key, worded
from songwright.compose.style import load_style, style_names
from songwright.errors import InputError
from songwright.lyrics.sheet import LyricSection, LyricSheet
from songwright.score.song import RING_SECONDS
from songwright.score.theory import parse_key
from songwright.score.voices import SINGERS, VOICE_TYPES


def seconds(plan):
    return plan.num_bars * plan.bar_ticks / 960 * 60 / plan.tempo_bpm + RING_SECONDS


def words_of(lines):
    return [w.text for x in lines for w in x.words]


@pytest.mark.parametrize("name", style_names())
def test_every_line_has_room_and_bars_of_its_own(name):
    style = load_style(name)
    form = lay_out(Brief(seed=1), style, SONG)
    assert words_of(p.line for p in form.lines) == words_of(SONG.lines())
    end = 0
    bar = form.plan.bar_ticks / 960 * 60 / form.plan.tempo_bpm
    for placed in form.lines:
        section = form.plan.sections[placed.section]
        assert placed.first_bar >= end and placed.num_bars >= 1
        assert section.first_bar <= placed.first_bar
        assert placed.first_bar + placed.num_bars <= section.first_bar + section.num_bars
        assert weight_of(placed.line) / (placed.num_bars * bar * SUNG_SHARE) <= FASTEST["sung"] + 1e-9
        end = placed.first_bar + placed.num_bars
    assert form.plan.num_bars > end  # the last chord rings after the last word


def test_sections_follow_the_sheet_and_roles_are_alike():
    form = lay_out(Brief(seed=2), load_style("pop"), SONG)
    roles = [s.role for s in form.plan.sections]
    assert [r for r in roles if r in ("verse", "chorus")] == ["verse", "chorus", "verse", "chorus"]
    for role in ("verse", "chorus"):
        places = [
            [(p.position, p.first_bar - form.plan.sections[p.section].first_bar) for p in form.lines if p.section == i]
            for i, s in enumerate(form.plan.sections)
            if s.role == role
        ]
        assert places[0] == places[1]


@pytest.mark.parametrize("asked", [75.0, 100.0, 130.0, 180.0])
@pytest.mark.parametrize("name", ["pop", "rnb", "punk", "country"])
def test_asked_length_is_met(name, asked):
    style = load_style(name)
    form = lay_out(Brief(seed=3).with_said(duration_seconds=asked), style, SONG)
    sung = words_of(p.line for p in form.lines)
    assert sung[: len(words_of(SONG.lines()))] == words_of(SONG.lines())
    if not form.notes:
        assert abs(seconds(form.plan) - asked) <= 2.5
        assert style.tempo_bpm[0] - 1 <= form.plan.tempo_bpm <= style.tempo_bpm[2] + 1
    else:
        assert "the song is" in form.notes[0]
    tempo = style.tempo_bpm[1] + 0.5
    fixed = lay_out(Brief(seed=3).with_said(duration_seconds=asked, tempo_bpm=tempo), style, SONG)
    bar = fixed.plan.bar_ticks / 960 * 60 / tempo
    assert fixed.plan.tempo_bpm == tempo
    assert fixed.notes or abs(seconds(fixed.plan) - asked) <= max(2.0, bar / 2 + 0.1)


def test_words_that_cannot_fit_make_the_song_longer_and_say_so():
    long = sheet(*[("verse", VERSE), ("chorus", CHORUS)] * 4)
    form = lay_out(Brief().with_said(duration_seconds=30.0), load_style("pop"), long)
    assert words_of(p.line for p in form.lines) == words_of(long.lines())
    assert seconds(form.plan) > 40 and "longer" in form.notes[0]


def test_a_line_of_sixty_syllables_gets_bars_for_all_of_them():
    many = sheet(("verse", (" ".join(["la-1"] * 60), VERSE[0])))
    form = lay_out(Brief(), load_style("pop"), many)
    assert form.lines[0].num_bars >= 6 * form.lines[1].num_bars / 2


def test_written_lengths_and_empty_choruses_are_kept():
    sections = (
        LyricSection("intro", num_bars=8), *SONG.sections[:2], LyricSection("solo"), SONG.sections[2],
        LyricSection("chorus"), LyricSection("outro", num_bars=6),
    )  # fmt: skip
    form = lay_out(Brief(), load_style("rock"), LyricSheet(sections))
    rows = [(s.role, s.num_bars) for s in form.plan.sections]
    assert rows[0] == ("intro", 8) and rows[-1] == ("outro", 6)
    assert [r for r, _ in rows] == ["intro", "verse", "chorus", "solo", "verse", "chorus", "outro"]
    last = [p.line.text for p in form.lines if form.plan.sections[p.section].role == "chorus"]
    assert last[:4] == last[4:]


def test_half_written_means_a_part_without_any_words():
    assert is_half_written(LyricSheet((SONG.sections[0], LyricSection("chorus"))))
    assert not is_half_written(LyricSheet((*SONG.sections[:3], LyricSection("chorus"), LyricSection("intro"))))


@pytest.mark.parametrize("name", ["pop", "hip_hop", "mandarin_ballad", "house", "metal", "blues"])
@pytest.mark.parametrize("language", ["en", "zh", "ru"])
def test_requests_suit_the_form(name, language):
    brief, style = Brief(language=language, seed=4), load_style(name)
    plan = plan_form(brief, style)
    request = request_for(brief, style, plan)
    assert request.language == language and len(request.sections) == len(worded(plan)) > 0
    for row, section in zip(request.sections, worded(plan), strict=True):
        assert row.role == section.role and 4 <= row.syllables <= 18
        assert row.num_lines * row.chosen_bars <= section.num_bars
    choruses = {(r.num_lines, r.syllables) for r in request.sections if r.role == "chorus"}
    assert len(choruses) <= 1


# --- who sings -------------------------------------------------------------------------------------------------------


def test_some_styles_have_no_singer_unless_one_is_wanted():
    assert wants_voice(Brief(), load_style("pop"))
    assert not wants_voice(Brief(instrumental=True, voice="female"), load_style("pop"))
    for name in ("ambient", "classical", "lofi", "techno", "cinematic"):
        assert not wants_voice(Brief(), load_style(name))
        assert wants_voice(Brief(voice="female"), load_style(name))
        assert wants_voice(Brief(lyrics="Hold me now"), load_style(name))


def test_what_was_said_about_the_voice_wins():
    pop = load_style("pop")
    assert choose_singer(Brief(singer="boris"), pop)[0].name == "boris"
    assert choose_singer(Brief(singer="clara", voice_type="alto"), pop)[1] == "alto"
    assert choose_singer(Brief(voice_source="piper:x.onnx"), pop)[0].source == "piper:x.onnx"
    for seed in range(12):
        for gender in ("female", "male", "child"):
            singer, kind = choose_singer(Brief(voice=gender, seed=seed), load_style("metal"))
            assert VOICE_TYPES[kind].gender == gender and singer.name in SINGERS
        assert choose_singer(Brief(voice_type="bass", seed=seed), pop)[1] == "bass"
        assert choose_singer(Brief(traits=("whispered",), seed=seed), load_style("metal"))[0].name in ("iris", "leo")
        assert choose_singer(Brief(seed=seed), load_style("metal"))[0].name == "rex"
    with pytest.raises(InputError, match="no singer"):
        choose_singer(Brief(singer="nobody"), pop)


def test_the_conclusion_goes_into_the_brief():
    brief = Brief(seed=1)
    singer, kind = choose_singer(brief, load_style("soul"))
    told = with_singer(brief, singer, kind)
    assert (told.singer, told.voice_type, told.voice_source) == (singer.name, kind, "espeak")
    assert told.origin("singer") == "inferred" and choose_singer(told, load_style("soul")) == (singer, kind)
    assert with_singer(replace(brief).with_said(singer="vera"), singer, kind).singer == "vera"


def test_rapped_words_call_for_a_rapper():
    rapped = LyricSheet((LyricSection("verse", tuple(line(t, delivery="rap") for t in VERSE)),))

    def rappers(words):
        names = [choose_singer(Brief(seed=seed), load_style("pop"), words)[0].name for seed in range(40)]
        return sum(name in ("adam", "boris", "vera") for name in names)

    assert rappers(rapped) > rappers(SONG)


def test_the_key_suits_the_voice_unless_it_was_said():
    pop = load_style("pop")
    assert voiced_key(Brief().with_said(key="F# minor"), pop, "bass") == parse_key("F# minor")
    for kind, voice in VOICE_TYPES.items():
        for seed in range(6):
            tonic = voiced_key(Brief(seed=seed), pop, kind).tonic
            homes = [p for p in range(voice.low, voice.high + 1) if p % 12 == tonic]
            low, high = voice.tessitura
            assert min(min(abs(p - low - 1), abs(p - (low + high) / 2 - 1)) for p in homes) <= 2.5


def test_a_frame_planned_before_its_words_is_kept():
    brief, style = Brief(seed=5), load_style("pop")
    sung = (replace(s, num_bars=8) for s in SONG.sections)
    rows = (LyricSection("intro", num_bars=4), *sung, LyricSection("outro", num_bars=4))
    frame = FormFrame(101.0, parse_key("D major"), True, (0.3, 0.4, 0.8, 0.5, 0.9, 0.4))
    form = lay_out(brief, style, LyricSheet(rows), frame)
    assert form.plan.tempo_bpm == 101.0 and form.plan.key == parse_key("D major")
    assert [s.num_bars for s in form.plan.sections] == [4, 8, 8, 8, 8, 4]


def test_answers_of_the_backing_voices_are_given_room():
    plain = line(VERSE[2])
    answered = line(VERSE[2], backing="oh-1 oh-1 oh-1 oh-1 oh-1 oh-1 oh-1 oh-1")
    assert weight_of(answered) > weight_of(plain) + 4
