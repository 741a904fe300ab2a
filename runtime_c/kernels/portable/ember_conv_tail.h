/* What q.causal_conv keeps for the next call: the last rows, taken over as bytes. Private to the fast kernels. */
#ifndef EMBER_CONV_TAIL_H
#define EMBER_CONV_TAIL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The last taps - 1 rows of initial and x; they move towards lower addresses, so tail may be initial, or NULL where
 * nobody goes on from here. Returns where those of the next batch go. */
static inline int8_t *ember_conv_keep(const int8_t *x, const int8_t *initial, int8_t *tail, int32_t rows,
                                      int32_t channels, int32_t taps, int32_t zx)
{
    const size_t bytes = (size_t)channels;
    for (int32_t k = 0; tail != NULL && k < taps - 1; k++, tail += channels) {
        const int32_t row = rows - taps + 1 + k;
        if (row >= 0)
            memcpy(tail, x + row * channels, bytes);
        else if (initial == NULL)
            memset(tail, zx, bytes);
        else
            memmove(tail, initial + (row + taps - 1) * channels, bytes);
    }
    return tail;
}

#endif
