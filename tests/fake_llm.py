"""A language model of the tests' own: a server on this machine that answers as the test says, in OpenAI's format."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class FakeModel(ThreadingHTTPServer):
    """A server that gives one answer to every request.

    Attributes:
        answer: status, content (text of the message, or bytes as the whole body), seconds to wait before it.
        asked: bodies of the requests so far.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, str | bytes, float] = (200, "{}", 0.0)
        self.asked: list[dict] = []


class _Handler(BaseHTTPRequestHandler):
    server: FakeModel

    def do_POST(self):
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        status, content, wait = self.server.answer
        time.sleep(wait)
        message = {"role": "assistant", "content": content}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        body = content if isinstance(content, bytes) else json.dumps(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
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


@contextmanager
def fake_model(monkeypatch: pytest.MonkeyPatch, model_variable: str) -> Iterator[FakeModel]:
    """Runs a fake model, with the environment set so that the program asks it.

    Args:
        monkeypatch: of the test.
        model_variable: environment variable that names the model.
    """
    pytest.importorskip("openai")
    server = FakeModel()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    monkeypatch.setenv(model_variable, "tiny")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
