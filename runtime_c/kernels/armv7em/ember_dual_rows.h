/* The rows of a q.matmul on dual-column weights: panels of three rows, then of two.
 *
 * A panel that sticks out moves back over rows that are done: the same values are written again. Its words are
 * [pair][row] in the order of the weights: of four k the pairs (0, 2) and (1, 3), as SXTB16 gives them, the last k % 4
 * in their own order. It ends at a multiple of 256 bytes, which the loop of ember_dual_3x2 looks for.
 * Cost: 12 instructions for 12 values of a panel.
 *
 * Who includes this defines ember_dual_run(block, rows), and how the loop for three rows is built: UNIT3 pairs a unit of
 * SIZE3 bytes, BODY3 units in the loop, SINGLE3 bytes for a pair before it. Private to the kernels.
 */
#ifndef EMBER_DUAL_ROWS_H
#define EMBER_DUAL_ROWS_H

#include "ember_dual.h"

enum { BODY2 = 7, SIZE2 = 76, SINGLE2 = 28, PANEL_END = 256 };

#if EMBER_HAS_ARMV7EM
#define FOUR(at)                                                                                                       \
    "ldr r10, [%[x], #" at "]\n\t"                                                                                     \
    "ldr r11, [%[y], #" at "]\n\t"                                                                                     \
    "ldr r12, [%[z], #" at "]\n\t"                                                                                     \
    "sxtb16 r4, r10\n\t"                                                                                               \
    "sxtb16 r5, r11\n\t"                                                                                               \
    "sxtb16 r6, r12\n\t"                                                                                               \
    "sxtb16 r8, r10, ror #8\n\t"                                                                                       \
    "sxtb16 r9, r11, ror #8\n\t"                                                                                       \
    "sxtb16 r10, r12, ror #8\n\t"                                                                                      \
    "stm %[panel]!, {r4, r5, r6, r8, r9, r10}\n\t"
#define USES : [panel] "+r"(panel) : [x] "r"(x), [y] "r"(y), [z] "r"(z)
#define SPOILS "r4", "r5", "r6", "r8", "r9", "r10", "r11", "r12", "memory"
#endif

static void panel3(const int8_t *x, int32_t k, int32_t *panel)
{
    const int8_t *y = x + k;
    const int8_t *z = y + k;
    int32_t left = k;
#if EMBER_HAS_ARMV7EM
    for (; left >= 16; left -= 16, x += 16, y += 16, z += 16)
        __asm__ volatile(FOUR("0") FOUR("4") FOUR("8") FOUR("12") USES : SPOILS);
    for (; left >= 4; left -= 4, x += 4, y += 4, z += 4)
        __asm__ volatile(FOUR("0") USES : SPOILS);
#else
    for (; left >= 4; left -= 4, x += 4, y += 4, z += 4, panel += 6) {
        ember_dual_four(x, &panel[0], &panel[3]);
        ember_dual_four(y, &panel[1], &panel[4]);
        ember_dual_four(z, &panel[2], &panel[5]);
    }
#endif
    ember_dual_tail(x, left, panel, 3);
    ember_dual_tail(y, left, panel + 1, 3);
    ember_dual_tail(z, left, panel + 2, 3);
}

static void panel2(const int8_t *x, int32_t k, int32_t *panel)
{
    const int8_t *y = x + k;
    int32_t left = k;
    for (; left >= 4; left -= 4, x += 4, y += 4, panel += 4) {
        ember_dual_four(x, &panel[0], &panel[2]);
        ember_dual_four(y, &panel[1], &panel[3]);
    }
    ember_dual_tail(x, left, panel, 2);
    ember_dual_tail(y, left, panel + 1, 2);
}

/* The last column of an odd n: its block writes two columns aside. */
static void last_column(ember_dual_block *block, int32_t height, uint8_t *y, int32_t stride, int32_t size)
{
    uint8_t aside[12];
    block->y = aside;
    block->stride = 2 * size;
    ember_dual_run(block, height);
    for (int32_t r = 0; r < height; r++)
        memcpy(y + r * stride, aside + r * 2 * size, (size_t)size);
}

/* Rows of y lie `stride` bytes apart. */
static inline void ember_dual_rows(const int8_t *x, uint8_t *y, int32_t stride, int32_t *scratch,
                                   const ember_dual_params *p, int32_t size)
{
    const int32_t pairs = ember_dual_pairs(p->k);
    const int32_t whole = (p->n >> 1) * (pairs + 4); /* words of the blocks of two columns */
    ember_dual_block block;
    int32_t height = 0;
    for (int32_t row = 0; row < p->rows; row += height) {
        const int32_t left = p->rows - row;
        if (height != (left >= 3 ? 3 : 2)) {
            height = left >= 3 ? 3 : 2;
            const int32_t unit = height == 3 ? UNIT3 : 3;
            const int32_t units = (pairs - 1) / unit;
            const int32_t body = height == 3 ? BODY3 : BODY2;
            ember_dual_enter(&block, units, (pairs - 1) % unit, body, height == 3 ? SIZE3 : SIZE2,
                             height == 3 ? SINGLE3 : SINGLE2);
            ember_dual_leave(&block, (units + body - 1) / body, p, size == 2);
            const uintptr_t low = (uintptr_t)scratch + 4 * (uintptr_t)(height * pairs);
            block.panel_end = (const int32_t *)((low + PANEL_END - 1) & ~(uintptr_t)(PANEL_END - 1));
            block.panel = block.panel_end - height * pairs;
        }
        if (left < height)
            row -= height - left;
        int32_t *panel = scratch + (block.panel - scratch);
        if (height == 3)
            panel3(x + row * p->k, p->k, panel);
        else
            panel2(x + row * p->k, p->k, panel);
        block.stream = p->stream;
        block.stream_end = p->stream + whole;
        block.y = y + row * stride;
        block.stride = stride;
        if (whole != 0)
            ember_dual_run(&block, height);
        if ((p->n & 1) != 0) {
            block.stream = block.stream_end;
            block.stream_end += pairs + 4;
            last_column(&block, height, y + row * stride + (p->n - 1) * size, stride, size);
        }
    }
}

#endif
