/* q.matmul, int8 x, int16 y, on packed weights: two rows by four columns, or one row by eight.
 *
 * As ember_matmul_s8_mve, with any zero point; a table is read at the clamped int8 value.
 * Measured: (64,128,128) 0.136.
 */
#include <stddef.h>

#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_block.h"
#include "ember_mve_narrow.h"

#define ZERO                                                                                                           \
    "vadd.i32 q4, q4, %[zero]\n\t"                                                                                     \
    "vadd.i32 q5, q5, %[zero]\n\t"                                                                                     \
    "vadd.i32 q6, q6, %[zero]\n\t"                                                                                     \
    "vadd.i32 q7, q7, %[zero]\n\t"
#define STORE(Y)                                                                                                       \
    EMBER_MVE_HALVES                                                                                                   \
    "vst20.16 {q4, q5}, [%[" Y "]]\n\t"                                                                                \
    "vst21.16 {q4, q5}, [%[" Y "]]!\n\t"
#define LOOP(BODY) "wls lr, %[groups], 2f\n1:\t" EMBER_MVE_LOAD_M BODY "le lr, 1b\n2:"
#define FINISH(BODY)                                                                                                   \
    __asm__ volatile(LOOP(BODY)                                                                                        \
                     : [sums] "+r"(sums), [m] "+r"(m), [y] "+r"(y), [second] "+r"(second)                              \
                     : [groups] "r"(groups), [zero] "r"(p->zero_point)                                                 \
                     : EMBER_MVE_CLOBBER_VECTORS)

/* `columns` outputs of two rows, or of one where second is NULL. */
static void finish(const int32_t *sums, const int32_t *m, int16_t *y, int16_t *second, int32_t columns,
                   const ember_mve_matmul_params *p)
{
    const int32_t groups = columns >> 4;
    const int32_t step = second != NULL ? 8 : 4;
    if (second == NULL)
        FINISH(EMBER_MVE_SCALE_ONLY ZERO STORE("y"));
    else if (p->zero_point == 0)
        FINISH(EMBER_MVE_SCALE_0 STORE("y") EMBER_MVE_SCALE_1 STORE("second"));
    else
        FINISH(EMBER_MVE_SCALE_0 ZERO STORE("y") EMBER_MVE_SCALE_1 ZERO STORE("second"));
    for (int32_t left = columns & 15; left > 0; left -= 4) {
        const mve_pred16_t inside = vctp32q((uint32_t)left);
        vstrhq_p_s32(y, ember_mve_last(sums, m, p->zero_point, INT16_MIN, INT16_MAX), inside);
        y += 4;
        if (second != NULL) {
            vstrhq_p_s32(second, ember_mve_last(sums + 4, m, p->zero_point, INT16_MIN, INT16_MAX), inside);
            second += 4;
        }
        sums += step;
        m += 4;
    }
}

/* The clamp, and the table where there is one. */
static void clip(int16_t *y, int32_t count, const ember_mve_matmul_params *p)
{
    const int16x8_t least = vdupq_n_s16((int16_t)p->lo);
    const int16x8_t most = vdupq_n_s16((int16_t)p->hi);
    for (; count > 0; count -= 8, y += 8) {
        const mve_pred16_t inside = vctp16q((uint32_t)count);
        int16x8_t v = vminq_s16(vmaxq_s16(vldrhq_z_s16(y, inside), least), most);
        if (p->table != NULL) {
            const uint16x8_t index = vandq_u16(vreinterpretq_u16_s16(v), vdupq_n_u16(255));
            v = vldrhq_gather_shifted_offset_z_s16(p->table, index, inside);
        }
        vstrhq_p_s16(y, v, inside);
    }
}

/* One row, or two: as many columns at a time as there is room for sums. */
static void run_rows(ember_mve_block *block, int16_t *y, int32_t rows, const ember_mve_matmul_params *p)
{
    int32_t columns = rows == 2 ? EMBER_MVE_SUMS / 2 : EMBER_MVE_SUMS;
    block->weights = p->stream;
    for (int32_t n = 0; n < p->n; n += columns, y += columns) {
        columns = ember_min(columns, p->n - n);
        if (rows == 2) {
            block->sums_end = block->sums + ((columns + 3) >> 2) * 8;
            ember_mve_2x4_s8(block);
        } else {
            block->sums_end = block->sums + ((columns + 7) >> 3) * 8;
            ember_mve_1x8_s8(block);
        }
        if (p->shift != 0)
            ember_mve_shift_sums(block->sums, (int32_t)(block->sums_end - block->sums), p->shift);
        finish(block->sums, p->m + n, y, rows == 2 ? y + p->n : NULL, columns, p);
    }
}

void ember_matmul_s8_s16_mve(const int8_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    int16_t *const start = y;
    ember_mve_block block;
    ember_mve_set_k(&block, p->k);
    block.sums = scratch;
    for (int32_t left = p->rows; left > 0; left -= 2) {
        const int32_t rows = ember_min(left, 2);
        block.row0 = x;
        block.row1 = x + (rows - 1) * p->k;
        run_rows(&block, y, rows, p);
        x += rows * p->k;
        y += rows * p->n;
    }
    if (p->table != NULL || p->lo > INT16_MIN || p->hi < INT16_MAX)
        clip(start, p->rows * p->n, p);
}

#else

#include "ember_mve_plain.h"

void ember_matmul_s8_s16_mve(const int8_t *x, int16_t *y, void *scratch, const ember_mve_matmul_params *restrict p)
{
    const int16_t *table = p->table;
    (void)scratch;
    for (int32_t r = 0; r < p->rows; r++, x += p->k) {
        for (int32_t n = 0; n < p->n; n++) {
            const int32_t v = ember_mve_plain_column(x, n, p);
            *y++ = table != NULL ? table[v & 255] : (int16_t)v;
        }
    }
}

#endif
