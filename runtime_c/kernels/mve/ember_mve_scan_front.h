/* The front pass of q.selective_scan on Helium. Private to ember_mve_scan_run.c. */
#ifndef EMBER_MVE_SCAN_FRONT_H
#define EMBER_MVE_SCAN_FRONT_H

#include "ember_math.h"
#include "ember_mve_scan.h"

/* Where a step stands: operands of the next channel, but for v, which begins with the step. */
typedef struct {
    const int8_t *x;
    const int8_t *z; /* NULL: no gate */
    const int16_t *v;
    uint8_t *y;
    int32_t channel;
} place;

/* The addresses of a word of the first four records, and what else a pass keeps in vectors. */
typedef struct {
    uint32_t words[4];
    int32_t last_level;
} vectors;

static inline vectors vectors_of(const int32_t *word, const ember_mve_scan_params *p)
{
    const uint32_t at = (uint32_t)word;
    const vectors made = {{at, at + 16, at + 32, at + 48}, p->levels - 1};
    return made;
}

/* The records of `count` channels with step sizes of their own: q0 index, then Delta, u; q1 x; q2 entry, then decays;
 * q3 skip; q4 four records, q5 0, q6 the last level, q7 addresses. Half of u's word is what the core reads. */
static inline void front(ember_mve_record *records, int32_t count, const place *at, const ember_mve_scan_params *p)
{
    const int8_t *x = at->x;
    const int16_t *v = at->v + at->channel;
    const int32_t *mu = p->mu + at->channel;
    const int32_t *skip = p->skip + at->channel;
    const vectors kept = vectors_of(&records->u, p);
    __asm__ volatile(
        "vldrw.u32 q7, [%[kept]]\n\t"
        "vmov.i32 q4, #64\n\t"
        "vmov.i32 q5, #0\n\t"
        "ldr lr, [%[kept], #16]\n\t"
        "vdup.32 q6, lr\n\t"
        "dlstp.32 lr, %[count]\n"
        "1:\tvldrh.s32 q0, [%[v]], #8\n\t"
        "vldrb.s32 q1, [%[x]], #4\n\t"
        "vmax.s32 q0, q0, q5\n\t"
        "vmin.s32 q0, q0, q6\n\t"
        "vsub.i32 q1, q1, %[zx]\n\t"
        "vldrw.u32 q2, [%[softplus], q0, uxtw #2]\n\t"
        "vldrw.u32 q3, [%[skip]], #16\n\t"
        "vshr.u32 q0, q2, #12\n\t"
        "vmul.i32 q0, q0, q1\n\t"
        "vshl.i32 q2, q2, #20\n\t"
        "vmul.i32 q3, q3, q1\n\t"
        "vldrw.u32 q1, [%[mu]], #16\n\t"
        "vrmulh.s32 q0, q0, q1\n\t"
        "vshr.u32 q2, q2, #19\n\t"
        "vadd.i32 q2, q2, %[decay]\n\t"
        "vstrw.32 q3, [q7, #4]\n\t"
        "vqmovnb.s32 q0, q0\n\t"
        "vstrw.32 q0, [q7]\n\t"
        "vstrw.32 q2, [q7, #-4]\n\t"
        "vadd.i32 q7, q7, q4\n\t"
        "letp lr, 1b"
        : [x] "+l"(x), [v] "+l"(v), [mu] "+r"(mu), [skip] "+r"(skip)
        : [kept] "r"(&kept), [count] "r"(count), [softplus] "r"(p->softplus), [decay] "r"(p->decay), [zx] "r"(p->zx)
        : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "memory");
}

/* The same where the channels of a head share a step size, and perhaps a decay. */
static inline void front_heads(ember_mve_record *records, int32_t count, const place *at,
                               const ember_mve_scan_params *p)
{
    const int32_t width = p->channels / p->heads;
    int32_t channel = at->channel;
    for (int32_t i = 0, some; i < count; i += some, channel += some) {
        const int32_t head = channel / width;
        const uint32_t entry = p->softplus[ember_clamp(at->v[head], 0, p->levels - 1)];
        const int16_t *decays = p->decay + (entry & 4095u);
        const uint32_t decay = p->alike ? (uint32_t)decays[p->log_a[head]] : (uint32_t)decays;
        some = ember_min(width - channel % width, count - i);
        for (int32_t k = 0; k < some; k++) {
            ember_mve_record *record = records + i + k;
            const int32_t xx = at->x[i + k] - p->zx;
            record->decay = decay;
            record->u = ember_clamp_s16(ember_high_multiply((int32_t)(entry >> 12) * xx, p->mu[channel + k], 0));
            record->acc = (int32_t)((uint32_t)p->skip[channel + k] * (uint32_t)xx);
        }
    }
}

#endif
