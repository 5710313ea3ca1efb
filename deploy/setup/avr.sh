# What the rig's firmware wants: Debian's avr-gcc, the machine's own, installed or unpacked, as .local/bin/avr-*; and
# yasimavr, which runs the firmware in tests and in the virtual rig, in an environment of its own (.local/yasimavr): it
# is GPL, so nothing of ours imports it but the process that simulates. None of them is a must: see avr/README.md.
. deploy/setup/common.sh

avr_programs="avr-gcc avr-objcopy avr-objdump avr-size avr-nm"

# The compiler finds its parts and avr-libc beside itself, also where it was unpacked.
can_compile() {
    printf '#include <avr/io.h>\nint main(void) { PORTB = 1; return 0; }\n' |
        "$1" -mmcu=atmega328p -Os -x c - -o /dev/null >"$local_dir/avr-gcc.log" 2>&1
}

offer_avr() {
    for name in $avr_programs; do offer "$name" "$1/$name"; done
    can_compile "$local_dir/bin/avr-gcc"
}

own_avr() { own=$(command -v avr-gcc) && own=$(dirname "$own") && [ -x "$own/avr-objcopy" ] && offer_avr "$own"; }

offer_toolchain() {
    if own_avr; then say "avr-gcc: $own/avr-gcc"
    elif debian_install gcc-avr avr-libc binutils-avr && own_avr; then say "avr-gcc: installed by apt"
    elif debian_unpack gcc-avr avr-libc binutils-avr && offer_avr "$debian_root/usr/bin"; then
        say "avr-gcc: Debian's package, unpacked below .local"
    else
        (cd "$local_dir/bin" && rm -f $avr_programs)
        return 1
    fi
}

offer_toolchain || say "avr-gcc: not to be had here, the firmware cannot be built (install Debian's gcc-avr, avr-libc
    and binutils-avr; see .local/apt.log and .local/avr-gcc.log)"

# 0.1.6 installs, but its TWI interrupt on the ATmega328 never fires. The package brings source only.
yasimavr_version=0.1.5
yasimavr="$local_dir/yasimavr"

has_yasimavr() { "$yasimavr/bin/python" -c 'import yasimavr.lib.core' 2>/dev/null; }

compiles() { printf '#include <%s>\n' "$1" | c++ $2 -x c++ -E - >/dev/null 2>&1; }

# What the build wants: a compiler by root only, headers also unpacked.
prepare_build() {
    has c++ || debian_install g++ libc6-dev || return 1
    python_headers=$(python3 -c 'import sysconfig; print("-I" + sysconfig.get_path("include"))')
    if ! compiles libelf.h "" || ! compiles Python.h "$python_headers"; then
        debian_install libelf-dev python3-dev || debian_unpack libelf-dev python3-dev || return 1
    fi
    headers="$debian_root/usr/include"
    [ -d "$headers" ] || return 0
    for folder in "$headers" "$headers"/python3.* "$headers"/*-linux-gnu; do
        CPATH="${CPATH:+$CPATH:}$folder"
    done
    for folder in "$debian_root"/usr/lib/*-linux-gnu; do
        LIBRARY_PATH="${LIBRARY_PATH:+$LIBRARY_PATH:}$folder"
        LDFLAGS="${LDFLAGS:-} -Wl,-rpath,$folder"
    done
    export CPATH LIBRARY_PATH LDFLAGS
}

build_yasimavr() {
    uv="$local_dir/uv/bin/uv"
    "$uv" venv --quiet --no-project --clear --python "$(command -v python3)" "$yasimavr" &&
        "$uv" pip install --quiet --python "$yasimavr/bin/python" "yasimavr==$yasimavr_version"
}

offer_yasimavr() {
    if ! has_yasimavr; then
        say "yasimavr: building $yasimavr_version, once (some minutes)"
        prepare_build && build_yasimavr >"$local_dir/yasimavr.log" 2>&1 && has_yasimavr || return 1
    fi
    say "yasimavr: $yasimavr_version in .local/yasimavr"
}

offer_yasimavr || say "yasimavr: not to be had here, the virtual rig and its tests will not run (see .local/yasimavr.log)"
