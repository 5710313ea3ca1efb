#include "measure.h"
#include <avr/io.h>
#include <util/atomic.h>

// Against the 1.1 V reference the sensor gives 314 mV at 25 degC, 1 mV a degree, typically (datasheet, 24.8). It is
// exact to some 10 degrees; what it shows well is change.
#define TEMPERATURE_INPUT (1 << REFS1 | 1 << REFS0 | 8)
#define BANDGAP_INPUT (1 << REFS0 | 14) // the 1.1 V, measured against the supply
#define REFERENCE_MV 1100UL

i2c_measures measured = {I2C_UNKNOWN_TEMPERATURE, 0};

static void start(void) { ADCSRA = 1 << ADEN | 1 << ADSC | 1 << ADPS2 | 1 << ADPS1 | 1 << ADPS0; }

void measure_tick(void) {
    static uint8_t step;
    i2c_measures now = measured;
    switch (step++ & 31) {
    case 0: ADMUX = TEMPERATURE_INPUT; return;
    case 4: ADMUX = BANDGAP_INPUT; return;
    case 1: // the first after a change of reference is not to be trusted
    case 2:
    case 5:
    case 6: start(); return;
    case 3: {
        int16_t mv = (ADC * REFERENCE_MV + 512) / 1024;
        now.temperature = (mv - 314) * 10 + 250;
        break;
    }
    case 7: now.supply = ADC ? REFERENCE_MV * 1024 / ADC : 0; break;
    default: return;
    }
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { measured = now; }
}
