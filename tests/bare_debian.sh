#!/usr/bin/env bash
# Proves that make and python3 are enough: makes a Debian that has git, make and python3 and nothing
# else, copies this work tree into it, and runs a make target there. Needs root and debootstrap.
#
#   tests/bare_debian.sh [--user] [--trust FILE] [target ...]      (target: test)
#
# --user        as a plain user who may not become root
# --trust FILE  a bundle of CA certificates to lay into it, where the way out is behind a proxy's own CA
set -euo pipefail
cd "$(dirname "$0")/.."

as_user=false
trust=
while [[ ${1:-} == --* ]]; do
    case $1 in
    --user) as_user=true ;;
    --trust) trust=$(realpath "$2"); shift ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift
done
[[ $# -gt 0 ]] || set -- test
[[ $(id -u) == 0 ]] || { echo "bare_debian: must be root to make a Debian" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "bare_debian: install debootstrap first" >&2; exit 1; }

# The mirror that this machine itself uses.
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $release" | head -n 1)
[[ -n $mirror ]] || { echo "bare_debian: apt knows no mirror for $release (apt-get update first)" >&2; exit 1; }

bare=$(mktemp -d "${TMPDIR:-/tmp}/bare-debian.XXXXXX")
chmod 755 "$bare"
trap 'rm -rf --one-file-system "$bare"' EXIT
echo "bare Debian $release in $bare"
debootstrap --variant=minbase --include=git,make,python3 "$release" "$bare" "$mirror" >"$bare.log" 2>&1 ||
    { tail "$bare.log" >&2; exit 1; }
rm "$bare.log"
cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
[[ -z $trust ]] || install -D "$trust" "$bare/etc/ssl/certs/ca-certificates.crt"

# What a clone would hold, with the changes that are not committed yet.
home=/home/farmer
chroot "$bare" useradd --create-home --home-dir $home farmer
mkdir "$bare$home/farmhand"
git ls-files -z --cached --others --exclude-standard |
    { xargs -0 ls -d 2>/dev/null || true; } | tar -cf - -T - | tar -xf - -C "$bare$home/farmhand"
owner=root
if $as_user; then owner=farmer; fi
chroot "$bare" chown -R $owner:$owner $home

# In namespaces of its own: what it mounts and starts is gone when it ends.
unshare --mount --pid --fork --kill-child --mount-proc="$bare/proc" bash -c '
    mount --rbind /dev "$1/dev"
    exec chroot --userspec="$2:$2" "$1" env -i HOME="$3" CI=true PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        make -C "$3/farmhand" "${@:4}" </dev/null' bare "$bare" $owner $home "$@"
