/* q.selective_scan on Armv7E-M: steps, and chunks of channels within a group of b and c.
 *
 * Private to the Armv7E-M kernels.
 */
#ifndef EMBER_SCAN_RUN_H
#define EMBER_SCAN_RUN_H

#include <string.h>

#include "ember_scan_back.h"

static inline ember_scan_route ember_scan_find(const ember_scan_core_of *core, int32_t states)
{
    ember_scan_route route = {NULL, 0, 0, 0, 1, states, {0}};
    if (core->at != NULL) {
        const uint16_t *at = core->at;
        const uint32_t start = (uint32_t)(uintptr_t)core->run;
        const uint32_t block = (uint32_t)(at[1] - at[0]) / 4;
        const uint32_t blocks = (uint32_t)states / 4;
        const uint32_t first = blocks == 0 ? 0 : (blocks - 1) % 4 + 1;
        route.body = start + at[1] - first * block;
        route.tail = states % 4 == 0 ? route.body : start + at[2 + states % 4];
        route.entry = blocks > 4 ? start + at[2] : route.tail;
        route.leave = start + at[6];
    }
    return route;
}

/* b and c of a step by blocks. */
static inline void ember_scan_pack(int16_t *bc, const int16_t *b, const int16_t *c, int32_t states)
{
    const int16_t *end = b + states;
    for (int32_t block; (end - b) % 4 != 0; b += block, c += block, bc += 2 * block) {
        block = ember_scan_block((int32_t)(end - b));
        for (int32_t i = 0; i < block; i++) {
            bc[i] = b[i];
            bc[block + i] = c[i];
        }
    }
    for (; b != end; b += 4, c += 4, bc += 8) {
        memcpy(bc, b, 4 * sizeof *bc);
        memcpy(bc + 4, c, 4 * sizeof *bc);
    }
}

/* The record behind `count` others, and what was the last one before. */
static inline int32_t ember_scan_end(ember_scan_record *records, int32_t count, int32_t before,
                                     const ember_scan_route *route)
{
    records[before].entry = route->entry;
    records[count].entry = route->leave;
    return count;
}

/* All steps of all batches; `step` holds the first one's operands. Its core is ember_scan_core_anywhere or `special`: with
 * both named, the calls are direct, and the worst-case stack can be read off the code. scratch: EMBER_SCAN_CHUNK + 1
 * records, then 2 * states int16 for b and c. */
static inline void ember_scan_run(ember_scan_step step, ember_scan_core_fn *special, const int16_t *b, const int16_t *c,
                                  void *scratch, const ember_scan_params *p)
{
    ember_scan_record *records = scratch;
    int16_t *bc = (int16_t *)(void *)(records + EMBER_SCAN_CHUNK + 1);
    ember_scan_route route = ember_scan_find(&step.core, p->states);
    const int32_t width = p->channels / p->groups;
    const int32_t log_a_step = p->alike ? 0 : p->states;
    int32_t end = 0;
    route.last = bc + 2 * p->states - 32;
    for (int32_t i = 0; i <= EMBER_SCAN_CHUNK; i++) {
        records[i].bc = bc;
        records[i].entry = route.entry;
    }
    for (int32_t batch = 0; batch < p->batches; batch++, step.h += p->channels * p->states) {
        for (int32_t t = 0; t < p->steps; t++, step.v += p->heads) {
            const int32_t *scales = p->scales;
            const uint32_t *log_a = p->log_a;
            int16_t *h = step.h;
            for (int32_t group = 0; group < p->groups; group++, b += p->states, c += p->states) {
                ember_scan_pack(bc, b, c, p->states);
                for (int32_t left = width, some; left > 0; left -= some) {
                    some = ember_min(left, EMBER_SCAN_CHUNK);
                    if (some != end)
                        end = ember_scan_end(records, some, end, &route);
                    step.front(records, some, step.x, step.v, scales, p);
                    if (step.core.run == ember_scan_core_anywhere)
                        ember_scan_core_anywhere(records, h, log_a, &route);
                    else
                        special(records, h, log_a, &route);
                    ember_scan_back(records, some, &step, scales, p->gate);
                    ember_scan_advance(&step, some);
                    scales += 4 * some;
                    h += some * p->states;
                    log_a += some * log_a_step;
                }
            }
        }
    }
}

/* The state's first value. */
static inline void ember_scan_start(int16_t *state, const int16_t *initial, const ember_scan_params *p)
{
    const size_t bytes = (size_t)p->batches * (size_t)p->channels * (size_t)p->states * sizeof *state;
    if (initial == NULL)
        memset(state, 0, bytes);
    else if (initial != state)
        memcpy(state, initial, bytes);
}

#endif
