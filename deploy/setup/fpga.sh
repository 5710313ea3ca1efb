# What the virtual FPGA boards evaluate bitstreams with, as .local/bin/: iceunpack, icepack and icebox_vlog (Debian's
# fpga-icestorm) and iverilog with vvp; 2.5 MB. Programs of their own (ISC, GPL), never imported. None of them is a must.
. deploy/setup/common.sh

fpga_programs="iceunpack icepack icebox_vlog iverilog vvp"

has_all() { for name in $fpga_programs; do has "$name" || return 1; done; }

offer_fpga() {
    if has_all; then source="the machine's own"
    elif debian_unpack fpga-icestorm iverilog; then source="Debian's packages, unpacked below .local"
    else return 1; fi
    modules="$(first_folder "$debian_root"/usr/lib/*-linux-gnu*/ivl)" || modules=
    for name in $fpga_programs; do
        program=$(command -v "$name" || first_program "$debian_root/usr/bin/$name") || return 1
        offer "$name" "$program" "$(options_of "$name")"
    done
    say "fpga-icestorm, iverilog: $source"
}

first_folder() { for folder; do if [ -d "$folder" ]; then printf '%s\n' "$folder"; return 0; fi; done; return 1; }

# An unpacked iverilog looks for its parts in the system's folders.
options_of() {
    case "$1" in
    iverilog) printf '%s' "-B \"\$root${modules#"$debian_root"}\"" ;;
    vvp) printf '%s' "-M \"\$root${modules#"$debian_root"}\"" ;;
    esac
}

offer_fpga || say "fpga-icestorm, iverilog: not to be had here, virtual FPGA boards cannot evaluate (install them; see
    .local/apt.log)"
