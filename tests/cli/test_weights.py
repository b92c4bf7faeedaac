"""`darknet weights` against a server on this machine that acts out every fault."""

from __future__ import annotations

import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from darknet_py.tasks import published
from tests.cli.conftest import Run

GOOD = bytes(range(256)) * 4 + b"tail"  # 1028 bytes: 253 floats behind a header of 16
LONG_HEADER = GOOD + b"1234"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two small files are published, by nobody; the user's folder for them is empty."""
    few = {
        "known": published.Published(253, "digest known", hashlib.sha256(GOOD).hexdigest()),
        "sized": published.Published(253, "only the size known"),
    }
    monkeypatch.setattr(published, "PUBLISHED", few)
    monkeypatch.setattr(published, "MIRRORS", ())
    monkeypatch.setattr(published, "TIMEOUT", 0.3)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("DARKNET_WEIGHTS_DIR", str(tmp_path / "home"))
    return tmp_path / "home"


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


def test_lists_what_there_is_and_where(darknet: Run, home: Path) -> None:
    code, out, err = darknet("weights")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["known", "sized"]
    assert "home" not in out
    home.mkdir()
    (home / "sized.weights").write_bytes(GOOD)
    out = darknet("weights", "list").out
    assert out.splitlines()[1].endswith(f"only the size known  {home}/sized.weights".split()[-1])
    assert darknet("weights", "path").out == f"{home}\n"


@pytest.mark.parametrize("body", [GOOD, LONG_HEADER])
@pytest.mark.parametrize("length", [-1, None])
def test_downloads(
    darknet: Run, site: Site, tmp_path: Path, body: bytes, length: int | None
) -> None:
    site.serves(body, length=length)
    folder = tmp_path / "new/folder"
    given = ("weights", "fetch", "sized.weights", "-o", folder, "--mirror", site.url)
    assert darknet(*given) == (0, f"{folder}/sized.weights\n", "")
    assert (folder / "sized.weights").read_bytes() == body
    assert os.listdir(folder) == ["sized.weights"]
    assert site.asked == ["/files/sized.weights"]
    umask = os.umask(0)
    os.umask(umask)
    assert (folder / "sized.weights").stat().st_mode & 0o777 == 0o666 & ~umask


