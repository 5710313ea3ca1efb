# The old iCEFARM clients, unmodified, each with what it imports, as .local/icefarm/<version>: 30 MB each. Only tests of
# the gateway for them want these, and skip without them. `make setup` tries again.
. deploy/setup/common.sh

export UV_LINK_MODE=copy

offer_client() {
    target="$local_dir/icefarm/$1"
    if [ ! -d "$target/icefarm" ]; then
        rm -rf "$target" "$target.new"
        "$local_dir/uv/bin/uv" pip install --quiet --python .venv/bin/python --target "$target.new" "icefarm==$1" \
            >"$local_dir/icefarm.log" 2>&1 || { rm -rf "$target.new"; return 1; }
        mv "$target.new" "$target"
    fi
    say "icefarm $1: $target"
}

for version in 0.1.15 0.1.16; do
    offer_client "$version" || say "icefarm $version: not to be had here, its tests will skip (see .local/icefarm.log)"
done
