"""scripts/get_weights against a server on this machine that acts out every fault."""

from __future__ import annotations

import hashlib
import http.server
import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/get_weights"

GOOD = bytes(range(256)) * 4 + b"tail"  # 1028 bytes: 253 floats behind a header of 16
LONG_HEADER = GOOD + b"1234"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script as a module that publishes two small files."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    loader = importlib.machinery.SourceFileLoader("get_weights", str(SCRIPT))
    spec = importlib.util.spec_from_loader("get_weights", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(
        module,
        "PUBLISHED",
        {
            "known": module.Published(253, "digest known", hashlib.sha256(GOOD).hexdigest()),
            "sized": module.Published(253, "only the size known"),
        },
    )
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    monkeypatch.setenv("no_proxy", "*")
    return module


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every GET as `answer` says."""

    answer: Callable[[Handler], None]

    def do_GET(self) -> None:
        type(self).answer(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Site:
    """The server's address, and what it does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []

    def serves(
        self,
        body: bytes,
        *,
        status: int = 200,
        length: int | None = -1,
        kind: str = "application/octet-stream",
        stall: float = 0.0,
    ) -> None:
        """Answer with `body`; a `length` of None sends no Content-Length, -1 the true one."""

        def answer(handler: Handler) -> None:
            self.asked.append(handler.path)
            handler.send_response(status)
            handler.send_header("Content-Type", kind)
            if length is not None:
                handler.send_header("Content-Length", str(len(body) if length < 0 else length))
            handler.end_headers()
            try:
                handler.wfile.write(body)
                time.sleep(stall)
            except ConnectionError:
                pass  # the other side has heard enough

        Handler.answer = answer


@pytest.fixture
def site() -> Iterator[Site]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield Site(f"http://127.0.0.1:{server.server_port}/files/")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(script: ModuleType, *arguments: str | Path) -> int:
    code = script.main([str(argument) for argument in arguments])
    assert isinstance(code, int)
    return code


def test_lists_what_there_is(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(script) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["known", "sized"]
    assert err == ""


@pytest.mark.parametrize("body", [GOOD, LONG_HEADER])
@pytest.mark.parametrize("length", [-1, None])
def test_downloads(
    script: ModuleType,
    site: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    body: bytes,
    length: int | None,
) -> None:
    site.serves(body, length=length)
    folder = tmp_path / "new/folder"
    assert run(script, "sized.weights", "-o", folder, "--from", site.url) == 0
    assert (folder / "sized.weights").read_bytes() == body
    assert os.listdir(folder) == ["sized.weights"]
    assert site.asked == ["/files/sized.weights"]
    out, err = capsys.readouterr()
    assert out == f"{folder / 'sized.weights'}: {len(body):,} bytes\n"
    assert err == ""  # no terminal, no progress


def test_downloads_into_the_working_directory(
    script: ModuleType, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    site.serves(GOOD)
    assert run(script, "known", "sized", "known", "--from", site.url.rstrip("/")) == 0
    assert sorted(os.listdir()) == ["known.weights", "sized.weights"]
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "known.weights").stat().st_mode & 0o777 == 0o666 & ~umask


def test_keeps_a_good_file(
    script: ModuleType, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "known.weights").write_bytes(GOOD)
    (tmp_path / "sized.weights").write_bytes(LONG_HEADER)
    assert run(script, "known", "sized", "-o", tmp_path, "--from", site.url) == 0
    assert site.asked == []
    assert capsys.readouterr().out.count("is there already") == 2


@pytest.mark.parametrize("mine", [b"", GOOD[:-1], GOOD[::-1]])
def test_leaves_another_file_alone(
    script: ModuleType, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], mine: bytes
) -> None:
    path = tmp_path / "known.weights"
    path.write_bytes(mine)
    assert run(script, "known", "-o", tmp_path, "--from", site.url) == 1
    assert path.read_bytes() == mine
    assert site.asked == []
    assert "move it away" in capsys.readouterr().err


PAGE = b"<!DOCTYPE html><html><body>Survival Strategies</body></html>"

FAULTS: dict[str, tuple[Callable[[Site], None], str]] = {
    "not found": (lambda site: site.serves(PAGE, status=404), "HTTP 404 Not Found"),
    "server error": (lambda site: site.serves(b"", status=500), "HTTP 500"),
    "web page": (lambda site: site.serves(PAGE, kind="text/html; charset=utf-8"), "web page"),
    "web page in disguise": (lambda site: site.serves(b"\r\n" + PAGE), "web page"),
    "web page of the right size": (lambda site: site.serves(PAGE.ljust(len(GOOD))), "web page"),
    "empty": (lambda site: site.serves(b""), "only 0 bytes"),
    "short": (lambda site: site.serves(GOOD[:-1]), "has 1027 bytes, not 1028 or 1032"),
    "short, length unknown": (lambda site: site.serves(GOOD[:500], length=None), "only 500"),
    "between": (lambda site: site.serves(GOOD + b"1", length=None), "gave 1029 bytes"),
    "long": (lambda site: site.serves(GOOD * 2), "has 2056 bytes"),
    "endless": (lambda site: site.serves(GOOD * 9999, length=None), "more than 1032"),
    "broken off": (lambda site: site.serves(GOOD[:500], length=len(GOOD)), ""),
    "stalled": (lambda site: site.serves(GOOD[:500], length=len(GOOD), stall=1), "timed out"),
    "another file": (lambda site: site.serves(GOOD[::-1]), "SHA-256"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refuses(
    script: ModuleType, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    act, wanted = FAULTS[fault]
    act(site)
    assert run(script, "known", "-o", tmp_path, "--from", site.url) == 1
    assert os.listdir(tmp_path) == []
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"get_weights: {site.url}known.weights")
    assert err.count("\n") == 1
    assert wanted in err


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://[", "nonsense", "what://is.this", "http://x y"]
)
def test_no_server(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run(script, "known", "-o", tmp_path, "--from", url) == 1
    assert os.listdir(tmp_path) == []
    assert capsys.readouterr().err.count("\n") == 1


def test_one_fault_does_not_stop_the_rest(script: ModuleType, site: Site, tmp_path: Path) -> None:
    site.serves(GOOD[::-1])
    assert run(script, "known", "sized", "-o", tmp_path, "--from", site.url) == 1
    assert os.listdir(tmp_path) == ["sized.weights"]


def test_unknown_name(
    script: ModuleType, site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(script, "known", "tinny", "-o", tmp_path, "--from", site.url) == 2
    assert "tinny" in capsys.readouterr().err
    assert site.asked == []


def test_folder_that_cannot_be(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(script, "known", "-o", tmp_path / "file/folder") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_progress_on_a_terminal(
    script: ModuleType,
    site: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    site.serves(GOOD)
    assert run(script, "known", "-o", tmp_path, "--from", site.url) == 0
    err = capsys.readouterr().err
    assert "known.weights  100% of 0.0 MB" in err
    assert err.endswith("\r\033[K")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_stopped_halfway_leaves_nothing(
    site: Site, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("run in the background: the signal is ignored here and below")
    site.serves(b"\0" * 4096, length=4_185_968, stall=3)
    with subprocess.Popen(
        [sys.executable, SCRIPT, "tiny", "-o", tmp_path, "--from", site.url],
        env={**os.environ, "no_proxy": "*"},
    ) as process:
        while not os.listdir(tmp_path):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(10) == code
    assert os.listdir(tmp_path) == []


def test_runs_by_itself() -> None:
    done = subprocess.run([SCRIPT], capture_output=True, text=True, check=True)
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names[0] == "tiny"
    assert {"darknet53", "vgg-16", "vgg-conv", "resnext101-32x4d"} < set(names)


def test_sizes_are_those_of_the_files(script: ModuleType) -> None:
    assert script.Published(1_046_488, "").sizes() == (4_185_968, 4_185_972)  # tiny.weights
    assert script.Published(62_378_344, "").sizes()[0] == 249_513_392  # alexnet.weights