def test_commands_find_what_was_fetched(
    darknet: Run, site: Site, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    cfg = tmp_path / "known.cfg"
    cfg.write_text("[net]\nwidth=4\nheight=4\nchannels=3\n[convolutional]\nfilters=9\nsize=3\n")
    site.serves(b"\0" * (16 + 4 * 252))  # 9 biases and 243 weights
    monkeypatch.setitem(published.PUBLISHED, "known", published.Published(252, ""))
    assert darknet("weights", "fetch", "known", "--mirror", site.url).code == 0
    code, _, err = darknet("partial", cfg, "known.weights", "out.weights", "1")
    assert code == 0, err


def test_keeps_a_good_file(darknet: Run, site: Site, tmp_path: Path) -> None:
    (tmp_path / "known.weights").write_bytes(GOOD)
    (tmp_path / "sized.weights").write_bytes(LONG_HEADER)
    code, out, _ = darknet(
        *("weights", "fetch", "known", "sized", "-o", tmp_path, "--mirror", site.url)
    )
    assert (code, site.asked) == (0, [])
    assert out == f"{tmp_path}/known.weights\n{tmp_path}/sized.weights\n"


@pytest.mark.parametrize("mine", [b"", GOOD[:-1], GOOD[::-1]])
def test_leaves_another_file_alone(darknet: Run, site: Site, tmp_path: Path, mine: bytes) -> None:
    path = tmp_path / "known.weights"
    path.write_bytes(mine)
    code, _, err = darknet("weights", "fetch", "known", "-o", tmp_path, "--mirror", site.url)
    assert code == 1
    assert path.read_bytes() == mine
    assert site.asked == []
    assert "move it away" in err


PAGE = b"<!DOCTYPE html><html><body>Survival Strategies</body></html>"

FAULTS: dict[str, tuple[Callable[[Site], None], str]] = {
    "not found": (lambda site: site.serves(PAGE, status=404), "HTTP 404 Not Found"),
    "server error": (lambda site: site.serves(b"", status=500), "HTTP 500"),
    "web page": (
        lambda site: site.serves(PAGE, kind="text/html; charset=utf-8"),
        "not 1028 or 1032 (a web page, or another file)",
    ),
    "web page in disguise": (
        lambda site: site.serves(b"\r\n" + PAGE),
        "not 1028 or 1032 (a web page, or another file)",
    ),
    "web page of the right size": (lambda site: site.serves(PAGE.ljust(len(GOOD))), "SHA-256"),
    "empty": (lambda site: site.serves(b""), "it has 0 bytes"),
    "short": (lambda site: site.serves(GOOD[:-1]), "it has 1027 bytes, not 1028 or 1032"),
    "short, length unknown": (
        lambda site: site.serves(GOOD[:500], length=None),
        "it has 500 bytes",
    ),
    "between": (lambda site: site.serves(GOOD + b"1", length=None), "it has 1029 bytes"),
    "long": (lambda site: site.serves(GOOD * 2), "has 2056 bytes"),
    "endless": (lambda site: site.serves(GOOD * 9999, length=None), "gives more than 1032 bytes"),
    "broken off": (lambda site: site.serves(GOOD[:500], length=len(GOOD)), "broke off"),
    "stalled": (lambda site: site.serves(GOOD[:500], length=len(GOOD), stall=1), "broke off"),
    "another file": (lambda site: site.serves(GOOD[::-1]), "SHA-256"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_refuses(darknet: Run, site: Site, tmp_path: Path, fault: str) -> None:
    act, wanted = FAULTS[fault]
    act(site)
    code, out, err = darknet("weights", "fetch", "known", "-o", tmp_path, "--mirror", site.url)
    assert (code, out, os.listdir(tmp_path)) == (1, "", [])
    assert err.startswith(f"darknet: {site.url}known.weights: ")
    assert err.endswith(f"name another place by --mirror URL, or put a copy into {tmp_path}\n")
    assert err.count("\n") == 1
    assert wanted in err


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[", "http://x y"])
def test_no_server(darknet: Run, tmp_path: Path, url: str) -> None:
    code, _, err = darknet("weights", "fetch", "known", "-o", tmp_path, "--mirror", url)
    assert (code, os.listdir(tmp_path), err.count("\n")) == (1, [], 1)


def test_next_mirror(darknet: Run, site: Site, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.serves(GOOD)
    monkeypatch.setattr(published, "MIRRORS", ("http://127.0.0.1:1/files", site.url))
    assert darknet("weights", "fetch", "known") == (0, f"{home}/known.weights\n", "")


def test_one_fault_does_not_stop_the_rest(darknet: Run, site: Site, tmp_path: Path) -> None:
    site.serves(GOOD[::-1])
    names = ("known", "sized", "known")
    assert darknet("weights", "fetch", *names, "-o", tmp_path, "--mirror", site.url).code == 1
    assert os.listdir(tmp_path) == ["sized.weights"]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("fetch", "known", "knwon"), "no weights are named knwon: did you mean known?"),
        (("fetch", "known", "--mirror", "ftp://x"), "expected http://... or https://..."),
        (("verify", "mine.weights"), "no weights are named mine: darknet weights lists them"),
    ],
)
def test_usage(darknet: Run, home: Path, given: tuple[str, ...], wanted: str) -> None:
    code, _, err = darknet("weights", *given)
    assert code == 2
    assert wanted in err
    assert not home.exists()


def test_folder_that_cannot_be(darknet: Run, site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = darknet(
        *("weights", "fetch", "known", "-o", tmp_path / "file/folder", "--mirror", site.url)
    )
    assert (code, err) == (1, f"darknet: {tmp_path}/file/folder: Not a directory\n")


def test_verify(darknet: Run, home: Path, tmp_path: Path) -> None:
    home.mkdir()
    (home / "known.weights").write_bytes(GOOD)
    (tmp_path / "sized.weights").write_bytes(GOOD)
    said = f"{home}/known.weights: as published\n"
    sized = tmp_path / "sized.weights"
    said += f"{sized}: as published (its size: no digest is known)\n"
    assert darknet("weights", "verify", "known", sized) == (0, said, "")
    (home / "known.weights").write_bytes(GOOD[::-1])
    code, out, err = darknet("weights", "verify", "known", "sized")
    assert (code, out) == (1, "")
    digest = hashlib.sha256(GOOD[::-1]).hexdigest()
    assert err.splitlines() == [
        f"darknet: {home}/known.weights: it is not the published file: its SHA-256 is {digest}",
        "darknet: sized: it is not there: darknet weights fetch sized",
    ]


def test_verify_knows_a_file_of_another_name(darknet: Run, home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.weights"
    mine.write_bytes(GOOD)
    code, out, _ = darknet("weights", "verify", mine)
    assert (code, out) == (
        0,
        f"{mine}: as published as known or sized (its size: no digest is known)\n",
    )
    mine.write_bytes(LONG_HEADER)
    assert darknet("weights", "verify", mine).out.startswith(f"{mine}: as published as sized (")
    mine.write_bytes(b"other")
    code, out, err = darknet("weights", "verify", mine)
    assert (code, out) == (1, "")
    assert f"{mine}: is none of the published files" in err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, -15), (signal.SIGINT, 130)], ids=["TERM", "INT"]
)
def test_stopped_halfway_leaves_no_weights(
    site: Site, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("run in the background: the signal is ignored here and below")
    site.serves(b"\0" * 200_000, length=4_185_968, stall=3)
    words = ("weights", "fetch", "tiny", "-o", tmp_path, "--mirror", site.url)
    with subprocess.Popen(
        [sys.executable, "-m", "darknet_py", *words], stderr=subprocess.DEVNULL
    ) as process:
        until = time.monotonic() + 20
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(10) == code
    assert not list(tmp_path.glob("*.weights"))
    if number == signal.SIGINT:
        assert os.listdir(tmp_path) == []


def test_sizes_are_those_of_the_files() -> None:
    assert published.Published(1_046_488, "").sizes == (4_185_968, 4_185_972)  # tiny.weights
    assert published.Published(62_378_344, "").sizes[0] == 249_513_392  # alexnet.weights
