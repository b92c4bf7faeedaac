"""./darknet, scripts/test, venv.sh and install.py with a stand-in for Python: no network, no venv.

The stand-in is a shell script. It notes each call in calls.log, makes what `python -m venv` and
`pip install` would make, and runs nothing but install.py. PATH holds it and a few common tools.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SHELLS = [name for name in ("sh", "dash", "bash", "ksh", "mksh", "yash") if shutil.which(name)]

TOOLS = [
    *("cp", "dirname", "mkdir", "readlink", "sh", "sleep"),
]

# Knobs, from the environment: FAKE_OLD (its version is too low), FAKE_FAIL (venv or pip breaks),
# FAKE_WHY (what pip then says), FAKE_SLOW (seconds that pip takes).
FAKE_PYTHON = r"""#!/bin/sh
echo "${0##*/} $*" >>"$FAKE_LOG/calls.log"
case "$*" in
"-c import "*) [ -z "$FAKE_OLD" ] ;;
*/install.py*) exec REAL -S -c "
import runpy, sys
sys.executable, sys.argv = sys.argv[1], sys.argv[2:]
runpy.run_path(sys.argv[0], run_name='__main__')" "$0" "$@" ;;
"-m venv "*)
    [ "$FAKE_FAIL" != venv ] || { echo "no module named venv" >&2; exit 1; }
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    ;;
"-m pip install "*)
    echo "noise of pip, PYTHONPATH=$PYTHONPATH"
    sleep "${FAKE_SLOW:-0}"
    [ "$FAKE_FAIL" != pip ] || { echo "${FAKE_WHY:-no such package}" >&2; exit 1; }
    : >"${0%/*}/darknet"
    ;;
"-m "*) [ "$2" != "$FAKE_FAIL" ] ;;
*/bin/darknet*)
    [ -f "$1" ] || exit 99
    shift
    echo "in $PWD"
    for word; do printf '<%s>\n' "$word"; done
    exit "${FAKE_EXIT:-0}"
    ;;
*) exit 98 ;;
esac
""".replace("REAL", f'"{sys.executable}"')

# uv as the launcher calls it: `uv venv ... DIR`, `uv pip install --python PYTHON ...`.
FAKE_UV = """\
#!/bin/sh
echo "uv $*" >>"$FAKE_LOG/calls.log"
case "$*" in
"venv "*)
    for folder; do :; done
    mkdir -p "$folder/bin"
    cp "${0%/*}/python3" "$folder/bin/python"
    ;;
