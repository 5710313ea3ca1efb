// The seed's messages: a letter and text, no check, one job at a time.
#include "jobs.h"
#include "messages.h"
#include "settings.h"
#include <stdlib.h>
#include <string.h>

#define THE_JOB 1

static uint16_t number(const char *text, uint8_t size) {
    char digits[6] = "";
    memcpy(digits, text, size < 5 ? size : 5);
    uint32_t value = strtoul(digits, NULL, 10);
    return value > 0xffff ? 0 : value;
}

static uint8_t name(char *to) {
    strcpy(to, "I2C ");
    utoa(settings_identity.address, to + 4, 10);
    strcat(to, " AVR farmhand (DUCO-S1)");
    return strlen(to);
}

uint8_t seed_message(uint8_t letter, const char *text, uint8_t size, char *to) {
    uint8_t error = 0;
    switch (letter) {
    case I2C_STATUS:
        to[0] = run_state();
        to[1] = message_letter;
        return 2;
    case I2C_CLEAR: jobs_clear(); break;
    case I2C_DIFFICULTY: message_difficulty = number(text, size); break;
    case I2C_LAST:
    case I2C_LAST_HALF:
    case I2C_NEW:
    case I2C_NEW_HALF: error = size == 20 ? store_part(letter, THE_JOB, text) : I2C_ERROR_CRC; break;
    case I2C_HASH: error = jobs_stage(THE_JOB, message_difficulty); break;
    case I2C_ADDRESS: error = settings_take_address(number(text, size)) ? 0 : I2C_ERROR_VALUE; break;
    case I2C_IDENTITY:
    case I2C_RESULT:
    case I2C_ELAPSED: break;
    default: error = I2C_ERROR_LETTER;
    }
    if (error) jobs_error = error;
    message_letter = letter;
    switch (letter) {
    case I2C_IDENTITY: return name(to);
    case I2C_RESULT: ultoa(jobs_result.job ? jobs_result.nonce : 0, to, 10); return strlen(to);
    case I2C_ELAPSED: ultoa(jobs_result.job ? jobs_result.elapsed / 1000 : 0, to, 10); return strlen(to);
    }
    return 0;
}
