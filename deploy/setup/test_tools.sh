# What only some tests and benchmarks need: PostgreSQL, Chromium, wrk, monerod, yosys with nextpnr, and the AsyncAPI
# schemas. None of them is a must: what cannot be had is said here, once, and the tests that want it skip. `make setup`
# tries again.
. deploy/setup/common.sh

# A server that no test asked for would come with an installed PostgreSQL, so it is only unpacked.
offer_postgres() {
    programs=$(first_folder /usr/lib/postgresql/*/bin) ||
        { debian_unpack postgresql && programs=$(first_folder "$debian_root"/usr/lib/postgresql/*/bin); } ||
        return 1
    for name in postgres initdb pg_ctl; do offer "$name" "$programs/$name"; done
    say "postgres: $programs"
}

first_folder() {
    for folder; do
        if [ -x "$folder/initdb" ]; then printf '%s\n' "$folder"; return 0; fi
    done
    return 1
}

offer_chromium() {
    program=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
        { debian_install chromium && program=$(command -v chromium); } ||
        { debian_unpack chromium && list_fonts && program=$(first_program "$debian_root/usr/lib/chromium/chromium"); } ||
        return 1
    offer chromium "$program"
    say "chromium: $program"
}

offer_wrk() {
    program=$(command -v wrk) ||
        { debian_install wrk && program=$(command -v wrk); } ||
        { debian_unpack wrk && program=$(first_program "$debian_root/usr/bin/wrk"); } ||
        return 1
    offer wrk "$program"
    say "wrk: $program"
}

offer_monerod() {
    program=$(command -v monerod) ||
        { debian_install monero && program=$(command -v monerod); } ||
        { debian_unpack monero && program=$(first_program "$debian_root/usr/bin/monerod"); } ||
        return 1
    offer monerod "$program"
    "$local_dir/bin/monerod" --version >"$local_dir/monerod.log" 2>&1 || { rm "$local_dir/bin/monerod"; return 1; }
    say "monerod: $program"
}

# They build bitstreams; 41 MB. yosys depends on a viewer with a whole desktop behind it, which is left out.
offer_synthesis() {
    if ! { has yosys && has nextpnr-ice40; }; then
        has apt-get && has dpkg || return 1
        fetch_lists
        # shellcheck disable=SC2046
        debian_fetch yosys nextpnr-ice40 berkeley-abc \
            $(debian_missing $(libraries_of yosys nextpnr-ice40 berkeley-abc)) || return 1
    fi
    for name in yosys nextpnr-ice40 berkeley-abc; do
        program=$(command -v "$name" || first_program "$debian_root/usr/bin/$name") || return 1
        offer "$name" "$program"
    done
    say "yosys, nextpnr-ice40: $program"
}

libraries_of() {
    local_apt_cache depends --important "$@" |
        awk '$1 == "Depends:" && $2 ~ /^lib/ && $2 != "libc6" { print $2 }' | sort -u
}

fetch_asyncapi() {
    version=6.11.1
    schemas="$local_dir/asyncapi/schemas"
    if [ ! -f "$schemas/3.0.0.json" ]; then
        mkdir -p "$local_dir/asyncapi"
        (cd "$local_dir/asyncapi" && PATH="$PATH:$venv_programs" npm pack --silent "@asyncapi/specs@$version" &&
            tar -xzf "asyncapi-specs-$version.tgz" --strip-components=1 && rm ./*.tgz) \
            >"$local_dir/npm.log" 2>&1 || return 1
    fi
    say "asyncapi: $schemas"
}

venv_programs="$PWD/.venv/bin"
offer_postgres || say "postgres: not to be had here, its tests will skip (install Debian's postgresql; see .local/apt.log)"
offer_chromium || say "chromium: not to be had here, its tests will skip (install Debian's chromium; see .local/apt.log)"
offer_wrk || say "wrk: not to be had here, the benchmark of requests will not run (install Debian's wrk; see .local/apt.log)"
offer_monerod || say "monerod: not to be had here, its tests will skip (install Debian's monero; see .local/apt.log and
    .local/monerod.log)"
offer_synthesis || say "yosys, nextpnr-ice40: not to be had here, the tests that build bitstreams will skip (see .local/apt.log)"
fetch_asyncapi || say "asyncapi: schemas not to be had here, their test will skip (see .local/npm.log)"
