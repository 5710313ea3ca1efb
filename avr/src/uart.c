#include "uart.h"
#include "jobs.h"
#include "messages.h"
#include "settings.h"
#include <avr/interrupt.h>
#include <avr/io.h>
#include <stdlib.h>
#include <string.h>

#define BAUD 115200
#define BAUD_TOL 4 // 3.5 % at 8 MHz
#include <util/setbaud.h>

static volatile char line[88]; // 40 + 1 + 40 + 1 + 3, the newline, the end
static volatile uint8_t count, is_complete;

ISR(USART_RX_vect) {
    char c = UDR0;
    if (is_complete) return; // the last job is not taken yet
    if (count < sizeof line - 1) line[count++] = c;
    if (c == '\n') is_complete = 1;
}

void uart_start(void) {
    UBRR0 = UBRR_VALUE;
    UCSR0A = USE_2X << U2X0;
    UCSR0B = 1 << RXEN0 | 1 << TXEN0 | 1 << RXCIE0;
}

static void put(const char *text) {
    for (; *text; text++) {
        loop_until_bit_is_set(UCSR0A, UDRE0);
        UDR0 = *text;
    }
}

static void put_result(void) {
    char digits[33];
    put(ultoa(jobs_result.nonce, digits, 2));
    put(",");
    put(ultoa(jobs_result.elapsed, digits, 2));
    put(",DUCOID");
    for (uint8_t i = 0; i < 8; i++) {
        uint8_t byte = settings_identity.chip[i];
        digits[0] = "0123456789ABCDEF"[byte >> 4];
        digits[1] = "0123456789ABCDEF"[byte & 15];
        digits[2] = 0;
        put(digits);
    }
    put("\n");
}

static uint8_t take_line(void) {
    const char *text = (const char *)line;
    if (count < 84 || text[40] != ',' || text[81] != ',') return I2C_ERROR_CRC;
    message_difficulty = atoi(text + 82);
    jobs_clear();
    uint8_t error = store_part(I2C_LAST, 1, text);
    if (!error) error = store_part(I2C_LAST_HALF, 1, text + 20);
    if (!error) error = store_part(I2C_NEW, 1, text + 41);
    return error ? error : store_part(I2C_NEW_HALF, 1, text + 61);
}

void uart_turn(void) {
    if (jobs_result.job) {
        put_result();
        jobs_clear();
    }
    if (!is_complete) return;
    line[count] = 0;
    if (take_line()) put("0,1,DUCOID\n"); // a master that waits for a line gets one, which no pool takes for a share
    count = is_complete = 0;
}
