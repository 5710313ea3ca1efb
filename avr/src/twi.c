#include "twi.h"
#include "i2c.h"
#include <avr/io.h>

#define LINES ((1 << PC4) | (1 << PC5)) // SDA, SCL
#define TICKS_OF_PATIENCE 3

void twi_start(uint8_t address) {
    DDRC &= ~LINES;
    PORTC |= LINES; // weak pull-ups: a slave alone on the table sees an idle bus
    TWCR = 0;
    TWAR = address << 1;
    TWCR = 1 << TWEA | 1 << TWEN | 1 << TWIE;
}

volatile uint8_t twi_received[I2C_LONGEST];
volatile uint8_t twi_count; // of twi_received; one more than fit when there were too many
volatile uint8_t twi_crc;   // over them: 0 when the last was the CRC of the others
volatile uint8_t twi_answer[I2C_LONGEST], twi_answer_size, twi_sent;
volatile uint8_t twi_pending; // message_received() has not finished
volatile uint8_t twi_active;  // something came since the rescue looked

// A master that dies within a read leaves a slave that pulls SDA low for a bit of 0, and waits for a clock for ever.
void twi_rescue(void) {
    static uint8_t ticks_low;
    bool low = (PINC & LINES) != LINES;
    ticks_low = low && !twi_active ? ticks_low + 1 : 0;
    twi_active = 0;
    if (ticks_low < TICKS_OF_PATIENCE) return;
    ticks_low = 0;
    twi_start(TWAR >> 1);
}
