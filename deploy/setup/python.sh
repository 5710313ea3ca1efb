# Makes .venv from uv.lock. Needs python3 and nothing else: pip is borrowed from Debian's wheel of it
# where python3 has none, and pip fetches uv, which makes the environment.
# Usage: sh -eu deploy/setup/python.sh [uv sync options]
. deploy/setup/common.sh

has python3 || fail "python3 is missing; install it (Debian: apt-get install python3)"

fetch_certificates() {
    [ -z "${SSL_CERT_FILE:-}" ] || return 0
    say "certificates: this machine has none, taking Debian's ca-certificates"
    if debian_install ca-certificates && [ -f "$system_bundle" ]; then trust "$system_bundle"; return; fi
    debian_unpack ca-certificates ||
        fail "no CA certificates: install ca-certificates (see .local/apt.log)"
    find "$debian_root/usr/share/ca-certificates" -name '*.crt' -exec cat {} + >"$local_dir/ca.crt"
    trust "$local_dir/ca.crt"
}

find_pip_wheel() {
    find /usr/share/python-wheels "$debian_root/usr/share/python-wheels" -name 'pip-*.whl' 2>/dev/null |
        grep -m 1 .
}

find_pip() {
    if python3 -m pip --version >/dev/null 2>&1 || wheel=$(find_pip_wheel); then return; fi
    say "pip: python3 has none, taking Debian's wheel of it"
    debian_unpack python3-pip-whl && wheel=$(find_pip_wheel) ||
        fail "no pip for python3: install python3-pip or python3-venv (see .local/apt.log)"
}

uv="$local_dir/uv/bin/uv"
if [ ! -x "$uv" ]; then
    fetch_certificates
    wheel=
    find_pip
    say "uv: into .local/uv"
    PYTHONPATH="${wheel:-${PYTHONPATH:-}}" python3 -m pip install --quiet --disable-pip-version-check \
        --no-cache-dir --target "$local_dir/uv" "uv>=0.9" >"$local_dir/pip.log" 2>&1 ||
        { cat "$local_dir/pip.log" >&2; fail "pip could not fetch uv"; }
fi

# The machine's own python3 where it is new enough; otherwise uv brings one.
if python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    UV_PYTHON=$(python3 -c 'import sys; print(sys.executable)')
    UV_PYTHON_DOWNLOADS=never
else
    UV_PYTHON=3.11
    UV_PYTHON_DOWNLOADS=automatic
fi
export UV_PYTHON UV_PYTHON_DOWNLOADS UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT="$PWD/.venv"
unset VIRTUAL_ENV
say "python: packages of uv.lock into .venv"
"$uv" sync --quiet --frozen --inexact "$@"
