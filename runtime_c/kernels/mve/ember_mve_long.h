/* Products of int16 rows and int16 columns on Helium, whose sums take 64 bits. Private to the Helium kernels. */
#ifndef EMBER_MVE_LONG_H
#define EMBER_MVE_LONG_H

#include <stdint.h>

/* Arguments of ember_mve_long_2x4; the assembly knows the order. */
typedef struct {
    const int16_t *row0; /* k elements, read exactly; the columns too */
    const int16_t *row1;
    const int16_t *columns[4];
    int32_t k;      /* at least 1 */
    int32_t shift0; /* of row 0's sums, to the right; negative: to the left */
    int32_t shift1;
    int32_t *sums;  /* [8]: four columns of row 0, then of row 1 */
    uint32_t frame; /* keeps r7, which may be the frame pointer and so can't be named as clobbered */
} ember_mve_long_block;

/* sums = (sum_k row * column) >> shift, whose low 32 bits are kept. */
void ember_mve_long_2x4(ember_mve_long_block *block);

#endif
