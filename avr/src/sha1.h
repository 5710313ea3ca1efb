// What both searches know of SHA-1 (FIPS 180-4).
#pragma once
#include <stdint.h>

#define SHA1_K0 0x5a827999UL
#define SHA1_K1 0x6ed9eba1UL
#define SHA1_K2 0x8f1bbcdcUL
#define SHA1_K3 0xca62c1d6UL
#define SHA1_START { 0x67452301UL, 0xefcdab89UL, 0x98badcfeUL, 0x10325476UL, 0xc3d2e1f0UL }

static inline uint32_t rotl(uint32_t x, uint8_t bits) { return x << bits | x >> (32 - bits); }
static inline uint32_t rotl1(uint32_t x) { return x << 1 | (x & 0x80000000UL ? 1 : 0); } // no loop over 31 bits
static inline uint32_t choose(uint32_t b, uint32_t c, uint32_t d) { return d ^ (b & (c ^ d)); }
static inline uint32_t majority(uint32_t b, uint32_t c, uint32_t d) { return (b & c) | (d & (b | c)); }
static inline uint32_t parity(uint32_t b, uint32_t c, uint32_t d) { return b ^ c ^ d; }

static inline uint32_t big_endian(const void *bytes) {
    const uint8_t *b = bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint16_t)(b[2] << 8) | b[3];
}
