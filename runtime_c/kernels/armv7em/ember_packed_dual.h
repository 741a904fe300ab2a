/* q.matmul of int8 x on packed weights: eight columns at a time become a stream of dual-column words in scratch, which
 * all rows then read as they read weights in flash (ember_dual.h).
 *
 * Unpacking is done once for all rows (ember_packed_stream.h); the panels are made again for every eight columns, which
 * is 1 / 8 instruction a MAC.
 *
 * Who includes this names the products of one row and of several, EMBER_PACKED_ROW and EMBER_PACKED_ROWS. (A pointer to them
 * would hide the calls from the analysis of the stack.) Private to the Armv7E-M kernels.
 */
#ifndef EMBER_PACKED_DUAL_H
#define EMBER_PACKED_DUAL_H

#include "ember_dual_table.h"
#include "ember_packed_stream.h"

enum { EMBER_PACKED_BLOCK = 8 };

/* Element i of [n], 0 behind its end. */
static inline int32_t ember_packed_at(const int32_t *v, int32_t i, int32_t n)
{
    return i < n ? v[i] : 0;
}

/* The stream of `columns` columns from c on for several rows: bias 0, words, bias 1, m 0, m 1. */
static inline void ember_packed_pairs(const ember_packed_dual_params *p, int32_t c, int32_t columns, int32_t *out)
{
    const int32_t n = p->dual->n, pairs = ember_dual_pairs(p->dual->k);
    for (const int32_t end = c + columns; c < end; c += 2, out += pairs + 4) {
        out[0] = p->bias[c];
        ember_packed_words(p->w, c, n, p->dual->k, 1, out + 1);
        out[pairs + 1] = ember_packed_at(p->bias, c + 1, n);
        out[pairs + 2] = p->m[c];
        out[pairs + 3] = ember_packed_at(p->m, c + 1, n);
    }
}

/* For one row: biases 0 2, words of both pairs of columns in turn, biases 1 3, m 0 to 3. */
static inline void ember_packed_fours(const ember_packed_dual_params *p, int32_t c, int32_t columns, int32_t *out)
{
    const int32_t n = p->dual->n, words = 2 * ember_dual_pairs(p->dual->k);
    for (const int32_t end = c + columns; c < end; c += 4, out += words + 8) {
        out[0] = p->bias[c];
        out[1] = ember_packed_at(p->bias, c + 2, n);
        ember_packed_words(p->w, c, n, p->dual->k, 2, out + 2);
        ember_packed_words(p->w, c + 2, n, p->dual->k, 2, out + 3);
        out[words + 2] = ember_packed_at(p->bias, c + 1, n);
        out[words + 3] = ember_packed_at(p->bias, c + 3, n);
        for (int32_t i = 0; i < 4; i++)
            out[words + 4 + i] = ember_packed_at(p->m, c + i, n);
    }
}

static inline void ember_packed_run(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch,
                                    const ember_dual_params *p, int32_t size)
{
    if (p->rows == 1)
        EMBER_PACKED_ROW(x, y, scratch, p, size);
    else
        EMBER_PACKED_ROWS(x, y, stride, scratch, p, size);
}

/* y [rows, n] of `size` bytes an element, before any table. */
static inline void ember_packed_columns(const int8_t *x, uint8_t *y, int32_t *scratch,
                                        const ember_packed_dual_params *p, int32_t size)
{
    ember_dual_params block = *p->dual;
    int32_t *stream = scratch + 3 * ember_dual_pairs(block.k) + 64; /* behind the panel */
    block.stream = stream;
    for (int32_t c = 0; c < p->dual->n; c += EMBER_PACKED_BLOCK) {
        block.n = ember_min(EMBER_PACKED_BLOCK, p->dual->n - c);
        if (block.rows == 1)
            ember_packed_fours(p, c, block.n, stream);
        else
            ember_packed_pairs(p, c, block.n, stream);
        ember_packed_run(x, y + c * size, p->dual->n * size, scratch, &block, size);
    }
}

static inline void ember_packed_dual_s8(const int8_t *x, int8_t *y, int32_t *scratch, const ember_packed_dual_params *p)
{
    ember_packed_columns(x, (uint8_t *)y, scratch, p, 1);
    if (p->dual->table != NULL)
        ember_dual_table_s8(y, p->dual->table, p->dual->rows * p->dual->n);
}

/* With a table the int8 values go to the upper half of y first, and are read before they are overwritten. */
static inline void ember_packed_dual_s16(const int8_t *x, int16_t *y, int32_t *scratch,
                                         const ember_packed_dual_params *p)
{
    const ember_dual_params *dual = p->dual;
    const int32_t count = dual->rows * dual->n;
    if (dual->table != NULL) {
        int8_t *narrow = (int8_t *)y + count;
        ember_packed_columns(x, (uint8_t *)narrow, scratch, p, 1);
        ember_dual_table_s16(narrow, y, dual->table, count);
        return;
    }
    ember_packed_columns(x, (uint8_t *)y, scratch, p, 2);
    if (dual->lo > INT16_MIN || dual->hi < INT16_MAX)
        for (int32_t i = 0; i < count; i++)
            y[i] = (int16_t)ember_clamp(y[i], dual->lo, dual->hi);
}

#endif
