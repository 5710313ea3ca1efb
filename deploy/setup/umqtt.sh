# Makes .local/micropython/umqtt/simple.py from MicroPython's own release on the package index.
# pip refuses that archive, as it describes no Python project; unearth only fetches it.
. deploy/setup/common.sh

name=micropython-umqtt.simple
version=1.3.4
sha256=b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f
archive="$local_dir/micropython/$name-$version.tar.gz"

.venv/bin/unearth --no-binary --download "$local_dir/micropython" "$name==$version" \
    >"$local_dir/unearth.log" 2>&1 ||
    { cat "$local_dir/unearth.log" >&2; fail "could not fetch $name $version"; }
printf '%s  %s\n' "$sha256" "$archive" | sha256sum --check --quiet ||
    fail "$archive is not the file we know; remove it and try again"
tar -xzf "$archive" -C "$local_dir/micropython" --strip-components=1 "$name-$version/umqtt"
touch "$local_dir/micropython/umqtt/simple.py" # its own date is older than what make compares it with
rm "$archive"
say "umqtt.simple: $version into .local/micropython"
