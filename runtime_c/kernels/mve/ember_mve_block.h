/* Blocks of dot products on Helium: what the kernels on packed weights share.
 *
 * Idea: VMLADAVA multiplies two vectors and adds all products to an even core register. There are eight of those
 * (r0 r2 .. r12 lr), so blocks of 2 rows x 4 columns, or 1 row x 8 columns, use them all; LR is one, so the loop is
 * not a low-overhead one but unrolled four times. Eight sums leave by one STM, biases come by LDM from the weights.
 *
 * Packed weights: for every 4 columns 4 int32 biases, then [k / unit][4][unit] elements, then [4][k % unit], unit being
 * 16, or 8 beside int16 rows. Readable up to 16 bytes past their end. Columns come in the order that the narrowing
 * of the results wants, see ember_mve_narrow.h. The packer is compiler/emberc/backend/c/variants/mve_matmul.py.
 *
 * Private to the Helium kernels.
 */
#ifndef EMBER_MVE_BLOCK_H
#define EMBER_MVE_BLOCK_H

#include "ember_mve.h"

/* Arguments of a kernel; the assembly knows the order. */
typedef struct {
    const void *row0; /* k elements, read exactly */
    const void *row1; /* 1x8: not used */
    const void *weights;
    int32_t *sums; /* [blocks][8]: 2x4: four columns of row 0, then of row 1 */
    const int32_t *sums_end;
    int32_t loops;       /* k / (4 unit) */
    int32_t rest;        /* k % (4 unit) */
    int32_t units;       /* rest / unit */
    int32_t tail;        /* rest % unit */
    int32_t block_bytes; /* 1x8: of four columns */
    int32_t skip;        /* 2x4_s16s8: bytes between blocks */
    uint32_t frame;      /* keeps r7, which may be the frame pointer and so can't be named as clobbered */
} ember_mve_block;

void ember_mve_2x4_s8(ember_mve_block *block);
void ember_mve_1x8_s8(ember_mve_block *block);
void ember_mve_2x4_s16s8(ember_mve_block *block);

/* k in loops, units and a tail, for int8. */
static inline void ember_mve_set_k(ember_mve_block *block, int32_t k)
{
    block->loops = k >> 6;
    block->rest = k & 63;
    block->units = block->rest >> 4;
    block->tail = k & 15;
    block->block_bytes = 16 + 4 * k;
}

/* The same for int16. */
static inline void ember_mve_set_k_s16(ember_mve_block *block, int32_t k)
{
    block->loops = k >> 5;
    block->rest = k & 31;
    block->units = block->rest >> 3;
    block->tail = k & 7;
    block->skip = 0;
}

/* Column n's place in the packed order, and the column at a place: sixteens are four rows of four, transposed. */
static inline int32_t ember_mve_place(int32_t n, int32_t columns)
{
    const int32_t first = n & ~15;
    return first + 16 <= columns ? first + (n & 3) * 4 + ((n >> 2) & 3) : n;
}

/* Everything but sp, the frame pointer and r11, which holds the arguments. */
#define EMBER_MVE_CLOBBERS                                                                                             \
    "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "lr", "cc", "memory", "q0", "q1", "q2", "q3",  \
        "q4", "q5", "q6", "q7"

#endif
