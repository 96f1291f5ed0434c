import pytest

from songwright.brief.brief import Brief
from songwright.compose.arrange.mixing import parse_insert
from songwright.compose.compose import compose_song
from songwright.compose.form import plan_form
from songwright.compose.style import load_style, style_names
from songwright.compose.wishes import ERAS, MOODS, TRAITS, bend
from songwright.perform.effects.chain import check_insert
from songwright.score.instruments import INSTRUMENTS


def made(style="pop", **wishes):
    return compose_song(Brief(styles=(style,), seed=2, **wishes).with_said(duration_seconds=70.0, instrumental=True))


def test_nothing_wished_changes_nothing():
    assert bend(load_style("pop"), Brief()) is load_style("pop")


@pytest.mark.parametrize("table", [TRAITS, MOODS, ERAS])
def test_every_wish_changes_some_book_and_keeps_it_valid(table):
    books = [load_style(name) for name in style_names()]
    for name, wish in table.items():
        bent = [wish(book) for book in books]
        assert any(a != b for a, b in zip(books, bent, strict=True)), name
        for book in bent:
            for line in [*book.mix.bus, *(line for part in book.part for line in part.inserts)]:
                check_insert(parse_insert(line))
            assert book.part and 0 <= book.feel.swing <= 1


def test_unplugged_songs_have_no_synthesiser_and_no_distortion():
    for style in ("pop", "house", "metal"):
        for track in made(style, traits=("acoustic",)).tracks:
            assert INSTRUMENTS[track.instrument].player == "sampler", track.instrument
            assert "distortion" not in track.instrument and "overdriven" not in track.instrument


def test_swung_and_straight():
    assert made("rock", traits=("swung",)).swing >= 0.6
    assert made("jazz", traits=("straight",)).swing == 0.0


def test_half_time_halves_the_backbeat():
    def snares(song):
        return sum(
            n.pitch in (38, 40, 37, 39) and n.velocity > 60 for t in song.tracks if t.role == "drums" for n in t.notes
        )

    assert snares(made("rock", traits=("half_time",))) < 0.75 * snares(made("rock"))


def test_key_change_lifts_the_last_chorus():
    wished = Brief(styles=("pop",), traits=("key_change",)).with_said(duration_seconds=150.0)
    assert len(compose_song(wished).keys) > 1
    fixed = compose_song(wished.with_said(key="C major"))
    assert len(fixed.keys) == 1


def test_single_sections_asked_for_and_refused():
    style = load_style("mandarin_ballad")
    wished = plan_form(Brief(traits=("solo",)), style)
    assert "solo" in [s.role for s in wished.sections]
    refused = plan_form(Brief(traits=("no_intro", "no_bridge")), style)
    assert not {"intro", "bridge"} & {s.role for s in refused.sections}


def test_orchestral_adds_strings_and_horns():
    tracks = {t.instrument for t in made("punk", traits=("orchestral",)).tracks}
    assert "string_ensemble" in tracks and "french_horn" in tracks


def test_fade_out_fades():
    song = made("punk", traits=("fade_out",))
    assert any(t.mix.automation and t.mix.automation[-1][1] < -20 for t in song.tracks)


def test_second_style_lends_its_lead_and_progressions():
    plain, coloured = bend(load_style("house"), Brief()), bend(load_style("house"), Brief(styles=("house", "jazz")))
    jazz = load_style("jazz")
    assert set(jazz.harmony.idioms) <= set(coloured.harmony.idioms)
    assert coloured.parts_of("lead")[0].instruments[0] == jazz.parts_of("lead")[0].instruments[0]
    assert coloured.feel == plain.feel
