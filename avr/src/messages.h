// What a message makes the slave do: schema/i2c.py tells the protocol.
#pragma once
#include <stdint.h>

extern uint8_t message_letter;     // of the last command but S
extern uint16_t message_difficulty; // of the last D

uint8_t run_state(void);

// From the main loop: a job began or ended, which who reads the status again is to see.
void status_changed(void);
void status_turn(void); // again, when somebody was just reading

// Keeps a part of a job, L, M, N or O (which also stages): 20 bytes. Returns 0 or an error.
uint8_t store_part(uint8_t letter, uint8_t job, const char *part);

// One of the seed's messages: text of `size` characters. The answer goes to `to`; returns its length. In seed.c.
uint8_t seed_message(uint8_t letter, const char *text, uint8_t size, char *to);
