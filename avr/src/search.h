// The search of DUCO-S1: the nonce n from `first` to `limit` for which SHA-1 of the text `last` + n in decimal is
// `target`. One of search_unrolled.c (fast) and search_portable.c implements it.
#pragma once
#include <stdint.h>

#define LARGEST_DIFFICULTY 655 // 100 nonces each: the largest nonce still fits 16 bits

enum { SEARCHING, FOUND, NOT_FOUND };

// last: 40 hex digits, lower case. target: 20 bytes. Nonces up to 65500.
void search_start(const char *last, const uint8_t *target, uint16_t first, uint16_t limit);

// Tries some nonces, for 10 to 40 ms.
uint8_t search_some(void);

// The next nonce to try; when FOUND, the one; when NOT_FOUND, limit + 1.
extern uint16_t search_nonce;
