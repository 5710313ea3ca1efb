#include "messages.h"
#include "jobs.h"
#include "measure.h"
#include "settings.h"
#include "twi.h"
#include <avr/interrupt.h>
#include <avr/pgmspace.h>
#include <string.h>
#include <util/atomic.h>

uint8_t message_letter;
uint16_t message_difficulty;
static bool only_checked; // since the first checked message
static const uint8_t crc_table[] PROGMEM = {I2C_CRC_TABLE};

static volatile uint8_t answers; // counts them
static bool status_is_old;

static uint8_t write_message(uint8_t *to, uint8_t letter, const void *payload, uint8_t size) {
    uint8_t crc = 0, whole = size + 3;
    to[0] = letter;
    to[1] = size;
    memcpy(to + 2, payload, size);
    for (size += 2; size; size--) crc = pgm_read_byte(crc_table + (crc ^ *to++));
    *to = crc;
    return whole;
}

static void answer(uint8_t letter, const void *payload, uint8_t size) {
    answers++;
    twi_answer_size = write_message((uint8_t *)twi_answer, letter, payload, size);
}

static i2c_status status(void) {
    return (i2c_status){run_state(),        message_letter,  jobs_running,
                        jobs_staged.job, jobs_result.job, jobs_error};
}

static uint8_t status_letter(const i2c_status *now) { return now->result ? I2C_NEWS : I2C_STATUS; }

void status_turn(void) {
    if (status_is_old) status_changed();
}

void status_changed(void) {
    uint8_t message[3 + sizeof(i2c_status)], before = answers;
    i2c_status now = status();
    write_message(message, status_letter(&now), &now, sizeof now);
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        // What came in meanwhile has an answer of its own; and a read that has begun is to end as it began.
        bool chosen = answers == before && (twi_answer[0] == I2C_STATUS || twi_answer[0] == I2C_NEWS) &&
                      twi_answer[1] == sizeof now;
        status_is_old = chosen && twi_sent;
        if (chosen && !twi_sent) memcpy((uint8_t *)twi_answer, message, sizeof message);
    }
}

static void refuse(uint8_t letter, uint8_t error) {
    jobs_error = error;
    answer(I2C_REFUSED, (uint8_t[]){letter, error}, 2);
}

uint8_t run_state(void) {
    if (jobs_result.job) return jobs_result.flags ? I2C_COMPLETE : I2C_ERROR;
    if (jobs_running || jobs_staged.job) return I2C_BUSY;
    return jobs_error ? I2C_ERROR : I2C_IDLE;
}

uint8_t store_part(uint8_t letter, uint8_t job, const char *part) {
    staged_job *s = &jobs_staged;
    bool of_last = letter == I2C_LAST || letter == I2C_LAST_HALF;
    bool is_half = letter == I2C_LAST_HALF || letter == I2C_NEW_HALF;
    char *to = (of_last ? s->last : s->target) + (is_half ? 20 : 0);
    if (s->job) return I2C_ERROR_BUSY;
    if (!job) return I2C_ERROR_VALUE;
    memcpy(to, part, 20);
    if (of_last) {
        if (!is_half) s->last_job = job;
        s->last_half_job = is_half ? job : 0;
    } else {
        if (!is_half) s->new_job = job;
        s->new_half_job = is_half ? job : 0;
    }
    return letter == I2C_NEW_HALF ? jobs_stage(job, message_difficulty) : 0;
}

static uint16_t word(const uint8_t *bytes) { return (uint16_t)bytes[1] << 8 | bytes[0]; }

static uint8_t size_of(uint8_t letter) {
    switch (letter) {
    case I2C_CLEAR: return 1;
    case I2C_LAST:
    case I2C_LAST_HALF:
    case I2C_NEW:
    case I2C_NEW_HALF: return 21;
    case I2C_HASH: return 3;
    case I2C_DIFFICULTY:
    case I2C_PACE: return 2;
    case I2C_ADDRESS: return 1;
    }
    return 0;
}

// Commands that change something. What they answer begins their payload.
static uint8_t obey(uint8_t letter, const uint8_t *payload, uint8_t size) {
    switch (letter) {
    case I2C_CLEAR:
        if (!size) jobs_clear();
        else if (!payload[0]) return I2C_ERROR_VALUE;
        else if (jobs_result.job == payload[0]) jobs_result.job = jobs_error = 0;
        return 0;
    case I2C_DIFFICULTY:
        if (!word(payload) || word(payload) > I2C_LARGEST_DIFFICULTY) return I2C_ERROR_VALUE;
        message_difficulty = word(payload);
        return 0;
    case I2C_LAST:
    case I2C_LAST_HALF:
    case I2C_NEW:
    case I2C_NEW_HALF: return store_part(letter, payload[0], (const char *)payload + 1);
    case I2C_HASH: return jobs_stage(payload[0], word(payload + 1));
    case I2C_PACE: jobs_pace = word(payload); return 0;
    case I2C_ADDRESS: return settings_take_address(payload[0]) ? 0 : I2C_ERROR_VALUE;
    }
    return I2C_ERROR_LETTER;
}

static void checked_message(uint8_t letter, const uint8_t *payload, uint8_t size) {
    if (size != size_of(letter) && !(letter == I2C_CLEAR && size == 0)) {
        refuse(letter, I2C_ERROR_CRC);
        return;
    }
    switch (letter) {
    case I2C_STATUS: {
        i2c_status now = status();
        answer(status_letter(&now), &now, sizeof now);
        return;
    }
    case I2C_RESULT: {
        static const i2c_result none;
        answer(letter, jobs_result.job ? &jobs_result : &none, sizeof jobs_result);
        break;
    }
    case I2C_ELAPSED: {
        struct {
            uint8_t job;
            uint32_t elapsed;
        } of_result = {jobs_result.job, jobs_result.job ? jobs_result.elapsed : 0};
        answer(letter, &of_result, sizeof of_result);
        break;
    }
    case I2C_IDENTITY: answer(letter, &settings_identity, sizeof settings_identity); break;
    case I2C_MEASURES: answer(letter, &measured, sizeof measured); break;
    default: {
        uint8_t error = obey(letter, payload, size);
        if (error) {
            refuse(letter, error);
            return;
        }
        bool with_word = letter == I2C_DIFFICULTY || letter == I2C_PACE;
        answer(letter, payload, size < 2 ? size : with_word ? 2 : 1);
    }
    }
    message_letter = letter;
}

// TWI_vect jumps here at the end of a message, as if it were an interrupt of its own, so that bytes go on coming in.
__attribute__((interrupt, used, externally_visible)) void __vector_message(void) {
    const uint8_t *raw = (const uint8_t *)twi_received;
    uint8_t count = twi_count;
    if (count >= 3 && count <= I2C_LONGEST && raw[1] == count - 3 && twi_crc == 0) {
        only_checked = true;
        checked_message(raw[0], raw + 2, raw[1]);
    } else if (!only_checked && count <= I2C_LONGEST && (count == 1 || raw[1] >= I2C_LONGEST)) {
        answers++;
        twi_answer_size = seed_message(raw[0], (const char *)raw + 1, count - 1, (char *)twi_answer);
    } else refuse(0, I2C_ERROR_CRC);
    twi_pending = 0;
}
