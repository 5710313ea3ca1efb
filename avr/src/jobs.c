#include "jobs.h"
#include "clock.h"
#include "messages.h"
#include "search.h"
#include <stddef.h>
#include <util/atomic.h>

staged_job jobs_staged;
volatile uint8_t jobs_running, jobs_error;
i2c_result jobs_result;
volatile uint16_t jobs_pace;

static uint8_t end; // SEARCHING, FOUND or NOT_FOUND
static uint32_t elapsed, counted_until, due;
static uint16_t tried;
static bool over;

static bool is_hex(char digit) { return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'); }
static uint8_t value_of(char digit) { return digit <= '9' ? digit - '0' : digit - 'a' + 10; }
static char digit_of(uint8_t value) { return value < 10 ? '0' + value : 'a' + value - 10; }

static bool are_hex(const char *digits) {
    uint8_t count = 0;
    while (count < 40 && is_hex(digits[count])) count++;
    return count == 40;
}

uint8_t jobs_stage(uint8_t job, uint16_t difficulty) {
    staged_job *s = &jobs_staged;
    if (s->job) return I2C_ERROR_BUSY;
    if (!job || !difficulty || difficulty > LARGEST_DIFFICULTY) return I2C_ERROR_VALUE;
    if (s->last_job != job || s->new_job != job) return I2C_ERROR_NO_DATA;
    if ((s->last_half_job && s->last_half_job != job) || (s->new_half_job && s->new_half_job != job))
        return I2C_ERROR_NO_DATA;
    s->difficulty = difficulty;
    s->job = job;
    jobs_error = 0;
    return 0;
}

static void unstage(void) {
    staged_job *s = &jobs_staged;
    s->job = s->last_job = s->new_job = s->last_half_job = s->new_half_job = 0;
}

void jobs_clear(void) {
    unstage();
    jobs_running = jobs_result.job = jobs_error = 0;
}

// Text that is no hex number ends its job at once, with nothing tried.
static void take_staged(void) {
    staged_job *s = &jobs_staged;
    char last[40];
    uint8_t target[20];
    bool usable = (!s->last_half_job || are_hex(s->last)) && (!s->new_half_job || are_hex(s->target));
    for (uint8_t i = 0; i < 20; i++) {
        const char *hex = s->target + 2 * i;
        last[2 * i] = s->last_half_job ? s->last[2 * i] : digit_of((uint8_t)s->last[i] >> 4);
        last[2 * i + 1] = s->last_half_job ? s->last[2 * i + 1] : digit_of(s->last[i] & 15);
        target[i] = s->new_half_job ? value_of(hex[0]) << 4 | value_of(hex[1]) : (uint8_t)s->target[i];
    }
    uint16_t difficulty = s->difficulty;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        jobs_running = s->job; // 0 when all was cleared meanwhile
        unstage();
    }
    status_changed();
    counted_until = due = clock_now();
    elapsed = tried = end = over = 0;
    if (usable) search_start(last, target, 0, 100 * difficulty);
    else end = NOT_FOUND;
}

static void count_time(void) {
    uint32_t us = (clock_now() - counted_until) / TICKS_PER_US;
    counted_until += us * TICKS_PER_US;
    elapsed = us > ~elapsed ? ~0UL : elapsed + us;
}

// The time that the hashes just tried have to take.
static void keep_pace(uint16_t hashes) {
    uint16_t pace;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { pace = jobs_pace; }
    uint32_t now = clock_now();
    if (pace) due += (hashes * TICKS_PER_S + pace - 1) / pace; // rounded up: never above the limit
    if (!pace || (int32_t)(now - due) > 0) due = now; // what was slow is not made up for
}

static bool is_due(void) { return (int32_t)(clock_now() - due) >= 0; }

static void finish(void) {
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
        if (jobs_running && !jobs_result.job) {
            bool found = end == FOUND;
            jobs_result = (i2c_result){jobs_running, found, found ? search_nonce : 0, elapsed, tried};
            if (!found) jobs_error = tried ? I2C_ERROR_NOT_FOUND : I2C_ERROR_VALUE;
            jobs_running = 0;
        }
    }
    status_changed();
}

bool jobs_turn(void) {
    if (!jobs_running) {
        if (!jobs_staged.job) return true;
        take_staged();
    }
    if (!over) {
        if (end == SEARCHING && is_due()) {
            uint16_t before = tried;
            end = search_some();
            tried = search_nonce + (end == FOUND);
            keep_pace(tried - before);
        }
        count_time();
        if (!is_due()) {
            clock_wake_at(due);
            return true;
        }
        over = end != SEARCHING;
    }
    if (over) finish();
    return over && jobs_running; // the result of another job has to go first
}
