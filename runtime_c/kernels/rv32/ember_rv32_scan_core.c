/* The core of q.selective_scan on RV32IM: two channels at a time, so that b and c are loaded once for both.
 *
 * Idea: (decay * h) >> 15 is MULHSU(h, decay << 17), (u * b) >> 15 is MULH(u << 16, 2 b): one instruction for product
 * and shift. Decays are stored shifted, 2 b and c of a step lie side by side in the scratch, and log_a counts bytes.
 * A state: offset, address, decay, h, MULHSU, MULH, sum, 1, range check in two, store, product and sum with c, half a
 * load of b and of c = 14, and 0.8 for pointers; 11 with one decay for all states. 48 a pair of channels besides.
 */
#include "ember_rv32_scan.h"

/* One state; bc is 2 b and c. The sum wraps. */
EMBER_RV32_INLINE uint32_t advance(int16_t *h, const uint8_t *decay, int32_t u, const int32_t *bc, uint32_t acc)
{
    const int32_t kept = (int32_t)(((int64_t)*h * *(const uint32_t *)(const void *)decay) >> 32);
    const int32_t next = ember_rv32_sat16(kept + (int32_t)(((int64_t)u * bc[0]) >> 32) + 1);
    *h = (int16_t)next;
    return acc + (uint32_t)(bc[1] * next);
}

/* All states of two records: h [2, n], log_a [2, n], unused where decays are alike. */
EMBER_RV32_INLINE void pair(ember_rv32_record *records, int alike, const uint8_t *decay, int16_t *h,
                            const uint16_t *log_a, const int32_t *bc, int32_t n)
{
    const uint8_t *t = decay + records[0].decays, *t2 = decay + records[1].decays;
    const int32_t u = records[0].u, u2 = records[1].u;
    const int32_t *end = bc + 2 * (n & ~3), *last = bc + 2 * n;
    uint32_t acc = (uint32_t)records[0].acc, acc2 = (uint32_t)records[1].acc;
    int16_t *h2 = h + n;
    const uint16_t *log_a2 = log_a + n;
    for (; bc != end; bc += 8, h += 4, h2 += 4, log_a += 4, log_a2 += 4) {
#pragma GCC unroll 4
        for (int32_t i = 0; i < 4; i++) {
            acc = advance(h + i, alike ? t : t + log_a[i], u, bc + 2 * i, acc);
            acc2 = advance(h2 + i, alike ? t2 : t2 + log_a2[i], u2, bc + 2 * i, acc2);
        }
    }
    for (; bc != last; bc += 2, h++, h2++, log_a++, log_a2++) {
        acc = advance(h, alike ? t : t + *log_a, u, bc, acc);
        acc2 = advance(h2, alike ? t2 : t2 + *log_a2, u2, bc, acc2);
    }
    records[0].acc = (int32_t)acc;
    records[1].acc = (int32_t)acc2;
}

/* The recurrence with decays by log_a, and with one decay a channel. */
EMBER_RV32_PASS void by_states(ember_rv32_record *records, int32_t count, int16_t *h, const uint16_t *log_a,
                               const int32_t *bc, int32_t n, const uint8_t *decay)
{
    for (; count >= 2; count -= 2, records += 2, h += 2 * n, log_a += 2 * n)
        pair(records, 0, decay, h, log_a, bc, n);
    for (int32_t i = 0; count != 0 && i < n; i++) {
        const uint8_t *t = decay + records->decays + log_a[i];
        records->acc = (int32_t)advance(h + i, t, records->u, bc + 2 * i, (uint32_t)records->acc);
    }
}

EMBER_RV32_PASS void by_channels(ember_rv32_record *records, int32_t count, int16_t *h, const int32_t *bc, int32_t n,
                                 const uint8_t *decay)
{
    static const uint16_t none[1] = {0};
    for (; count >= 2; count -= 2, records += 2, h += 2 * n)
        pair(records, 1, decay, h, none, bc, n);
    for (int32_t i = 0; count != 0 && i < n; i++) {
        const uint8_t *t = decay + records->decays;
        records->acc = (int32_t)advance(h + i, t, records->u, bc + 2 * i, (uint32_t)records->acc);
    }
}

void ember_rv32_scan_core(ember_rv32_record *records, int32_t count, int16_t *h, const uint16_t *log_a,
                          const int32_t *bc, const ember_rv32_scan_params *p)
{
    const uint8_t *decay = (const uint8_t *)p->decay;
    if (p->alike)
        by_channels(records, count, h, bc, p->states, decay);
    else
        by_states(records, count, h, log_a, bc, p->states, decay);
}
