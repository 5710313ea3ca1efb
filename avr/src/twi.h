// The I2C slave.
#pragma once
#include <stdbool.h>
#include <stdint.h>

// Shared with twi.S. While twi_pending is set, the received message and the answer belong to message_received().
extern volatile uint8_t twi_received[], twi_count, twi_crc, twi_answer[], twi_answer_size, twi_pending, twi_active, twi_sent;

void twi_start(uint8_t address);

// Every tick: lets go of a bus on which a line stays low.
void twi_rescue(void);
