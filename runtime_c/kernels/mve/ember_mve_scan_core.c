/* The core of q.selective_scan: h = sat16(((decay * h) >> 15) + ((u * b) >> 15) + 1), acc += c * h.
 *
 * Idea: VQDMULH and VQDMLAH are the op's two products, shifts and saturation included; 1 is added between them, where it
 * can't overflow. Decays come by gather. q4 q5 keep b and q6 q7 keep c for all channels; q0-q3 work, r4 decays, r5 u,
 * r6 acc. A part of a vector is loaded and stored under VPST, its b and c being 0.
 * Preconditions: 1 <= n <= 16.
 * A channel: 9 instructions for a vector (7 with one decay for all states), 2 more for a part, and 5: 1.4 a state for
 * n = 16, 2.7 for n = 6.
 */
#include "ember_mve_scan.h"

#if EMBER_HAS_MVE

/* The kept part of the state, rounded up: by decays of log_a, and by one decay. */
#define KEPT(V, H, p)                                                                                                  \
    "vldrh.u16 " H ", [%[log_a]], #16\n\t"                                                                             \
    "vldrh.u16 " V ", [r4, " H ", uxtw #1]\n\t" p("u16 " H ", [%[h]]\n\t") "vqdmulh.s16 " V ", " V ", " H "\n\t"       \
                                                                           "vadd.i16 " V ", " V ", %[one]\n\t"
#define ALIKE(V, H, p)                                                                                                 \
    p("u16 " H ", [%[h]]\n\t") "vqdmulh.s16 " V ", " H ", r4\n\t"                                                      \
                               "vadd.i16 " V ", " V ", %[one]\n\t"
#define ADDED(V, B, C, p) "vqdmlah.s16 " V ", " B ", r5\n\t" p "vmladava.s16 r6, " V ", " C "\n\t"

#define LOAD(text) "vldrh." text
#define LOAD_PART(text) "vpst\n\tvldrht." text
#define STORE(V) "vstrh.16 " V ", [%[h]], #16\n\t"
#define STORE_PART(V) "vpst\n\tvstrht.16 " V ", [%[h]], #16\n\t"

/* All channels: b and c loaded, then `body` for each. */
#define CHANNELS(load, body)                                                                                           \
    __asm__ volatile("vctp.16 %[left]\n\t" load "dls lr, %[count]\n"                                                   \
                     "1:\tldm %[records]!, {r4, r5, r6, r8}\n\t" body "add %[h], %[step]\n\t"                          \
                     "str r6, [%[records], #-8]\n\t"                                                                   \
                     "le lr, 1b\n\t"                                                                                   \
                     : [records] "+r"(records), [h] "+r"(h), [log_a] "+r"(log_a)                                       \
                     : [b] "r"(b), [c] "r"(c), [count] "r"(count), [step] "r"(step), [left] "r"(n & 7), [one] "r"(1)   \
                     : "q0", "q1", "q2", "q3", "q4", "q5", "q6", "q7", "r4", "r5", "r6", "r8", "lr", "memory")

/* One vector, whole or a part, and two. */
#define LOW(load) load("u16 q4, [%[b]]\n\t") load("u16 q6, [%[c]]\n\t")
#define HIGH(load) load("u16 q5, [%[b], #16]\n\t") load("u16 q7, [%[c], #16]\n\t")
#define ONE(kept, load, store) CHANNELS(LOW(load), kept("q2", "q0", load) ADDED("q2", "q4", "q6", store("q2")))
#define TWO(kept, load, store)                                                                                         \
    CHANNELS(LOW(LOAD) HIGH(load), kept("q2", "q0", LOAD) ADDED("q2", "q4", "q6", STORE("q2")) kept("q3", "q1", load)  \
                                       ADDED("q3", "q5", "q7", store("q3")))
#define STATES(kept)                                                                                                   \
    if (n == 16)                                                                                                       \
        TWO(kept, LOAD, STORE);                                                                                        \
    else if (n > 8)                                                                                                    \
        TWO(kept, LOAD_PART, STORE_PART);                                                                              \
    else if (n == 8)                                                                                                   \
        ONE(kept, LOAD, STORE);                                                                                        \
    else                                                                                                               \
        ONE(kept, LOAD_PART, STORE_PART)

void ember_mve_scan_core(ember_mve_record *records, int32_t count, int16_t *h, int32_t stride, const uint16_t *log_a,
                         const int16_t *b, const int16_t *c, int32_t n)
{
    const int32_t step = 2 * stride - 16 * ((n + 7) / 8); /* bytes from where a channel's states end */
    if (log_a != NULL) {
        STATES(KEPT);
    } else {
        STATES(ALIKE);
    }
}

#endif
