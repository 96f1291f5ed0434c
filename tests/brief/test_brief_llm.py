"""The optional language model, against a stub server on this machine: good, nonsensical, slow, broken, absent."""

import builtins
import json

import pytest

from fake_llm import fake_model
from songwright.brief import llm
from songwright.brief.checks import validate
from songwright.brief.reader import read_prompt
from songwright.errors import MissingDependencyError

GOOD = {
    "styles": ["jazz"],
    "moods": ["calm", "zorblax"],
    "tempo_bpm": 84,
    "key": "D minor",
    "instruments": ["tenor sax", "drums", "kazoo"],
    "duration_seconds": 1e9,
    "energy": 0.3,
    "era": "1950s",
    "title": "Late\nLight\u0007",
    "surprise": "field",
}


@pytest.fixture
def server(monkeypatch):
    with fake_model(monkeypatch, llm.MODEL_VARIABLE) as model:
        yield model


def test_open_fields_are_filled_and_said_ones_kept(server):
    server.answer = (200, "Sure!\n```json\n" + json.dumps(GOOD) + "\n```", 0.0)
    brief = llm.understand("a bossa nova for a quiet evening, no drums")
    assert brief.styles == ("bossa_nova",)
    assert brief.excluded_instruments == ("drums",)
    assert brief.instruments == ("tenor_sax",)
    assert (brief.tempo_bpm, brief.origin("tempo_bpm")) == (84.0, "inferred")
    assert brief.key == "D minor" and brief.era == "1950s" and brief.title == "Late Light"
    assert brief.duration_seconds is None
    assert any("language model" in note for note in brief.notes)
    validate(brief)
    assert server.asked[0]["model"] == "tiny"
    assert server.asked[0]["messages"][1]["content"] == "a bossa nova for a quiet evening, no drums"


BAD_ANSWERS = {
    "nonsense": (200, "I am a teapot.", 0.0),
    "broken JSON": (200, '{"styles": [', 0.0),
    "a list": (200, "[1, 2]", 0.0),
    "wrong types": (
        200,
        '{"styles": 5, "tempo_bpm": "NaN", "key": ["A"], "instruments": {"a": 1}, "energy": true}',
        0.0,
    ),
    "impossible values": (200, '{"tempo_bpm": NaN, "key": "H#", "meter": "4/5", "voice": "robot"}', 0.0),
    "HTTP 500": (500, b'{"error": {"message": "no"}}', 0.0),
    "no JSON at all": (200, b"<html>", 0.0),
    "no choices": (200, b'{"choices": []}', 0.0),
    "too slow": (200, "{}", 1.0),
}


@pytest.mark.parametrize("kind", BAD_ANSWERS)
def test_the_reader_serves_when_the_model_fails(server, kind):
    server.answer = BAD_ANSWERS[kind]
    prompt = "calm jazz, piano"
    brief = llm.understand(prompt, timeout_seconds=0.3)
    plain = read_prompt(prompt)
    assert (brief.styles, brief.moods, brief.instruments) == (plain.styles, plain.moods, plain.instruments)
    assert len(brief.notes) == len(plain.notes) + 1 and "read without it" in brief.notes[-1]


def test_nobody_listens(server, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert "read without it" in llm.understand("jazz", timeout_seconds=1).notes[-1]


def test_not_asked_unless_a_model_is_set(monkeypatch):
    monkeypatch.delenv(llm.MODEL_VARIABLE, raising=False)
    assert llm.understand("jazz") == read_prompt("jazz")


def test_without_the_package_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **kwargs):
        if name == "openai":
            raise ImportError(name)
        return real(name, *rest, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.setenv(llm.MODEL_VARIABLE, "tiny")
    with pytest.raises(MissingDependencyError, match=r"songwright\[llm\]"):
        llm.understand("jazz")
