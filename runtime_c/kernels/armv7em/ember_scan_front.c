/* The front pass of q.selective_scan where every channel has a step size of its own: 15.5 instructions a channel. */
#include "ember_scan_armv7em.h"

/* r4 entry, then decays; r5 x, then 2u; r6 mu; r8 skip, then its product; r9 Delta, then u. */
#define CHANNEL                                                                                                        \
    "ldrsh r4, [%[v]], #2\n\t"                                                                                         \
    "ldrsb r5, [%[x]], #1\n\t"                                                                                         \
    "usat r4, #10, r4\n\t"                                                                                             \
    "ldr r4, [%[softplus], r4, lsl #2]\n\t"                                                                            \
    "ldrd r6, r8, [%[scales]], #16\n\t"                                                                                \
    "sub r5, r5, %[zx]\n\t"                                                                                            \
    "ubfx r9, r4, #0, #20\n\t"                                                                                         \
    "mul r9, r9, r5\n\t"                                                                                               \
    "add r4, %[decay], r4, lsr #20\n\t"                                                                                \
    "smmulr r9, r9, r6\n\t"                                                                                            \
    "mul r8, r8, r5\n\t"                                                                                               \
    "ssat r9, #16, r9\n\t"                                                                                             \
    "lsl r5, r9, #1\n\t"                                                                                               \
    "stm %[records]!, {r4, r5, r8}\n\t"                                                                                \
    "add %[records], #8\n\t"

#define CHANNELS(text)                                                                                                 \
    __asm__ volatile(text                                                                                              \
                     : [records] "+r"(records), [x] "+r"(x), [v] "+r"(v), [scales] "+r"(scales)                        \
                     : [softplus] "r"(softplus), [decay] "r"(decay), [zx] "r"(zx)                                      \
                     : "r4", "r5", "r6", "r8", "r9", "memory")

void ember_scan_front(ember_scan_record *records, int32_t count, const int8_t *x, const int16_t *v,
                      const int32_t *scales, const ember_scan_params *p)
{
    v += (scales - p->scales) / 4;
#if EMBER_HAS_ARMV7EM
    const uint32_t *softplus = p->softplus;
    const uint16_t *decay = p->decay;
    const int32_t zx = p->zx;
    for (; count >= 8; count -= 8)
        CHANNELS(CHANNEL CHANNEL CHANNEL CHANNEL CHANNEL CHANNEL CHANNEL CHANNEL);
    for (; count > 0; count--)
        CHANNELS(CHANNEL);
#else
    for (; count > 0; count--, records++, scales += 4) {
        const uint32_t entry = ember_scan_entry(*v++, p);
        records->decay.table = ember_scan_decays(entry, p);
        ember_scan_feed(records, entry, *x++ - p->zx, scales);
    }
#endif
}
