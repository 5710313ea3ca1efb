#include "clock.h"
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

volatile uint16_t clock_overflows;

ISR(TIMER1_OVF_vect) { clock_overflows++; }
EMPTY_INTERRUPT(TIMER1_COMPB_vect)

void clock_start(void) {
    TCCR1A = 0;
    TCCR1B = 1 << CS11;
    TIMSK1 = 1 << TOIE1;
}

uint32_t clock_now(void) {
    uint16_t low, high;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        low = TCNT1;
        high = clock_overflows;
        if (TIFR1 & 1 << TOV1 && low < 0x8000) high++; // it has just run over
    }
    return (uint32_t)high << 16 | low;
}

void clock_wake_at(uint32_t time) {
    OCR1B = time;
    TIFR1 = 1 << OCF1B;
    TIMSK1 |= 1 << OCIE1B;
}
