/* q.selective_scan on Helium: front and back pass, steps, and chunks of channels within a group of b and c.
 *
 * Tail-predicated loops, four channels a turn: 5.2 instructions a channel in front, 3.5 in back with a gate. With the
 * core 2.0 a state for 16 states, 4.4 for 6.
 * Measured, 128 channels of 16 states: 2.01 a state and step, all passes.
 */
#include <string.h>

#include "ember_math.h"
#include "ember_mve_scan.h"

/* The state's first value. */
static void start(int16_t *state, const int16_t *initial, const ember_mve_scan_params *p)
{
    const size_t bytes = (size_t)p->batches * (size_t)p->channels * (size_t)p->states * sizeof *state;
    if (initial == NULL)
        memset(state, 0, bytes);
    else if (initial != state)
        memcpy(state, initial, bytes);
}

#if EMBER_HAS_MVE

#include "ember_mve_scan_front.h"

/* The results of `count` records: q0 sum, then y; q1 z, q2 scale, q3 gate, q4 four records, q7 addresses. */
#define SUMS                                                                                                           \
    "vldrw.u32 q7, [%[kept]]\n\t"                                                                                      \
    "vmov.i32 q4, #64\n\t"                                                                                             \
    "dlstp.32 lr, %[count]\n"                                                                                          \
    "1:\tvldrw.u32 q0, [q7]\n\t"                                                                                       \
    "vldrw.u32 q2, [%[my]], #16\n\t"                                                                                   \
    "vadd.i32 q7, q7, q4\n\t"                                                                                          \
    "vrmulh.s32 q0, q0, q2\n\t"                                                                                        \
    "vqmovnb.s32 q0, q0\n\t"
#define GATES                                                                                                          \
    "vldrb.u32 q1, [%[z]], #4\n\t"                                                                                     \
    "vldrw.u32 q2, [%[mo]], #16\n\t"                                                                                   \
    "vldrh.s32 q3, [%[gate], q1, uxtw #1]\n\t"                                                                         \
    "vmovlb.s16 q0, q0\n\t"                                                                                            \
    "vmul.i32 q0, q0, q3\n\t"                                                                                          \
    "vrmulh.s32 q0, q0, q2\n\t"                                                                                        \
    "vqmovnb.s32 q0, q0\n\t"
#define BYTES                                                                                                          \
    "vqmovnb.s16 q0, q0\n\t"                                                                                           \
    "vstrb.32 q0, [%[y]], #4\n\t"
#define HALVES "vstrh.32 q0, [%[y]], #8\n\t"
#define BACK(text)                                                                                                     \
    __asm__ volatile(text "letp lr, 1b"                                                                                \
                     : [y] "+l"(y), [z] "+l"(z), [my] "+r"(my), [mo] "+r"(mo)                                          \
                     : [kept] "r"(&kept), [count] "r"(count), [gate] "r"(p->gate)                                      \
                     : "q0", "q1", "q2", "q3", "q4", "q7", "lr", "memory")

static void back(const ember_mve_record *records, int32_t count, const place *at, int wide,
                 const ember_mve_scan_params *p)
{
    const int32_t *my = p->my + at->channel;
    const int32_t *mo = p->mo + at->channel;
    const int8_t *z = at->z;
    uint8_t *y = at->y;
    const vectors kept = vectors_of(&records->acc, p);
    if (z != NULL && wide)
        BACK(SUMS GATES HALVES);
    else if (z != NULL)
        BACK(SUMS GATES BYTES);
    else if (wide)
        BACK(SUMS HALVES);
    else
        BACK(SUMS BYTES);
}

/* The recurrence of `count` records: all states, 16 at a time. */
static void states(ember_mve_record *records, int32_t count, int32_t channel, int16_t *h, const int16_t *b,
                   const int16_t *c, const ember_mve_scan_params *p)
{
    const uint16_t *log_a = p->log_a;
    h += channel * p->states;
    for (int32_t n = 0; n < p->states; n += EMBER_MVE_SCAN_STATES) {
        const int32_t some = ember_min(p->states - n, EMBER_MVE_SCAN_STATES);
        const int32_t padded = (some + 7) & ~7;
        const uint16_t *from = p->alike ? NULL : log_a + channel * padded;
        ember_mve_scan_core(records, count, h + n, p->states, from, b + n, c + n, some);
        log_a += p->channels * padded;
    }
}

void ember_mve_scan_run(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                        const int16_t *initial, uint8_t *y, int wide, int16_t *state, void *scratch,
                        const ember_mve_scan_params *p)
{
    ember_mve_record *records = scratch;
    const int32_t width = p->channels / p->groups;
    place at = {x, z, v, y, 0};
    start(state, initial, p);
    for (int32_t batch = 0; batch < p->batches; batch++, state += p->channels * p->states) {
        for (int32_t t = 0; t < p->steps; t++, at.v += p->heads) {
            at.channel = 0;
            for (int32_t group = 0; group < p->groups; group++, b += p->states, c += p->states) {
                for (int32_t left = width, some; left > 0; left -= some) {
                    some = ember_min(left, EMBER_MVE_SCAN_CHUNK);
                    if (p->heads == p->channels && !p->alike)
                        front(records, some, &at, p);
                    else
                        front_heads(records, some, &at, p);
                    states(records, some, at.channel, state, b, c, p);
                    back(records, some, &at, wide, p);
                    at.x += some;
                    at.z = at.z == NULL ? NULL : at.z + some;
                    at.y += wide ? 2 * some : some;
                    at.channel += some;
                }
            }
        }
    }
}

#else

#include "ember_mve_scan_plain.h"

void ember_mve_scan_run(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                        const int16_t *initial, uint8_t *y, int wide, int16_t *state, void *scratch,
                        const ember_mve_scan_params *p)
{
    (void)scratch;
    start(state, initial, p);
    plain_steps(x, v, b, c, z, y, wide, state, p);
}

#endif
