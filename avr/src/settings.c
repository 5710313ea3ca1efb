#include "settings.h"
#include "clock.h"
#include <avr/boot.h>
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/wdt.h>
#include <util/delay.h>

#define ADDRESS_CELL ((uint8_t *)0)
#define DOOR_CELL ((uint8_t *)1) // 'U': the serial port instead of I2C
#define STRAP PD2                // the same, by a wire to ground
#define ORDERED_MARK 0x5a

i2c_identity settings_identity;
static volatile uint8_t new_address;
static uint8_t reset_cause __attribute__((section(".noinit")));
static uint8_t reset_mark __attribute__((section(".noinit")));

// After a watchdog's reset it runs on with its shortest time. It gets its own before anything else, so that a slave that
// hangs while it starts is reset, too.
__attribute__((naked, used, section(".init3"))) static void before_main(void) {
    reset_cause = MCUSR;
    MCUSR = 0;
    wdt_enable(WDTO_2S);
}

// The eight bytes that the official firmware calls DUCOID: the chip's serial number without its first byte.
static void read_chip_id(uint8_t id[8]) {
    static const uint8_t places[8] = {0x0f, 0x10, 0x11, 0x12, 0x13, 0x15, 0x16, 0x17};
    for (uint8_t i = 0; i < 8; i++) id[i] = boot_signature_byte_get(places[i]);
}

void settings_load(void) {
    uint8_t address = eeprom_read_byte(ADDRESS_CELL);
    if (address < I2C_FIRST_ADDRESS || address > I2C_LAST_ADDRESS) address = I2C_DEFAULT_ADDRESS;
    if (reset_mark == ORDERED_MARK && reset_cause == 1 << WDRF) reset_cause = I2C_ORDERED;
    reset_mark = 0;
    settings_identity = (i2c_identity){
        .version = I2C_VERSION,
        .capabilities = I2C_RAW | I2C_STAGING | I2C_PACING | I2C_TEMPERATURE | I2C_VOLTAGE | I2C_RESCUE,
        .clock = F_CPU / 1000000,
        .firmware = FIRMWARE_VERSION,
        .reset = reset_cause,
        .largest = I2C_LARGEST_DIFFICULTY,
        .address = address,
    };
    read_chip_id(settings_identity.chip);
}

bool settings_wants_uart(void) {
    PORTD |= 1 << STRAP;
    _delay_us(10); // the pull-up against the wire's capacity
    return !(PIND & 1 << STRAP) || eeprom_read_byte(DOOR_CELL) == 'U';
}

bool settings_take_address(uint8_t address) {
    if (address < I2C_FIRST_ADDRESS || address > I2C_LAST_ADDRESS) return false;
    new_address = address;
    return true;
}

void settings_turn(void) {
    if (!new_address) return;
    eeprom_update_byte(ADDRESS_CELL, new_address);
    _delay_ms(20); // in which the master reads the answer
    reset_mark = ORDERED_MARK;
    wdt_enable(WDTO_15MS);
    for (;;) {
    }
}