"pip install --python "*) : >"${4%/*}/darknet" ;;
*) exit 97 ;;
esac
"""


class Checkout:
    """A checkout with nothing but the launcher, and the machine that it is on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "a path [with] spaces" / "darknet"
        self.bin = folder / "bin"
        self.tools = folder / "tools"  # links to the machine's own: never written to
        self.env = {
            "PATH": f"{self.bin}:{self.tools}",
            "FAKE_LOG": str(folder),
            **{f"FAKE_{knob}": "" for knob in ("OLD", "FAIL", "WHY", "SLOW", "EXIT")},
        }
        self.bin.mkdir()
        self.tools.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:  # ps may be missing
                (self.tools / tool).symlink_to(found)
        self.program("python3", FAKE_PYTHON)

        (self.root / "scripts").mkdir(parents=True)
        for name in (
            "darknet",
            "scripts/test",
            "scripts/venv.sh",
            "scripts/install.py",
            "pyproject.toml",
        ):
            shutil.copy(ROOT / name, self.root / name)

    def program(self, name: str, text: str) -> Path:
        """Put a stand-in before the tools."""
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def change_pyproject(self) -> None:
        """Let it be newer than everything; most shells compare whole seconds."""
        later = time.time() + 10
        os.utime(self.root / "pyproject.toml", (later, later))

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def start(self, *command: str | Path, **env: str) -> subprocess.Popen[str]:
        """Start a command, by default ./darknet, in a process group of its own."""
        return subprocess.Popen(
            command or [self.root / "darknet"],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str | Path, **env: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        with self.start(*command, **env) as process:
            out, err = process.communicate(timeout=20)
        return process.returncode, out, err

    def calls(self) -> list[str]:
        """What the stand-ins were asked since the last look."""
        log = self.folder / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def is_at_pip(self) -> bool:
        log = self.venv / "install.log"
        return log.exists() and "noise of pip" in log.read_text()

    def installs(self) -> int:
        return sum("pip install" in call for call in self.calls())

    def assert_sound(self) -> None:
        """The next run starts at once, without a tool, and nothing is left lying about."""
        self.calls()
        assert self.run(self.root / "darknet", PATH="/nowhere") == (0, f"in {self.folder}\n", "")
        assert len(self.calls()) == 1
        assert sorted(os.listdir(self.venv)) == [
            *("bin", "install.lock", "install.log", "installed", "made-here", "pyproject")
        ]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


@pytest.fixture
def installed(checkout: Checkout) -> Checkout:
    assert checkout.run()[0] == 0
    checkout.calls()
    return checkout


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.fixture
def half_installed(checkout: Checkout) -> Iterator[subprocess.Popen[str]]:
    """A first use that has come as far as pip."""
    with checkout.start(FAKE_SLOW="5") as process:
        wait_for(checkout.is_at_pip)
        yield process


@pytest.mark.parametrize("shell", SHELLS)
def test_first_use(checkout: Checkout, shell: str) -> None:
    found = shutil.which(shell)
    assert found
    command = (found, checkout.root / "darknet", "classify", "two words", "", "*", "-h", "$x\\n")
    said = f"in {checkout.folder}\n<classify>\n<two words>\n<>\n<*>\n<-h>\n<$x\\n>\n"
    code, out, err = checkout.run(*command, FAKE_EXIT="7")
    assert (code, out) == (7, said)
    assert err == "darknet: first use: installing into .venv (a minute or two) ...\n"
    assert "noise of pip" in (checkout.venv / "install.log").read_text()
    assert checkout.installs() == 1
    checkout.assert_sound()
    assert checkout.run(*command, PATH="/nowhere") == (0, said, "")


def test_by_whatever_name(installed: Checkout) -> None:
    links = installed.folder / "links"
    links.mkdir()
    (links / "absolute").symlink_to(installed.root / "darknet")
    from_root = installed.root.relative_to(installed.folder)
    (links / "relative").symlink_to(Path("..") / from_root / "darknet")
    (links / "twice").symlink_to("relative")
    (installed.folder / "root").symlink_to(installed.root)
    for name in ("absolute", "relative", "twice", "../root/darknet"):
        assert installed.run(links / name) == (0, f"in {installed.folder}\n", "")
    said = f"in {installed.root}\n"
    for command in ("./darknet", "sh darknet", "sh ./darknet", "cd scripts && cd .. && ./darknet"):
        assert installed.run("sh", "-c", f'cd "{installed.root}" && {command}') == (0, said, "")
    assert installed.run("sh", "-c", "links/twice")[0] == 0
    path = f"{links}:{installed.tools}"
    assert installed.run("sh", "-c", "twice", PATH=path) == (0, f"in {installed.folder}\n", "")


def test_newer_pyproject_installs_again(installed: Checkout) -> None:
    installed.change_pyproject()
    code, _, err = installed.run()
    assert (code, err) == (0, "darknet: pyproject.toml has changed: updating .venv ...\n")
    assert not any("-m venv" in call for call in installed.calls())  # the environment stays
    # Once is enough, though the file's time lies in the future.
    installed.assert_sound()


def test_pyproject_that_changes_meanwhile(checkout: Checkout) -> None:
    with checkout.start(FAKE_SLOW="0.3"):
        wait_for(checkout.is_at_pip)
        checkout.change_pyproject()
    assert checkout.installs() == 1
    assert "has changed" in checkout.run()[2]
    checkout.assert_sound()


def test_moved(installed: Checkout) -> None:
    installed.root = installed.root.rename(installed.folder / "elsewhere")
    code, _, err = installed.run()
    assert (code, err) == (
        0,
        "darknet: the checkout has moved: making .venv again (a minute or two) ...\n",
    )
    assert any("-m venv" in call for call in installed.calls())
    installed.assert_sound()


def test_copied(installed: Checkout) -> None:
    original = installed.root
    installed.root = installed.folder / "copy"
    shutil.copytree(original, installed.root, symlinks=True)
    assert "has moved" in installed.run()[2]
    installed.assert_sound()
    installed.root = original
    installed.assert_sound()


def test_python_that_has_gone(installed: Checkout) -> None:
    (installed.venv / "bin/python").unlink()
    (installed.venv / "bin/python").symlink_to("/nowhere/python3")
    code, _, err = installed.run()
    assert (code, err) == (
        0,
        "darknet: its Python has gone: making .venv again (a minute or two) ...\n",
    )
    installed.assert_sound()


@pytest.mark.parametrize(("fault", "why"), [("venv", "no module named venv"), ("pip", "no such")])
def test_failure(checkout: Checkout, fault: str, why: str) -> None:
    code, out, err = checkout.run(FAKE_FAIL=fault)
    assert (code, out) == (1, "")
    assert f"darknet: installing failed; {checkout.venv}/install.log ends with\n" in err
    assert f"    {why}" in err
    assert "Traceback" not in err
    code, _, err = checkout.run()
    assert code == 0
    why = "the last installation did not finish: making .venv again (a minute or two) ..."
    assert err == f"darknet: {why}\n"
    checkout.assert_sound()


@pytest.mark.parametrize(
    "why",
    [
        "ERROR: Could not find a version that satisfies hatchling>=1.26 (from versions: none)",
        "WARNING: NewConnectionError: [Errno -3] Temporary failure in name resolution",
        "error: Failed to fetch: `https://pypi.org/simple/numpy/`",
    ],
)
def test_failure_without_a_network(checkout: Checkout, why: str) -> None:
    _, _, err = checkout.run(FAKE_FAIL="pip", FAKE_WHY=why)
    assert err.splitlines()[-1] == (
        "darknet: the packages (pypi.org) cannot be reached: connect to the network, or name a "
        "proxy by HTTPS_PROXY, a mirror by PIP_INDEX_URL or a folder of packages by "
        "PIP_FIND_LINKS, and unset PIP_NO_INDEX and UV_OFFLINE; then run this again"
    )


def test_failure_of_another_kind_is_no_networks(checkout: Checkout) -> None:
    why = "ERROR: Could not find a version of numpy>=9 (from versions: 1.0, 2.4)"
    assert "network" not in checkout.run(FAKE_FAIL="pip", FAKE_WHY=why)[2]


def test_failed_update_is_made_good(installed: Checkout) -> None:
    installed.change_pyproject()
    assert installed.run(FAKE_FAIL="pip")[0] == 1
    assert installed.run()[0] == 0
    installed.assert_sound()


@pytest.mark.parametrize("case", ["none", "too old", "only a stub"])
def test_no_python(checkout: Checkout, case: str) -> None:
    if case == "none":
        (checkout.bin / "python3").unlink()
    elif case == "only a stub":
        checkout.program("python3", "#!/bin/sh\necho 'python3: command not found' >&2\nexit 127\n")
    code, out, err = checkout.run(FAKE_OLD="yes" if case == "too old" else "")
    assert (code, out) == (1, "")
    assert err.startswith("darknet: needs Python 3.11 or newer")
    assert err.count("\n") == 1
    assert not checkout.venv.exists()


def test_stub_is_passed_over(checkout: Checkout) -> None:
    checkout.program("python3", "#!/bin/sh\nexit 127\n")
    checkout.program("python3.12", FAKE_PYTHON)
    assert checkout.run()[0] == 0
    assert "python3.12 -m venv" in "\n".join(checkout.calls())
    checkout.assert_sound()


def test_named_python(checkout: Checkout) -> None:
    named = checkout.program("my python", FAKE_PYTHON)
    code, _, err = checkout.run(DARKNET_PYTHON=str(checkout.folder / "nothing"))
    assert code == 1
    assert err == (
        f"darknet: DARKNET_PYTHON={checkout.folder}/nothing is not it: needs Python 3.11 or newer "
        "with its venv module (Debian: apt install python3-venv); DARKNET_PYTHON can name it\n"
    )
    assert checkout.calls() == []
    assert checkout.run(DARKNET_PYTHON=str(named))[0] == 0
    assert all(call.startswith(("my python ", "python ")) for call in checkout.calls())
    checkout.assert_sound()


def test_uv_where_there_is_one(checkout: Checkout) -> None:
    checkout.program("uv", FAKE_UV)
    assert checkout.run()[0] == 0
    assert [call.split()[:2] for call in checkout.calls()[2:4]] == [["uv", "venv"], ["uv", "pip"]]
    checkout.assert_sound()


def test_foreign_environment_is_used_not_deleted(checkout: Checkout) -> None:
    (checkout.venv / "bin").mkdir(parents=True)
    shutil.copy(checkout.bin / "python3", checkout.venv / "bin/python")
    (checkout.venv / "mine").write_text("")
    assert checkout.run(FAKE_FAIL="pip")[0] == 1
    code, _, err = checkout.run()
    assert (code, err) == (0, "darknet: installing into .venv, which was there ...\n")
    assert not any("-m venv" in call for call in checkout.calls())
    (checkout.venv / "mine").rename(checkout.venv / "made-here")  # what assert_sound expects
    checkout.assert_sound()


def test_folder_in_the_way(checkout: Checkout) -> None:
    checkout.venv.mkdir()
    (checkout.venv / "mine").write_text("")
    code, _, err = checkout.run()
    assert (code, err) == (
        1,
        "darknet: .venv is there, but is no Python environment: move it away\n",
    )
    (checkout.venv / "mine").unlink()
    assert checkout.run()[0] == 0  # an empty one will do
    checkout.assert_sound()


def test_another_place(checkout: Checkout) -> None:
    place = checkout.folder / "another place/venv"
    for env in (str(place), "another place/venv"):
        code, out, _ = checkout.run(DARKNET_VENV=env)
        assert (code, out) == (0, f"in {checkout.folder}\n")
    assert checkout.installs() == 1
    assert os.listdir(place.parent) == ["venv"]
    assert not checkout.venv.exists()


def test_place_that_cannot_be(checkout: Checkout) -> None:
    (checkout.folder / "file").write_text("")
    code, _, err = checkout.run(DARKNET_VENV=f"{checkout.folder}/file/venv")
    assert code == 1
    assert err.startswith(f"darknet: cannot write {checkout.folder}/file")
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["bench", "gpu_report"])
def test_scripts_go_on_in_the_environment(checkout: Checkout, name: str) -> None:
    """With a Python that has none of what the project needs."""
    for each in (name, "environment.py"):
        shutil.copy(ROOT / "scripts" / each, checkout.root / "scripts" / each)
    script = checkout.root / "scripts" / name
    code, _, err = checkout.run(sys.executable, "-S", script, "--help", "two words")
    assert "first use: installing into .venv" in err
    assert checkout.calls()[-1] == f"python {script} --help two words"
    assert code == 98  # which says that the stand-in knows no such script
    checkout.assert_sound()


