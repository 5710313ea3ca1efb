// Drives the generated kernel (avr/generate/kernel.py): what it needs per job, per length of the nonce, per digit.
#include "kernel.h"
#include "search.h"
#include "sha1.h"
#include <stdbool.h>
#include <string.h>

uint16_t search_nonce;

// The kernel's, see there. Numbers are those of rounds; e12..e14 have K and W added.
uint8_t kernel_base[4 * KERNEL_BASE_COUNT], kernel_left;
uint32_t kernel_steady[KERNEL_STEADY_COUNT], kernel_hit[2], kernel_target;
uint32_t kernel_a10, kernel_a10_rotated, kernel_a11, kernel_c12, kernel_d12, kernel_e12, kernel_e13, kernel_e14;
uint8_t kernel_search_four(uint8_t digits);
uint8_t kernel_search_five(uint8_t digits);
void kernel_change(uint8_t place, uint8_t slot);

static uint32_t prefix[10]; // W0..W9
static union {
    uint32_t words[2];
    uint8_t bytes[8];
} tail; // W10, W11: the digits, then 0x80
static uint8_t length; // of the nonce
static uint32_t c10, c11; // what rounds 10 and 11 add up to without W and rotl5(a10)
static uint32_t a75_rotated, a76, a77, a78;
static uint16_t limit;

static uint8_t *digit_at(uint8_t place) { return &tail.bytes[place ^ 3]; } // words lie lowest byte first

static void expand(uint32_t words[80]) {
    memset(words, 0, 16 * sizeof *words);
    memcpy(words, prefix, sizeof prefix);
    memcpy(words + 10, tail.words, sizeof tail);
    words[15] = 8 * (40 + length);
    for (uint8_t i = 16; i < 80; i++) words[i] = rotl1(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]);
}

// The length is new: the last digit counts as '0' in the base where the kernel puts it in.
static void set_base(void) {
    static const uint8_t base_rows[] = KERNEL_BASE_ROWS, steady_rows[] = KERNEL_STEADY_ROWS;
    uint32_t words[80];
    expand(words);
    for (uint8_t i = 0; i < KERNEL_BASE_COUNT; i++) {
        uint32_t word = words[base_rows[i]];
        for (uint8_t byte = 0; byte < 4; byte++, word >>= 8) kernel_base[byte * KERNEL_BASE_COUNT + i] = word;
    }
    uint8_t with_k = length < 5 ? KERNEL_STEADY_COUNT : KERNEL_STEADY_COUNT_FIVE;
    for (uint8_t i = 0; i < KERNEL_STEADY_COUNT; i++) {
        kernel_steady[i] = words[steady_rows[i]];
        if (i < with_k) kernel_steady[i] += steady_rows[i] < 20 ? SHA1_K0 : SHA1_K1;
    }
}

static void set_nonce(uint16_t nonce) {
    uint8_t digits[5], count = 0;
    do digits[count++] = '0' + nonce % 10;
    while (nonce /= 10);
    tail.words[0] = tail.words[1] = 0;
    for (uint8_t i = 0; i < count; i++) *digit_at(i) = digits[count - 1 - i];
    *digit_at(count) = 0x80;
    length = count;
}

static void set_midstate(void) {
    static const uint32_t start[5] = SHA1_START;
    uint32_t a = start[0], b = start[1], c = start[2], d = start[3], e = start[4];
    for (uint8_t i = 0; i < 10; i++) {
        uint32_t sum = rotl(a, 5) + choose(b, c, d) + e + SHA1_K0 + prefix[i];
        e = d;
        d = c;
        c = rotl(b, 30);
        b = a;
        a = sum;
    }
    kernel_c12 = rotl(a, 30);
    kernel_d12 = rotl(b, 30);
    c10 = rotl(a, 5) + choose(b, c, d) + e + SHA1_K0;
    c11 = choose(a, kernel_d12, c) + d + SHA1_K0;
    kernel_e12 = c + SHA1_K0; // W12..W14 are zero
    kernel_e13 = kernel_d12 + SHA1_K0;
    kernel_e14 = kernel_c12 + SHA1_K0;
}

// Round 79 was: a79 = rotl5(a78) + parity(a77, rotl30(a76), rotl30(a75)) + rotl30(a74) + K + W79.
static void set_target(const uint8_t *target) {
    static const uint32_t start[5] = SHA1_START;
    uint32_t word[5];
    for (uint8_t i = 0; i < 5; i++) word[i] = big_endian(target + 4 * i) - start[i];
    a78 = word[1];
    a77 = rotl(word[2], 2);
    a76 = rotl(word[3], 2);
    a75_rotated = word[4];
    kernel_target = word[0] - rotl(a78, 5) - parity(a77, word[3], a75_rotated) - SHA1_K3;
}

void search_start(const char *last, const uint8_t *target, uint16_t first, uint16_t last_nonce) {
    for (uint8_t i = 0; i < 10; i++) prefix[i] = big_endian(last + 4 * i);
    set_midstate();
    set_target(target);
    set_nonce(first);
    set_base();
    search_nonce = first;
    limit = last_nonce;
}

// One word agrees, which chance brings about once in 4 billion hashes: a second one, by round 78, makes it sure.
static bool is_sure(void) {
    uint32_t words[80];
    expand(words);
    uint32_t a73_rotated = a78 - rotl(a77, 5) - parity(a76, a75_rotated, rotl(kernel_hit[1], 30)) - SHA1_K3 - words[78];
    return rotl(kernel_hit[0], 30) == a73_rotated;
}

// Counts up the digit at `place`, and what it carries into.
static void count_up(int8_t place) {
    for (; place >= 0; place--) {
        uint8_t *digit = digit_at(place), slot = 4;
        if (*digit != '9') {
            slot = 0;
            for (uint8_t ones = *digit; ones & 1; ones >>= 1) slot++;
            ++*digit;
            kernel_change(place, slot);
            return;
        }
        *digit = '0';
        kernel_change(place, slot);
    }
    set_nonce(search_nonce);
    set_base();
}

static uint8_t search_ten(uint8_t digits) {
    kernel_a10 = c10 + tail.words[0];
    kernel_a11 = c11 + tail.words[1];
    if (length < 5) return kernel_search_four(digits);
    kernel_a10_rotated = rotl(kernel_a10, 30);
    kernel_a11 += rotl(kernel_a10, 5);
    return kernel_search_five(digits);
}

// Nonces of less than four digits have no digit where the kernel puts one: each is a turn with the digit '0' of its own.
uint8_t search_some(void) {
    for (uint8_t tried = 0; tried < 30;) {
        uint8_t turn = length < 4 ? 1 : 10;
        if (limit - search_nonce < turn) turn = limit - search_nonce + 1;
        uint8_t left = search_ten(turn);
        search_nonce += turn - left;
        if (left) {
            if (length >= 4) *digit_at(length - 1) = '0' + turn - left;
            if (is_sure()) return FOUND;
            if (length >= 4) *digit_at(length - 1) = '0';
            search_nonce += left; // the few nonces behind a false hit are not looked at
        }
        if (search_nonce > limit) return NOT_FOUND;
        count_up(length < 4 ? length - 1 : length - 2);
        tried += turn;
    }
    return SEARCHING;
}
