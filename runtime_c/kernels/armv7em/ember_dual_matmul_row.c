/* The only row of a q.matmul on dual-column weights, four columns at a time; the panel costs 1.1 instructions a value. */
#include "ember_dual.h"

enum { BODY = 16, SIZE = 108, SINGLE = 32 };

#if EMBER_HAS_ARMV7EM
/* Eight values: the pairs (0, 2), (1, 3) of each four. */
#define EIGHT(at0, at1)                                                                                                \
    "ldr r5, [%[x], #" at0 "]\n\t"                                                                                     \
    "ldr r8, [%[x], #" at1 "]\n\t"                                                                                     \
    "sxtb16 r4, r5\n\t"                                                                                                \
    "sxtb16 r5, r5, ror #8\n\t"                                                                                        \
    "sxtb16 r6, r8\n\t"                                                                                                \
    "sxtb16 r8, r8, ror #8\n\t"                                                                                        \
    "stm %[panel]!, {r4, r5, r6, r8}\n\t"
#endif

void ember_dual_matmul_row(const int8_t *x, uint8_t *y, int32_t *scratch, const ember_dual_params *p, int32_t size)
{
    const int32_t pairs = ember_dual_pairs(p->k);
    const int32_t words = 2 * pairs + 8; /* of a block of four columns */
    int32_t *panel = scratch;
    int32_t left = p->k;
#if EMBER_HAS_ARMV7EM
    for (; left >= 16; left -= 16, x += 16)
        __asm__ volatile(EIGHT("0", "4") EIGHT("8", "12")
                         : [panel] "+r"(panel)
                         : [x] "r"(x)
                         : "r4", "r5", "r6", "r8", "memory");
#endif
    for (; left >= 4; left -= 4, x += 4, panel += 2)
        ember_dual_four(x, &panel[0], &panel[1]);
    ember_dual_tail(x, left, panel, 1);

    ember_dual_block block;
    const int32_t units = pairs / 4;
    ember_dual_enter(&block, units, pairs % 4, BODY, SIZE, SINGLE);
    ember_dual_leave(&block, (units + BODY - 1) / BODY, p, size == 2);
    block.panel = scratch;
    block.panel_end = scratch + pairs;
    block.stride = 0;
    block.stream = p->stream;
    block.stream_end = p->stream + (p->n >> 2) * words;
    block.y = y;
    if (p->n >= 4)
        ember_dual_1x4(&block);
    const int32_t over = p->n & 3;
    if (over != 0) {
        uint8_t aside[8];
        block.stream = block.stream_end;
        block.stream_end += words;
        block.y = aside;
        ember_dual_1x4(&block);
        memcpy(y + (p->n - over) * size, aside, (size_t)(over * size));
    }
}
