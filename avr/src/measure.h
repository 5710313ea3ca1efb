// Temperature and supply voltage, by the converter that is on the chip.
#pragma once
#include "i2c.h"
#include <stdint.h>

extern i2c_measures measured; // replaced as a whole, with interrupts off

// Every tick: one step of a measurement; a pair of values takes some ticks, so that the reference settles.
void measure_tick(void);
