# Shared by the set-up scripts, which are sourced from the project's root by `sh -eu`.
# Everything that is fetched without root lands below .local/, and `make clean` removes it.

local_dir="$PWD/.local"
debian_root="$local_dir/debian"
mkdir -p "$local_dir/bin"

say() { printf '  %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# A machine's own certificate bundle is what its owner trusts; pip, uv and node each look elsewhere.
system_bundle=/etc/ssl/certs/ca-certificates.crt
trust() {
    export SSL_CERT_FILE="$1" PIP_CERT="$1" NODE_EXTRA_CA_CERTS="$1" REQUESTS_CA_BUNDLE="$1"
}
if [ -z "${SSL_CERT_FILE:-}" ]; then
    if [ -f "$system_bundle" ]; then trust "$system_bundle"
    elif [ -f "$local_dir/ca.crt" ]; then trust "$local_dir/ca.crt"; fi
fi

# Runs a command as root, or fails where we may not.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif has sudo && sudo -n true 2>/dev/null; then sudo -n "$@"
    else return 1; fi
}

# apt with package lists and downloads of our own: works for a plain user and on empty system lists.
local_apt() { ask_apt apt-get -qq "$@"; }
local_apt_cache() { ask_apt apt-cache "$@"; }
ask_apt() {
    asked=$1
    shift
    mkdir -p "$local_dir/apt/lists/partial" "$local_dir/apt/archives/partial"
    "$asked" -o Dir::State::Lists="$local_dir/apt/lists" -o Dir::Cache="$local_dir/apt" \
        -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "$@"
}

fetch_lists() {
    [ -f "$local_dir/apt/updated" ] || local_apt update >/dev/null 2>&1 || true
    : >"$local_dir/apt/updated"
}

# debian_install NAME...: by root into the system.
debian_install() {
    has apt-get && as_root true || return 1
    as_root apt-get -qq update >/dev/null 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "$@" >"$local_dir/apt.log" 2>&1
}

# debian_missing NAME...: prints those of the packages, and of what they need, that this machine lacks.
# The C library is left out: a second one beside the machine's own would break every program.
debian_missing() {
    local_apt -s --no-install-recommends install "$@" 2>/dev/null |
        awk '$1 == "Inst" && $2 !~ /^libc(6|-bin)$/ { print $2 }'
}

# debian_unpack NAME...: the packages, and what they need that this machine lacks, below .local/debian.
debian_unpack() {
    has apt-get && has dpkg || return 1
    fetch_lists
    missing=$(debian_missing "$@")
    # shellcheck disable=SC2086
    debian_fetch ${missing:-"$@"}
}

# debian_fetch NAME...: these packages and no others, below .local/debian.
debian_fetch() {
    (cd "$local_dir/apt/archives" && rm -f ./*.deb && local_apt download "$@") \
        >"$local_dir/apt.log" 2>&1 || return 1
    for package in "$local_dir"/apt/archives/*.deb; do
        dpkg -x "$package" "$debian_root"
        rm "$package"
    done
}

# A browser ends where it finds no font at all, and Debian's own list names folders of the system.
list_fonts() {
    cat >"$debian_root/fonts.conf" <<LIST
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig><dir>$debian_root/usr/share/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
LIST
}

# offer NAME PROGRAM [OPTIONS]: makes PROGRAM reachable as .local/bin/NAME, with its libraries when it was unpacked, and
# then with OPTIONS, in which $root is where packages are unpacked.
offer() {
    rm -f "$local_dir/bin/$1"
    case "$2" in
    "$debian_root"/*)
        cat >"$local_dir/bin/$1" <<SCRIPT
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")/../debian
for folder in "\$root"/usr/lib/*-linux-gnu* "\$root"/usr/lib/*-linux-gnu*/pulseaudio "\$root"/lib/*-linux-gnu*; do
    LD_LIBRARY_PATH="\${LD_LIBRARY_PATH:+\$LD_LIBRARY_PATH:}\$folder"
done
export LD_LIBRARY_PATH
[ -d /etc/fonts ] || export FONTCONFIG_FILE="\$root/fonts.conf"
exec "\$root/${2#"$debian_root"/}" ${3:-} "\$@"
SCRIPT
        chmod +x "$local_dir/bin/$1" ;;
    *) ln -s "$2" "$local_dir/bin/$1" ;;
    esac
}

# first_program PATH...: prints the first that can be run.
first_program() {
    for candidate; do
        if [ -x "$candidate" ]; then printf '%s\n' "$candidate"; return 0; fi
    done
    return 1
}
