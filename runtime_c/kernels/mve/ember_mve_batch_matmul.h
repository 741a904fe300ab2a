/* q.batch_matmul on Helium: b is packed in the scratch by 64 columns, then two rows by four columns.
 *
 * Idea: sum (a - za) (b - zb) = sum a b - za sum b - zb sum a + k za zb. The packer adds up each column on the way, so
 * that za and the constant become the biases of the packed blocks (ember_mve_block.h); a row's part is one number, added
 * before the multiplication. All of it wraps at 32 bits; the whole sum fits, as the compiler proved.
 * Preconditions: zero points as in ember_mve.h; b_k or b_n is 1; the other at most 9360.
 * Predicted per MAC: 0.109 (int16 a: 0.219) + 14 / (8 k) for the blocks, 1.4 / k for the results, 0.25 / rows for packing
 * columns that lie side by side in b, 0.5 / rows for others; about 110 two rows.
 * Measured at (64,64,64): int8 a 0.206 with b transposed, 0.221 without; int16 a 0.335, 0.356.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_BATCH_MATMUL_H
#define EMBER_MVE_BATCH_MATMUL_H

#include "ember_math.h"
#include "ember_matmul.h"
#include "ember_mve_block.h"

/* Columns that are packed together. */
enum { EMBER_MVE_COLUMNS = 64 };

typedef struct {
    const ember_batch_matmul_params *p;
    const void *a;
    const int8_t *b;
    int8_t *packed;
    int32_t *sums; /* [blocks][8]: four columns of both rows */
    int32_t batch;
    int32_t n;     /* first column of the chunk */
    int32_t count; /* columns of the chunk */
    int32_t row;
    int32_t rows;      /* 1 or 2 */
    int32_t offset[2]; /* what each row adds to its sums */
} ember_mve_batch;

/* Moves on to the next rows of a chunk, for int8 and for int16 a: their sums and offsets; 0 after the last ones. */
int ember_mve_batch_next_s8(ember_mve_batch *at);
int ember_mve_batch_next_s16(ember_mve_batch *at);

/* `count` columns at b as blocks of vectors of `unit` elements: 16, or 8 beside int16 rows. */
void ember_mve_pack_columns(const int8_t *b, int32_t count, int32_t unit, int8_t *out,
                            const ember_batch_matmul_params *p);

/* Before the first rows. */
static inline ember_mve_batch ember_mve_batch_of(const void *a, const int8_t *b, void *scratch,
                                                 const ember_batch_matmul_params *p)
{
    ember_mve_batch at = {.p = p, .a = a, .b = b, .sums = scratch, .n = -EMBER_MVE_COLUMNS, .row = p->rows};
    at.packed = (int8_t *)(at.sums + 2 * EMBER_MVE_COLUMNS);
    return at;
}

/* Where in y the results of the first row begin, in elements. */
static inline int32_t ember_mve_batch_out(const ember_mve_batch *at)
{
    return (at->batch * at->p->rows + at->row) * at->p->n + at->n;
}

/* The place of the next rows, on the next chunk where all are through; 0 after the last one. */
static inline int ember_mve_batch_advance(ember_mve_batch *at)
{
    const ember_batch_matmul_params *p = at->p;
    at->row += 2;
    if (at->row >= p->rows) {
        at->row = 0;
        at->n += EMBER_MVE_COLUMNS;
        if (at->n >= p->n) {
            at->n = 0;
            at->batch++;
        }
        if (at->batch == p->batches)
            return 0;
        at->count = ember_min(EMBER_MVE_COLUMNS, p->n - at->n);
    }
    at->rows = ember_min(2, p->rows - at->row);
    return 1;
}

#if EMBER_HAS_MVE

#include "ember_mve_narrow.h"
#include "ember_mve_rows.h"

/* 16 sums of a row, less what the row's own sum makes up. */
#define EMBER_MVE_BATCH_LOAD                                                                                           \
    "vldrw.32 q4, [%[sums]], #32\n\t"                                                                                  \
    "vldrw.32 q5, [%[sums]], #32\n\t"                                                                                  \
    "vadd.i32 q4, q4, %[offset]\n\t"                                                                                   \
    "vldrw.32 q6, [%[sums]], #32\n\t"                                                                                  \
    "vadd.i32 q5, q5, %[offset]\n\t"                                                                                   \
    "vldrw.32 q7, [%[sums]], #32\n\t"                                                                                  \
    "vadd.i32 q6, q6, %[offset]\n\t"                                                                                   \
    "vadd.i32 q7, q7, %[offset]\n\t"
