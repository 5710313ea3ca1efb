// Time since the reset, in ticks of timer 1: F_CPU / 8.
#pragma once
#include <stdint.h>

#define TICKS_PER_US (F_CPU / 8000000UL)
#define TICKS_PER_S (F_CPU / 8)

void clock_start(void);
uint32_t clock_now(void); // wraps after half an hour or more

// Counts the overflows: 32.8 ms at 16 MHz, 65.5 ms at 8 MHz.
extern volatile uint16_t clock_overflows;

// Has the processor woken at that time from its sleep.
void clock_wake_at(uint32_t time);
