"""Of several songs the critic's favourite is taken, and the song without the flag is always among them."""

from dataclasses import replace

import pytest

from songwright.brief.brief import Brief
from songwright.compose.candidates import best_song, candidate_brief, compose_candidates
from songwright.compose.compose import compose_song
from songwright.compose.learned.critic import load_critic
from songwright.errors import InputError

BRIEF = Brief(styles=("folk",), seed=7, duration_seconds=40, instrumental=True)


def compose(brief, progress):
    return compose_song(brief, progress=progress)


@pytest.fixture(scope="module")
def found():
    return compose_candidates(BRIEF, 3, compose)


def test_candidate_0_is_the_song_without_the_flag(found):
    candidates, _ = found
    assert candidates[0].song == compose_song(BRIEF) == best_song(BRIEF, 1, compose)


def test_candidates_are_other_songs_for_the_same_wishes(found):
    candidates, _ = found
    assert len({one.seed for one in candidates}) == 3
    assert candidates[1].song.tracks != candidates[2].song.tracks
    assert {one.song.style for one in candidates} == {"folk"}
    assert candidates[2].song == compose_song(replace(BRIEF, seed=candidates[2].seed))


def test_the_best_total_is_taken_and_everything_is_told(found):
    candidates, best = found
    totals = [one.verdict.total for one in candidates]
    assert totals[best] == max(totals)
    song = best_song(BRIEF, 3, compose)
    told = song.provenance["candidates"]
    assert told["chosen"] == best and [one["seed"] for one in told["scores"]] == [one.seed for one in candidates]
    assert [one["total"] for one in told["scores"]] == pytest.approx(totals, abs=1e-3)
    for one in told["scores"]:
        assert sum(one["terms"].values()) == pytest.approx(one["total"], abs=0.05)
    assert replace(song, provenance=candidates[best].song.provenance) == candidates[best].song


def test_more_candidates_keep_the_first_ones(found):
    candidates, _ = found
    assert [candidate_brief(BRIEF, i).seed for i in range(3)] == [one.seed for one in candidates]


def test_a_likelihood_is_heard_in_the_choice(found):
    candidates, _ = found
    weighing = load_critic().weighings["likelihood"]
    critic = replace(load_critic(), weighings={**load_critic().weighings, "likelihood": replace(weighing, weight=50.0)})
    wanted = candidates[1].song
    usual = weighing.mean

    def likelihood(song):
        return usual if song == wanted else usual - 5 * weighing.spread

    assert compose_candidates(BRIEF, 3, compose, critic=critic, likelihood=likelihood)[1] == 1


def test_progress_rises_to_the_end():
    seen = []
    best_song(BRIEF, 2, compose, progress=lambda stage, share: seen.append(share))
    assert seen == sorted(seen) and seen[-1] == 1.0


@pytest.mark.parametrize("count", [0, -1, 65])
def test_counts_out_of_range_are_said_so(count):
    with pytest.raises(InputError, match="expected 1 to 64"):
        best_song(BRIEF, count, compose)
