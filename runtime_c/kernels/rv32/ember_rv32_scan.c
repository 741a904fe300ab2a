/* q.selective_scan on RV32IM: a front pass makes records of a chunk of channels, ember_rv32_scan_core.c runs the
 * recurrence, a back pass turns sums into results. Each pass so keeps its few values in registers.
 *
 * About 28 instructions a channel in front and 22 in back; with the core 19.9 a state for 16 states, 29 for 6.
 * Measured, 128 channels of 16 states: 19.96 a state and step.
 */
#include "ember_rv32_scan.h"

#include <stddef.h>
#include <string.h>

#include "ember_math.h"

/* Channels of a chunk. */
enum { CHUNK = 64 };

/* (a * m + 2^31) >> 32 without a carry. */
EMBER_RV32_INLINE int32_t scaled(int32_t a, int32_t m)
{
    const int64_t product = (int64_t)a * m;
    return (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
}

EMBER_RV32_INLINE int32_t sat8(int32_t v)
{
    if (EMBER_RV32_RARE((uint32_t)(v + 128) >= 256u))
        v = (v >> 31) ^ INT8_MAX;
    return v;
}

/* Input and skip of a channel with step size delta. */
EMBER_RV32_INLINE void feed(ember_rv32_record *r, int32_t delta, int32_t xx, const int32_t *scales)
{
    r->u = ember_rv32_sat16(scaled(delta * xx, scales[0])) * 65536;
    r->acc = (int32_t)((uint32_t)scales[1] * (uint32_t)xx);
}

EMBER_RV32_INLINE uint32_t entry_of(int32_t v, const uint32_t *softplus, int32_t last)
{
    if (EMBER_RV32_RARE((uint32_t)v > (uint32_t)last))
        v = v < 0 ? 0 : last;
    return softplus[v];
}

EMBER_RV32_INLINE uint32_t decays_of(uint32_t entry)
{
    return entry << 20 >> 18;
}

/* The records of `count` channels from d on, each with a step size of its own; x of the first, v of the step. */
EMBER_RV32_PASS void front(ember_rv32_record *records, int32_t d, int32_t count, const int8_t *x, const int16_t *v,
                           const ember_rv32_scan_params *p)
{
    const uint32_t *softplus = p->softplus;
    const int32_t *scales = p->scales + 4 * d;
    const int32_t last = p->levels - 1, zx = p->zx;
    v += d;
#pragma GCC unroll 4
    for (const ember_rv32_record *end = records + count; records != end; records++, scales += 4) {
        const uint32_t entry = entry_of(*v++, softplus, last);
        records->decays = decays_of(entry);
        feed(records, (int32_t)(entry >> 12), *x++ - zx, scales);
    }
}

/* The same where the channels of a head share a step size, and perhaps a decay. */
EMBER_RV32_PASS void front_heads(ember_rv32_record *records, int32_t d, int32_t count, const int8_t *x,
                                 const int16_t *v, const ember_rv32_scan_params *p)
{
    const int32_t *scales = p->scales + 4 * d;
    const int32_t width = p->channels / p->heads;
    const ember_rv32_record *end = records + count;
    int32_t head = d / width;
    for (int32_t left = width - d % width; records != end; head++, left = width) {
        const uint32_t entry = entry_of(v[head], p->softplus, p->levels - 1);
        const uint32_t decays = decays_of(entry) + (p->alike ? p->log_a[head] : 0u);
        for (; left > 0 && records != end; left--, records++, scales += 4) {
            records->decays = decays;
            feed(records, (int32_t)(entry >> 12), *x++ - p->zx, scales);
        }
    }
}

/* The results of `count` records, with a gate and without. */
EMBER_RV32_INLINE void store(void *y, int32_t i, int wide, int32_t v)
{
    if (wide)
        ((int16_t *)y)[i] = (int16_t)ember_rv32_sat16(v);
    else
        ((int8_t *)y)[i] = (int8_t)sat8(v);
}

EMBER_RV32_INLINE void gate_all(const ember_rv32_record *records, int32_t count, const int8_t *z, void *y, int wide,
                                const int32_t *scales, const int16_t *gate)
{
#pragma GCC unroll 4
    for (int32_t i = 0; i < count; i++, scales += 4) {
        const int32_t v = ember_rv32_sat16(scaled(records[i].acc, scales[2]));
        store(y, i, wide, scaled(v * gate[z[i] + 128], scales[3]));
    }
}

EMBER_RV32_PASS void back(const ember_rv32_record *records, int32_t count, const int8_t *z, void *y, int wide,
                          const int32_t *scales, const int16_t *gate)
{
    if (z == NULL) {
        for (int32_t i = 0; i < count; i++, scales += 4)
            store(y, i, wide, scaled(records[i].acc, scales[2]));
    } else if (wide) {
        gate_all(records, count, z, y, 1, scales, gate);
    } else {
        gate_all(records, count, z, y, 0, scales, gate);
    }
}

static void pack(int32_t *bc, const int16_t *b, const int16_t *c, int32_t states)
{
    for (int32_t n = 0; n < states; n++) {
        bc[2 * n] = 2 * b[n];
        bc[2 * n + 1] = c[n];
    }
}

void ember_rv32_scan(const int8_t *x, const int16_t *v, const int16_t *b, const int16_t *c, const int8_t *z,
                     const int16_t *initial, void *y, int wide, int16_t *state, void *scratch,
                     const ember_rv32_scan_params *p)
{
    const size_t bytes = (size_t)p->batches * (size_t)p->channels * (size_t)p->states * sizeof *state;
    const int32_t width = p->channels / p->groups;
    const int32_t log_a_step = p->alike ? 0 : p->states;
    ember_rv32_record *records = scratch;
    int32_t *bc = (int32_t *)(void *)(records + CHUNK);
    if (initial == NULL)
        memset(state, 0, bytes);
    else if (initial != state)
        memcpy(state, initial, bytes);
    for (int32_t batch = 0; batch < p->batches; batch++, state += p->channels * p->states) {
        for (int32_t t = 0; t < p->steps; t++, v += p->heads) {
            for (int32_t d = 0, end, some; d < p->channels; b += p->states, c += p->states) {
                pack(bc, b, c, p->states);
                for (end = d + width; d < end; d += some) {
                    some = ember_min(end - d, CHUNK);
                    if (p->heads == p->channels && !p->alike)
                        front(records, d, some, x, v, p);
                    else
                        front_heads(records, d, some, x, v, p);
                    ember_rv32_scan_core(records, some, state + d * p->states, p->log_a + d * log_a_step, bc, p);
                    back(records, some, z, y, wide, p->scales + 4 * d, p->gate);
                    x += some;
                    z = z == NULL ? NULL : z + some;
                    y = (int8_t *)y + (wide ? 2 * some : some);
                }
            }
        }
    }
}
