/* One step of q.causal_conv of at most four taps, without a shift: ember_mve_conv.h. */
#include "ember_mve_conv.h"

#if EMBER_HAS_MVE

#define PAIR(A, B, older, newer)                                                                                       \
    "vldrb.s16 " A ", [%[" older "]], #8\n\t"                                                                          \
    "vldrb.s16 q4, [%[s]], #8\n\t"                                                                                     \
    "vldrb.s16 " B ", [%[" newer "]], #8\n\t"                                                                          \
    "vmul.i16 " A ", " A ", q4\n\t"                                                                                    \
    "vldrb.s16 q5, [%[s]], #8\n\t"                                                                                     \
    "vmul.i16 " B ", " B ", q5\n\t"                                                                                    \
    "vadd.i16 " A ", " A ", " B "\n\t"

/* q0, q2 sums of pairs, then q1 even and q0 odd channels; q6, q7 the clamp. */
#define EIGHT                                                                                                          \
    PAIR("q0", "q1", "x0", "x1")                                                                                       \
    PAIR("q2", "q3", "x2", "x3")                                                                                       \
    "vmovlb.s16 q1, q0\n\t"                                                                                            \
    "vmovlb.s16 q3, q2\n\t"                                                                                            \
    "vmovlt.s16 q0, q0\n\t"                                                                                            \
    "vadd.i32 q1, q1, q3\n\t"                                                                                          \
    "vmovlt.s16 q2, q2\n\t"                                                                                            \
    "vldrw.u32 q3, [%[s]], #16\n\t"                                                                                    \
    "vadd.i32 q0, q0, q2\n\t"                                                                                          \
    "vldrw.u32 q4, [%[s]], #16\n\t"                                                                                    \
    "vadd.i32 q1, q1, q3\n\t"                                                                                          \
    "vldrw.u32 q3, [%[s]], #16\n\t"                                                                                    \
    "vadd.i32 q0, q0, q4\n\t"                                                                                          \
    "vldrw.u32 q4, [%[s]], #16\n\t"                                                                                    \
    "vrmulh.s32 q1, q1, q3\n\t"                                                                                        \
    "vrmulh.s32 q0, q0, q4\n\t"                                                                                        \
    "vqmovnb.s32 q1, q1\n\t"                                                                                           \
    "vqmovnt.s32 q1, q0\n\t"                                                                                           \
    "vqadd.s16 q1, q1, %[zero]\n\t"                                                                                    \
    "vmax.s16 q1, q1, q6\n\t"                                                                                          \
    "vmin.s16 q1, q1, q7\n\t"
#define LOOKUP                                                                                                         \
    "vldrh.u16 q3, [%[s]], #16\n\t"                                                                                    \
    "vadd.i16 q1, q1, q3\n\t"                                                                                          \
    "vldrb.u16 q0, [%[t], q1]\n\t"                                                                                     \
    "vstrb.16 q0, [%[y]], #8\n\t"
#define STORE "vstrb.16 q1, [%[y]], #8\n\t"
#define BLOCKS(text, t_, clamp)                                                                                        \
    __asm__ volatile("ldr lr, [%[limits]]\n\t"                                                                         \
                     "vdup.16 q6, lr\n\t"                                                                              \
                     "ldr lr, [%[limits], #4]\n\t"                                                                     \
                     "vdup.16 q7, lr\n\t"                                                                              \
                     "wls lr, %[blocks], 2f\n"                                                                         \
                     "1:\t" text "le lr, 1b\n"                                                                         \
                     "2:"                                                                                              \
                     : [x0] "+l"(x0), [x1] "+l"(x1), [x2] "+l"(x2), [x3] "+l"(x3), [s] "+l"(s), [y] "+l"(to)           \
                     : [t] "r"(t_), [zero] "r"(p->zero_point), [blocks] "r"(blocks), [limits] "r"(clamp)               \
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "lr", "memory")

void ember_mve_conv_few(const int8_t *const *rows, int8_t *y, const ember_mve_conv_params *p)
{
    const int8_t *x0 = rows[0], *x1 = rows[1], *x2 = rows[2], *x3 = rows[3];
    const int8_t *s = p->stream;
    const int32_t blocks = p->channels / EMBER_MVE_CONV_LANES;
    int8_t *to = y;
    if (p->table != NULL)
        BLOCKS(EIGHT LOOKUP, p->table, &p->lo);
    else
        BLOCKS(EIGHT STORE, p->table, &p->lo);
    if (p->channels % EMBER_MVE_CONV_LANES != 0)
        ember_mve_conv_many(rows, y, blocks * EMBER_MVE_CONV_LANES, p);
}

#else

void ember_mve_conv_few(const int8_t *const *rows, int8_t *y, const ember_mve_conv_params *p)
{
    ember_mve_conv_many(rows, y, 0, p);
}

#endif
