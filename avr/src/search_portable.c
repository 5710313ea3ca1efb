// The search in plain C: what the fast one is compared with, and what runs where that one cannot.
#include "search.h"
#include "sha1.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

uint16_t search_nonce;

static char text[64]; // the one block: last, nonce, 0x80, zeros; the length is in words[15]
static uint32_t wanted[5];
static uint16_t limit;

void search_start(const char *last, const uint8_t *target, uint16_t first, uint16_t last_nonce) {
    static const uint32_t start[5] = SHA1_START;
    memcpy(text, last, 40);
    for (uint8_t i = 0; i < 5; i++) wanted[i] = big_endian(target + 4 * i) - start[i];
    search_nonce = first;
    limit = last_nonce;
}

static uint32_t next_word(uint32_t words[16], uint8_t i) {
    if (i >= 16) {
        words[i & 15] = rotl1(words[(i - 3) & 15] ^ words[(i - 8) & 15] ^ words[(i - 14) & 15] ^ words[i & 15]);
    }
    return words[i & 15];
}

static uint32_t mix(uint8_t i, uint32_t b, uint32_t c, uint32_t d) {
    if (i < 20) return choose(b, c, d) + SHA1_K0;
    if (i < 40) return parity(b, c, d) + SHA1_K1;
    if (i < 60) return majority(b, c, d) + SHA1_K2;
    return parity(b, c, d) + SHA1_K3;
}

static bool hits(void) {
    static const uint32_t start[5] = SHA1_START;
    uint32_t words[16], a = start[0], b = start[1], c = start[2], d = start[3], e = start[4];
    memset(text + 40, 0, 24);
    utoa(search_nonce, text + 40, 10);
    uint8_t length = 40 + strlen(text + 40);
    text[length] = 0x80;
    for (uint8_t i = 0; i < 15; i++) words[i] = big_endian(text + 4 * i);
    words[15] = 8 * length;
    for (uint8_t i = 0; i < 80; i++) {
        uint32_t sum = rotl(a, 5) + mix(i, b, c, d) + e + next_word(words, i);
        e = d;
        d = c;
        c = rotl(b, 30);
        b = a;
        a = sum;
    }
    return a == wanted[0] && b == wanted[1] && c == wanted[2] && d == wanted[3] && e == wanted[4];
}

uint8_t search_some(void) {
    for (uint8_t i = 0; i < 10 && search_nonce <= limit; i++) {
        if (hits()) return FOUND;
        search_nonce++;
    }
    return search_nonce > limit ? NOT_FOUND : SEARCHING;
}
