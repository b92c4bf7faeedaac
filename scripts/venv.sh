# shellcheck shell=sh
# The environment that a checkout runs in: .venv, or the folder that DARKNET_VENV names. Sourced with
# $root, and $extra where "pip install .[extra]" is wanted; sets $venv. install.py says what lies in it.

venv=${DARKNET_VENV:-$root/.venv}

venv_find_python() { # sets $python
    modules='sys, venv, ensurepip'
    if command -v uv >/dev/null 2>&1; then modules=sys; fi
    for name in "${DARKNET_PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        # Run it: a name on the PATH may be a stub that only fails.
        if python=$(command -v "$name") && PYTHONHOME='' PYTHONPATH='' \
            "$python" -c "import $modules; sys.exit(sys.version_info < (3, 11))" </dev/null >/dev/null 2>&1; then
            return
        fi
        [ -z "${DARKNET_PYTHON-}" ] || break
    done
    if [ -z "${DARKNET_PYTHON-}" ] && [ "$modules" = sys ]; then
        uv python install 3.13 >&2 && python=$(uv python find --system 3.13) && return
    fi
    echo "darknet: ${DARKNET_PYTHON:+DARKNET_PYTHON=$DARKNET_PYTHON is not it: }needs Python 3.11 or newer" \
        "with its venv module (Debian: apt install python3-venv); DARKNET_PYTHON can name it" >&2
    exit 1
}

# Every start pays for this: tests of files, no process.
installed=$venv/installed${extra:+-$extra}
if ! { [ "$venv/pyproject" -ef "$root/pyproject.toml" ] && [ -x "$venv/bin/python" ] && [ -f "$installed" ]; } ||
    [ "$root/pyproject.toml" -nt "$installed" ]; then
    venv_find_python
    PYTHONHOME='' PYTHONPATH='' "$python" "$root/scripts/install.py" "$root" "$venv" "${extra-}" </dev/null || exit
fi
