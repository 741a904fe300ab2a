/* Four steps at a time of a q.causal_conv channel without a table: ember_conv_asm.h. */
#include "ember_conv_armv7em.h"
#include "ember_conv_asm.h"

#if EMBER_HAS_ARMV7EM

__attribute__((naked, noinline)) void ember_conv_window(const ember_conv_channel *channel __attribute__((unused)))
{
    __asm__ volatile(EMBER_CONV_WINDOW(EMBER_CONV_SAT));
}

#else

void ember_conv_window(const ember_conv_channel *channel)
{
    ember_conv_plain(channel, NULL);
}

#endif
