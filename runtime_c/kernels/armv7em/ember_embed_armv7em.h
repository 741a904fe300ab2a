/* q.embed on Armv7E-M: 64 columns of a row at a time, one table after the other; private to the kernels.
 *
 * Per four columns of a table: an LDR of the entries, LDMs of multipliers and of the sums so far, an extraction and an MLA
 * each, STMs: 15 instructions. The sums so far are the bias at first. Rounding and narrowing: about 4 an element.
 * Measured on Cortex-M4 at 64 x 128 with two tables: 16.3 an element.
 * Preconditions: a multiplier a column in every table.
 */
#ifndef EMBER_EMBED_ARMV7EM_H
#define EMBER_EMBED_ARMV7EM_H

#include "ember_armv7em.h"
#include "ember_embed_row.h"

enum { EMBER_EMBED_CHUNK = 64 };

/* sums[i] = before[i] + e[i] * m[i], i < n */
static inline void ember_embed_add(const int8_t *e, const int32_t *m, const int32_t *before, int32_t *sums, int32_t n)
{
#if EMBER_HAS_ARMV7EM
    for (; n >= 4; n -= 4)
        __asm__ volatile("ldr r8, [%[e]], #4\n\t"
                         "ldm %[m]!, {r4, r5}\n\t"
                         "ldm %[before]!, {r6, r9}\n\t"
                         "sxtb r10, r8\n\t"
                         "mla r6, r10, r4, r6\n\t"
                         "sxtb r10, r8, ror #8\n\t"
                         "mla r9, r10, r5, r9\n\t"
                         "stm %[sums]!, {r6, r9}\n\t"
                         "ldm %[m]!, {r4, r5}\n\t"
                         "ldm %[before]!, {r6, r9}\n\t"
                         "sxtb r10, r8, ror #16\n\t"
                         "mla r6, r10, r4, r6\n\t"
                         "asr r8, r8, #24\n\t"
                         "mla r9, r8, r5, r9\n\t"
                         "stm %[sums]!, {r6, r9}\n\t"
                         : [e] "+r"(e), [m] "+r"(m), [before] "+r"(before), [sums] "+r"(sums)
                         :
                         : "r4", "r5", "r6", "r8", "r9", "r10", "memory");
#endif
    for (; n > 0; n--)
        *sums++ = *before++ + *e++ * *m++;
}

/* The sums of row r, columns c to c + n, before their shift; there is one table at least. */
static inline void ember_embed_chunk(const int32_t *const *ids, int32_t r, int32_t c, int32_t n, int32_t *sums,
                                     const ember_embed_params *p)
{
    const int32_t *before = p->bias + c;
    for (int32_t k = 0; k < p->count; k++) {
        const ember_embed_part *part = &p->parts[k];
        const int32_t row = ids[k] != NULL ? ids[k][r] : r % part->vocabulary;
        ember_embed_add(part->table + row * p->d + c, part->m + c, before, sums, n);
        before = sums;
    }
}

#endif
