/* Movement: q.slice, q.transpose, q.expand, q.concat (one copy an operand), q.pad (fill, then copy), q.gather. */
#ifndef EMBER_MOVEMENT_H
#define EMBER_MOVEMENT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EMBER_COPY_DIMS 6

/* y[y_offset + sum i*ys] = x[x_offset + sum i*xs] for every index i of dims; leading dims that are not needed are 1.
 * Strides and offsets are in elements; a negative xs walks backwards, 0 repeats. */
typedef struct {
    int32_t size; /* bytes of an element: 1, 2 or 4 */
    int32_t dims[EMBER_COPY_DIMS];
    int32_t xs[EMBER_COPY_DIMS];
    int32_t ys[EMBER_COPY_DIMS];
    int32_t x_offset;
    int32_t y_offset;
} ember_copy_params;

/* x and y do not overlap. */
void ember_copy(const void *x, void *y, const ember_copy_params *p);

typedef struct {
    int32_t size; /* bytes of an element: 1, 2 or 4 */
    int32_t count;
    int32_t value;
} ember_fill_params;

/* y[0 .. count-1] = value */
void ember_fill(void *y, const ember_fill_params *p);

/* y[o, i] = x[o, ids[i]], each a block of `block` bytes; x has `length` blocks along the axis. */
typedef struct {
    int32_t outer;
    int32_t length;
    int32_t count; /* of ids */
    int32_t block; /* bytes */
} ember_gather_params;

/* A negative id counts from the end. Returns EMBER_OK, or EMBER_ERR_RANGE for an id outside the axis. */
int ember_gather(const void *x, const int32_t *ids, void *y, const ember_gather_params *p);

#ifdef __cplusplus
}
#endif
#endif
