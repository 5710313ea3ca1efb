// The rig's slave: hashes what comes by I2C (or by the serial port), and is there for the bus at any moment.
#include "clock.h"
#include "jobs.h"
#include "measure.h"
#include "messages.h"
#include "settings.h"
#include "twi.h"
#include "uart.h"
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <avr/wdt.h>

static void tick(void) {
    static uint16_t last;
    uint16_t now;
    cli();
    now = clock_overflows;
    sei();
    if (now == last) return;
    last = now;
    twi_rescue();
    measure_tick();
}

int main(void) {
    settings_load();
    clock_start();
    bool by_uart = settings_wants_uart();
    if (by_uart) uart_start();
    else twi_start(settings_identity.address);
    set_sleep_mode(SLEEP_MODE_IDLE);
    sei();
    for (;;) {
        wdt_reset();
        tick();
        settings_turn();
        status_turn();
        if (by_uart) uart_turn();
        if (jobs_turn()) sleep_mode(); // an interrupt just before it costs one tick at most
    }
}