#define EMBER_MVE_BATCH_SHIFT                                                                                          \
    "vshl.s32 q4, %[shift]\n\t"                                                                                        \
    "vshl.s32 q5, %[shift]\n\t"                                                                                        \
    "vshl.s32 q6, %[shift]\n\t"                                                                                        \
    "vshl.s32 q7, %[shift]\n\t"
#define EMBER_MVE_BATCH_SCALE                                                                                          \
    "vrmulh.s32 q4, q4, %q[m]\n\t"                                                                                     \
    "vrmulh.s32 q5, q5, %q[m]\n\t"                                                                                     \
    "vrmulh.s32 q6, q6, %q[m]\n\t"                                                                                     \
    "vrmulh.s32 q7, q7, %q[m]\n\t"
#define EMBER_MVE_BATCH_STORE_s8                                                                                       \
    EMBER_MVE_HALVES                                                                                                   \
    "vqadd.s16 q4, q4, %[zero]\n\t"                                                                                    \
    "vqadd.s16 q5, q5, %[zero]\n\t"                                                                                    \
    "vqmovnb.s16 q4, q4\n\t"                                                                                           \
    "vqmovnt.s16 q4, q5\n\t"                                                                                           \
    "vstrb.8 q4, [%[y]], #16\n\t"
#define EMBER_MVE_BATCH_STORE_s16                                                                                      \
    "vadd.i32 q4, q4, %[zero]\n\t"                                                                                     \
    "vadd.i32 q5, q5, %[zero]\n\t"                                                                                     \
    "vadd.i32 q6, q6, %[zero]\n\t"                                                                                     \
    "vadd.i32 q7, q7, %[zero]\n\t" EMBER_MVE_HALVES "vst20.16 {q4, q5}, [%[y]]\n\t"                                    \
    "vst21.16 {q4, q5}, [%[y]]!\n\t"
#define EMBER_MVE_BATCH_FINISH(SHIFT, STORE)                                                                           \
    __asm__ volatile(                                                                                                  \
        "wls lr, %[groups], 2f\n"                                                                                      \
        "1:\t" EMBER_MVE_BATCH_LOAD SHIFT EMBER_MVE_BATCH_SCALE STORE "le lr, 1b\n"                                    \
        "2:"                                                                                                           \
        : [sums] "+r"(sums), [y] "+r"(y)                                                                               \
        : [groups] "r"(count >> 4), [offset] "r"(offset), [shift] "r"(p->shift), [m] "w"(m), [zero] "r"(p->zero_point) \
        : "q4", "q5", "q6", "q7", "lr", "memory")

/* The results of one row; its four sums of a block are 8 words from the next block's. */
EMBER_MVE_INLINE void ember_mve_batch_finish(const int32_t *sums, int8_t *y, int yb, int32_t count, int32_t offset,
                                             const ember_batch_matmul_params *p)
{
    const int32x4_t m = vdupq_n_s32(p->m);
    const int32_t most = yb == 1 ? INT8_MAX : INT16_MAX;
    if (yb == 1 && p->shift == 0)
        EMBER_MVE_BATCH_FINISH("", EMBER_MVE_BATCH_STORE_s8);
    else if (yb == 1)
        EMBER_MVE_BATCH_FINISH(EMBER_MVE_BATCH_SHIFT, EMBER_MVE_BATCH_STORE_s8);
    else
        EMBER_MVE_BATCH_FINISH(EMBER_MVE_BATCH_SHIFT, EMBER_MVE_BATCH_STORE_s16);
    for (int32_t left = count & 15; left > 0; left -= 4, sums += 8, y += 4 * yb) {
        const int32x4_t sum = vshlq_r_s32(vaddq_n_s32(vldrwq_s32(sums), offset), p->shift);
        int32x4_t v = vaddq_n_s32(vrmulhq_s32(sum, m), p->zero_point);
        v = vminq_s32(vmaxq_s32(v, vdupq_n_s32(~most)), vdupq_n_s32(most));
        if (yb == 1)
            vstrbq_p_s32(y, v, vctp32q((uint32_t)left));
        else
            vstrhq_p_s32((int16_t *)(void *)y, v, vctp32q((uint32_t)left));
    }
}

#endif
#endif
