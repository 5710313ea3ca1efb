// Jobs: one comes in or is staged, one runs, one has its result waiting. Numbers 1..255; 0 is none.
#pragma once
#include "i2c.h"
#include <stdbool.h>
#include <stdint.h>

// Filled by message_received() while `job` is 0; taken by the main loop when it is set.
typedef struct {
    uint8_t last_job, last_half_job, new_job, new_half_job; // whose the parts are
    char last[40], target[40]; // raw in the first 20 when no half came
    uint16_t difficulty;
    volatile uint8_t job;
} staged_job;

extern staged_job jobs_staged;
extern volatile uint8_t jobs_running;
extern i2c_result jobs_result; // the interrupt reads it when its job is set, and clears that
extern volatile uint8_t jobs_error;
extern volatile uint16_t jobs_pace; // H/s; 0 is none

// From the interrupt: stages what came in. Returns 0 or an error.
uint8_t jobs_stage(uint8_t job, uint16_t difficulty);
void jobs_clear(void);

// From the main loop: goes on hashing. Returns whether there is nothing to do, until an interrupt or clock_wake_at().
bool jobs_turn(void);
