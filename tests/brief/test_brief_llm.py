"""The optional language model, against a stub server on this machine: good, nonsensical, slow, broken, absent."""

import builtins
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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


class Stub(BaseHTTPRequestHandler):
    """Answers as the test says."""

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.asked.append(json.loads(self.rfile.read(length)))
        status, content, wait = self.server.answer
        time.sleep(wait)
        body = content if isinstance(content, bytes) else json.dumps(
            {
                "id": "1", "object": "chat.completion", "created": 0, "model": "m",
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
                ],
            }
        ).encode()  # fmt: skip
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def server(monkeypatch):
    pytest.importorskip("openai")
    stub = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    stub.daemon_threads = True
    stub.asked, stub.answer = [], (200, "{}", 0.0)
    thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{stub.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv(llm.MODEL_VARIABLE, "tiny")
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield stub
    stub.shutdown()
    stub.server_close()


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
