// For tests only: runs one search after the other, as the simulator writes them into `job` and raises `go`.
#include "search.h"
#include <stdint.h>

volatile struct {
    char last[40];
    uint8_t target[20];
    uint16_t first, limit;
    uint8_t go, end;
} job;

int main(void) {
    for (;;) {
        while (!job.go) {
        }
        job.go = 0;
        search_start((const char *)job.last, (const uint8_t *)job.target, job.first, job.limit);
        uint8_t end;
        do end = search_some();
        while (end == SEARCHING);
        job.end = end; // what the simulator watches; from now on it may write the next job
    }
}
