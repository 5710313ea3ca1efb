// What the slave knows of itself, and what it keeps in its EEPROM.
#pragma once
#include "i2c.h"
#include <stdbool.h>
#include <stdint.h>

#define FIRMWARE_VERSION 1

extern i2c_identity settings_identity;

void settings_load(void);
bool settings_wants_uart(void);

// From the interrupt: checks an address. The main loop keeps it and resets a moment later.
bool settings_take_address(uint8_t address);
void settings_turn(void);
