# shellcheck shell=sh disable=SC2015,SC2154
# The environment that a checkout runs in: .venv, or the folder that DARKNET_VENV names.
# Sourced by ../darknet, by test and by environment.py; POSIX, and -nt and -ef, which every sh has.
#
# Beside Python's own files it holds
#
#   launcher       made here, so to be deleted here: an environment without it is the user's
#   pyproject      a link to the pyproject.toml that it was installed from; where the checkout
#                  was moved or copied, the link and the file no longer agree
#   installed      written last; older than pyproject.toml means: install again
#   installed-X    the same for the extra X, such as test
#   install.log    what the installation said

# venv_ready ROOT [EXTRA]: is the environment whole, and this checkout's? Sets $venv.
# Every start of darknet pays for this: no process, only tests of files.
venv_ready() {
    venv=${DARKNET_VENV:-$1/.venv}
    [ -x "$venv/bin/python" ] &&
        [ "$venv/pyproject" -ef "$1/pyproject.toml" ] &&
        [ -f "$venv/installed${2:+-$2}" ] &&
        ! [ "$1/pyproject.toml" -nt "$venv/installed${2:+-$2}" ]
}

# venv_make ROOT [EXTRA], after venv_ready: makes or mends $venv, or exits with one line.
venv_make() {
    venv_root=$(CDPATH='' cd -P -- "$1" && pwd) || exit 1
    venv_extra=${2-}
    venv_name=${DARKNET_VENV:-.venv}
    case $venv in /*) ;; *) venv=$PWD/$venv ;; esac

    venv_lock_up
    if ! venv_ready "$venv_root" "$venv_extra"; then # another process may just have made it
        venv_install
    fi
    venv_unlock
}

venv_say() {
    printf 'darknet: %s\n' "$*" >&2
}

venv_die() {
    venv_say "$@"
    exit 1
}

# Runs a command into the log; what PYTHONPATH offers must not count as installed.
venv_log() {
    PYTHONHOME='' PYTHONPATH='' "$@" </dev/null >>"$venv/install.log" 2>&1
}

venv_install() {
    venv_fresh=yes
    rmdir "$venv" 2>/dev/null || true # an empty folder is as good as none
    if [ ! -e "$venv" ]; then
        venv_why="first use: installing into $venv_name"
    elif [ ! -e "$venv/launcher" ]; then
        venv_fresh=no
        venv_why="installing into $venv_name, which was there"
        [ -x "$venv/bin/python" ] ||
            venv_die "$venv_name is there, but is no Python environment: move it away"
    elif [ ! -e "$venv/installed" ]; then
        venv_why="the last installation did not finish: making $venv_name again"
    elif ! [ "$venv/pyproject" -ef "$venv_root/pyproject.toml" ]; then
        venv_why="the checkout has moved: making $venv_name again"
    elif [ ! -x "$venv/bin/python" ]; then
        venv_why="its Python has gone: making $venv_name again"
    else
        venv_fresh=no
        if [ "$venv_root/pyproject.toml" -nt "$venv/installed" ]; then
            venv_why="pyproject.toml has changed: updating $venv_name"
        else
            venv_why="adding what \"$venv_extra\" needs to $venv_name"
        fi
    fi

    [ "$venv_fresh" = no ] || venv_find_python
    [ "$venv_fresh" = no ] || venv_why="$venv_why (a minute or two)"
    venv_say "$venv_why ..."
    venv_begin 2>/dev/null || venv_die "cannot write $venv: DARKNET_VENV can name another folder"
    if { [ "$venv_fresh" = no ] || venv_create; } && venv_pip && venv_stamp; then return; fi
    venv_say "installing failed; $venv/install.log ends with"
    tail -n 5 "$venv/install.log" | sed 's/^/    /' >&2
    venv_advise
    exit 1
}

# What to do where the packages could not be reached, which pip and uv say in many words.
venv_advise() {
    venv_then="then run this again"
    case $(cat "$venv/install.log") in
    *'from versions: none'* | *NewConnectionError* | *ConnectTimeout* | *ReadTimeout* | \
        *'onnection error'* | *'onnection refused'* | *'onnection reset'* | *'onnection timed out'* | \
        *'name resolution'* | *'Name or service not known'* | *'etwork is unreachable'* | \
        *'dns error'* | *'error sending request'* | *'etwork connectivity is disabled'* | \
        *ProxyError* | *'annot connect to proxy'* | *SSLError* | *'ailed to fetch'*) ;;
    *) return 0 ;;
    esac
    if [ -n "${PIP_NO_INDEX-}${UV_OFFLINE-}${UV_NO_INDEX-}" ]; then
        venv_say "PIP_NO_INDEX, UV_OFFLINE or UV_NO_INDEX keeps it from the network:" \
            "unset it, or name a folder with the packages by PIP_FIND_LINKS; $venv_then"
    else
        venv_say "the network with the packages (pypi.org) cannot be reached: connect to it, or" \
            "name a proxy by HTTPS_PROXY or a mirror by PIP_INDEX_URL; $venv_then"
    fi
}

# From here until venv_stamp nothing takes the environment for whole.
venv_begin() {
    if [ "$venv_fresh" = yes ]; then
        # Moved first: half deleted, it might pass for the user's own.
        [ ! -e "$venv" ] || mv "$venv" "$venv_lock/old" || return
        rm -rf "$venv_lock/old" && mkdir "$venv" && true >"$venv/launcher" || return
    fi
    # The stamp-to-be is of now, when the installer reads pyproject.toml, not of the end; or of
    # pyproject.toml's own time, where that lies in the future.
    rm -f "$venv"/installed* "$venv/pyproject" &&
        true >"$venv/install.log" &&
        true >"$venv/installing" || return
    if [ "$venv_root/pyproject.toml" -nt "$venv/installing" ]; then
        touch -r "$venv_root/pyproject.toml" "$venv/installing"
    fi
}

# Sets $venv_python to the first Python that will do; to nothing where uv can fetch one.
venv_find_python() {
    venv_uv=no venv_needs='sys, venv, ensurepip'
    if command -v uv >/dev/null 2>&1; then venv_uv=yes venv_needs=sys; fi
    for venv_candidate in ${DARKNET_PYTHON:+"$DARKNET_PYTHON"} \
        python3.13 python3.12 python3.11 python3.10 python3; do
        # Run it: a name on the PATH may be a stub that only fails.
        if venv_python=$(command -v "$venv_candidate") && PYTHONHOME='' PYTHONPATH='' \
            "$venv_python" -c "import $venv_needs; sys.exit(sys.version_info < (3, 10))" \
            </dev/null >/dev/null 2>&1; then
            return
        fi
        [ -z "${DARKNET_PYTHON-}" ] || break
    done
    venv_python=
    [ -z "${DARKNET_PYTHON-}" ] ||
        venv_die "DARKNET_PYTHON=$DARKNET_PYTHON is not Python 3.10 or newer with its venv module"
    [ "$venv_uv" = yes ] || venv_die 'needs Python 3.10 or newer with its venv module' \
        '(Debian: apt install python3-venv); DARKNET_PYTHON can name it'
}

venv_create() {
    if [ "$venv_uv" = yes ]; then
        venv_log uv venv --seed --allow-existing --python "${venv_python:-3.13}" "$venv"
    else
        venv_log "$venv_python" -m venv "$venv"
    fi
}

venv_pip() (
    # "." and not the path: a path may hold what an installer takes for an extra.
    cd "$venv_root" || exit
    trap : HUP INT TERM # to stay until the installer has stopped: the lock says so much
    what=.${venv_extra:+[$venv_extra]}
    if command -v uv >/dev/null 2>&1; then
        venv_log uv pip install --python "$venv/bin/python" --editable "$what"
    else
        venv_log "$venv/bin/python" -m pip install --disable-pip-version-check --editable "$what"
    fi
)

venv_stamp() {
    ln -s "$venv_root/pyproject.toml" "$venv/pyproject" || return
    [ -z "$venv_extra" ] || cp -p "$venv/installing" "$venv/installed-$venv_extra" || return
    mv "$venv/installing" "$venv/installed"
}

# One installation at a time. Takes $venv.lock, or takes it over where its holder is dead.
venv_lock_up() {
    venv_lock=$venv.lock
    venv_me="$$ $(uname -n)"
    venv_waited=0 venv_nameless=0 venv_failed=0
    mkdir -p "${venv%/*}" 2>/dev/null || true # the loop finds out, and says it
    until mkdir "$venv_lock" 2>/dev/null; do
        venv_holder=$(cat "$venv_lock/holder" 2>/dev/null) || venv_holder=
        if [ ! -d "$venv_lock" ]; then # let go just now, or cannot be made
            venv_failed=$((venv_failed + 1))
            [ "$venv_failed" -lt 3 ] ||
                venv_die "cannot make $venv_lock: DARKNET_VENV can name another folder"
            continue
        elif [ -n "$venv_holder" ]; then
            venv_nameless=0
            if venv_is_dead && venv_take_over; then break; fi
        else # it has not yet written its name, or never will
            venv_nameless=$((venv_nameless + 1))
            if [ "$venv_nameless" -gt 5 ] && venv_take_over; then break; fi
        fi
        case $venv_waited in
        0) venv_say "waiting for process ${venv_holder:-?}, which is installing into $venv_name" \
            "(if it is not: delete $venv_lock)" ;;
        1800) venv_die "waited half an hour for process ${venv_holder:-?}; see $venv_lock" ;;
        esac
        venv_waited=$((venv_waited + 1))
        sleep 1
    done
    trap 'venv_code=$?; rm -rf "$venv_lock"; exit $venv_code' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '%s\n' "$venv_me" >"$venv_lock/holder"
}

venv_unlock() {
    trap - EXIT HUP INT TERM
    rm -rf "$venv_lock"
}

# Of a holder on another machine or in another container nothing can be said.
venv_is_dead() {
    [ "${venv_holder#* }" = "${venv_me#* }" ] &&
        ! kill -0 "${venv_holder%% *}" 2>/dev/null &&
        ! [ -d "/proc/${venv_holder%% *}" ] &&
        ! ps -p "${venv_holder%% *}" >/dev/null 2>&1
}

# Of several that find the holder dead, one may take its place: the first to make "heir", and
# only if the dead one is still the holder.
venv_take_over() {
    mkdir "$venv_lock/heir" 2>/dev/null || return
    if [ "$(cat "$venv_lock/holder" 2>/dev/null)" = "$venv_holder" ]; then
        printf '%s\n' "$venv_me" >"$venv_lock/holder" && rmdir "$venv_lock/heir"
    else
        rmdir "$venv_lock/heir"
        return 1
    fi
}