def test_foreign_packages_do_not_count(checkout: Checkout) -> None:
    assert checkout.run(PYTHONPATH="/opt/ros")[0] == 0
    assert "PYTHONPATH=\n" in (checkout.venv / "install.log").read_text()


def test_several_first_uses_at_once(checkout: Checkout) -> None:
    several = [checkout.start(FAKE_SLOW="0.5") for _ in range(4)]
    said = []
    for process in several:
        with process:
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (0, f"in {checkout.folder}\n")
        said.append(err)
    assert checkout.installs() == 1
    assert sorted(said) == [
        "darknet: first use: installing into .venv (a minute or two) ...\n",
        *["darknet: waiting for another process, which is installing into .venv ...\n"] * 3,
    ]
    checkout.assert_sound()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(
    checkout: Checkout, half_installed: subprocess.Popen[str], number: signal.Signals
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("run in the background: the signal is ignored here and below")
    os.killpg(half_installed.pid, number)  # as Ctrl-C does: launcher and pip
    assert half_installed.wait(10) in (128 + number, -number)  # shells differ here
    assert "did not finish" in checkout.run()[2]
    checkout.assert_sound()


def test_killed(checkout: Checkout, half_installed: subprocess.Popen[str]) -> None:
    os.killpg(half_installed.pid, signal.SIGKILL)
    half_installed.wait(10)
    checkout.calls()
    several = [checkout.start(FAKE_SLOW="0.3") for _ in range(4)]
    for process in several:
        with process:
            process.communicate(timeout=20)
        assert process.returncode == 0
    assert checkout.installs() == 1
    checkout.assert_sound()


def test_installer_that_outlives_the_launcher_is_waited_for(
    checkout: Checkout, half_installed: subprocess.Popen[str]
) -> None:
    children = Path(f"/proc/{half_installed.pid}/task/{half_installed.pid}/children")
    os.kill(int(children.read_text()), signal.SIGKILL)  # install.py, not the pip that it runs
    half_installed.wait(10)
    started = time.monotonic()
    code, _, err = checkout.run()
    assert code == 0
    waited, why = err.splitlines()
    assert waited.startswith("darknet: waiting for another process, which is installing into .venv")
    assert "did not finish" in why
    assert time.monotonic() - started > 1
    checkout.assert_sound()


def test_scripts_test(checkout: Checkout) -> None:
    command = checkout.root / "scripts/test"
    code, _, err = checkout.run(command)
    assert (code, err) == (0, "darknet: first use: installing into .venv (a minute or two) ...\n")
    calls = checkout.calls()
    assert calls[-7].endswith("--editable .[test]")
    assert calls[-6:] == [
        "python -m ruff check",
        "python -m ruff format --check",
        "python -m mypy",
        "python -m mypy --platform win32 --no-warn-unreachable darknet_py",
        "python -m mypy --platform darwin --no-warn-unreachable darknet_py",
        "python -m pytest -n auto --dist worksteal",
    ]
    assert checkout.run(command, "-k", "two words") == (0, "", "")
    assert checkout.calls() == ["python -m pytest -k two words"]
    assert checkout.run()[2] == ""  # the launcher takes that environment too

    code, _, err = checkout.run(command, FAKE_FAIL="mypy")
    assert code == 1
    assert err.startswith("scripts/test: failed: mypy, mypy --platform win32 ")
    assert checkout.calls()[-1] == "python -m pytest -n auto --dist worksteal"
    assert checkout.run(command, "tests", FAKE_FAIL="pytest")[0] == 1


def test_scripts_test_adds_to_what_is_there(installed: Checkout) -> None:
    code, _, err = installed.run(installed.root / "scripts/test")
    assert (code, err) == (0, 'darknet: adding what "test" needs to .venv ...\n')
    installed.change_pyproject()
    assert "has changed" in installed.run()[2]
    installed.assert_sound()
    assert "adding" in installed.run(installed.root / "scripts/test")[2]


def test_this_checkout_is_executable() -> None:
    for name in ("darknet", "scripts/test", ".ci/run"):
        assert os.access(ROOT / name, os.X_OK), name
