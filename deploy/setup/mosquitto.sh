# Makes .local/bin/mosquitto: the machine's own, else Debian's package, installed or unpacked.
. deploy/setup/common.sh

found() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v mosquitto; }

# The package starts a broker on port 1883 for the whole machine; nobody asked for that one.
stop_service() {
    if [ -d /run/systemd/system ]; then as_root systemctl disable --now mosquitto
    else
        as_root service mosquitto stop || true
        as_root update-rc.d mosquitto disable
    fi >/dev/null 2>&1 || true
}

if program="${FARMHAND_MOSQUITTO:-$(found)}"; then
    say "mosquitto: $program"
elif debian_install mosquitto && program=$(found); then
    stop_service
    say "mosquitto: installed by apt, its own service switched off"
elif debian_unpack mosquitto && program=$(first_program "$debian_root/usr/sbin/mosquitto"); then
    say "mosquitto: Debian's package, unpacked below .local"
else
    fail "mosquitto is missing: install it, or set FARMHAND_MOSQUITTO to it (see .local/apt.log)"
fi
offer mosquitto "$program"
