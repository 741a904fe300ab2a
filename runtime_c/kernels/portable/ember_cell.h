/* What the q.lstm and q.gru kernels of all instruction sets share: the step behind the products, and where things are.
 *
 * The products are q.matmul kernels of one row; what is here costs five table look-ups an element of the state (LSTM)
 * against 4 * (width + size) products.
 */
#ifndef EMBER_CELL_H
#define EMBER_CELL_H

#include <stddef.h>
#include <string.h>

#include "ember_cells.h"
#include "ember_math.h"

enum { EMBER_CELL_HALF = 1 << 14, EMBER_CELL_GATE_BITS = 11 };

/* A run: its scratch, and the element sizes of x (and the hidden state) and of y. */
typedef struct {
    const ember_cell_params *p;
    int32_t x_size;
    int32_t y_size;
    int16_t *from_x; /* [gates, size] */
    int16_t *from_h; /* [gates, size] */
    int16_t *state;  /* [batch, size]: c, or h of a GRU */
    uint8_t *hidden; /* [batch, size] of x's type */
    uint8_t *reset;  /* [size] of x's type: r h of a GRU */
} ember_cell;

/* ``hidden`` NULL: it lies in the scratch, with the place for r h behind it. 16-bit values of the scratch are reached
 * through void, so that its alignment needs no proof by the compiler. */
static inline void ember_cell_start(ember_cell *cell, int32_t gates, int16_t *state, void *hidden, void *scratch)
{
    const ember_cell_params *p = cell->p;
    int16_t *words = (int16_t *)(void *)((uint8_t *)scratch + p->work);
    cell->from_x = words;
    cell->from_h = words + gates * p->size;
    cell->state = state;
    cell->hidden = hidden != NULL ? hidden : (uint8_t *)(words + 2 * gates * p->size);
    cell->reset = cell->hidden + p->batch * p->size * cell->x_size;
}

/* Step i in the order of execution. */
static inline int32_t ember_cell_step(int32_t i, const ember_cell_params *p)
{
    return p->reverse != 0 ? p->steps - 1 - i : i;
}

static inline const void *ember_cell_row(const ember_cell *cell, const void *x, int32_t t, int32_t b)
{
    return (const uint8_t *)x + (t * cell->p->batch + b) * cell->p->width * cell->x_size;
}

static inline void *ember_cell_hidden(const ember_cell *cell, int32_t b)
{
    return cell->hidden + b * cell->p->size * cell->x_size;
}

static inline void ember_cell_put(uint8_t *to, int32_t i, int32_t v, int32_t size)
{
    const int16_t both = ember_clamp_s16(v);
    if (size == 1)
        to[i] = (uint8_t)ember_clamp_s8(v);
    else
        memcpy(to + 2 * i, &both, 2);
}

static inline int32_t ember_cell_get(const uint8_t *from, int32_t i, int32_t size)
{
    int16_t both;
    if (size == 1)
        return (int8_t)from[i];
    memcpy(&both, from + 2 * i, 2);
    return both;
}

/* As q.table16. */
static inline int32_t ember_cell_look_up(const int16_t *table, int32_t v)
{
    const int16_t *t = table + 256 + (v >> 7);
    return t[0] + (((t[1] - t[0]) * (v & 127) + 64) >> 7);
}

/* h of element i: to the hidden state, and to y[t, b] unless y is NULL. */
static inline void ember_cell_keep(const ember_cell *cell, uint8_t *y, int32_t b, int32_t i, int32_t h)
{
    const ember_cell_params *p = cell->p;
    const int32_t v = ember_high_multiply(ember_shift_left(h, p->h_shift), p->h_m, 0);
    ember_cell_put(cell->hidden, b * p->size + i, v, cell->x_size);
    if (y != NULL)
        ember_cell_put(y, i, ember_high_multiply(ember_shift_left(h, p->y_shift), p->y_m, p->zero_point), cell->y_size);
}

static inline uint8_t *ember_cell_result(const ember_cell *cell, void *y, int32_t t, int32_t b)
{
    return (uint8_t *)y + (t * cell->p->batch + b) * cell->p->size * cell->y_size;
}

/* c in steps of 2^-bits, in steps of 2^-11. */
static inline int32_t ember_cell_rescale(int32_t c, int32_t bits)
{
    const int32_t down = bits - EMBER_CELL_GATE_BITS;
    return ember_clamp_s16(down >= 0 ? (c + (1 << down >> 1)) >> down : ember_shift_left(c, -down));
}

/* One step of an LSTM for row b, its products being there; the gates are i, o, f, g. */
static inline void ember_lstm_step(const ember_cell *cell, void *y, int32_t t, int32_t b)
{
    const ember_cell_params *p = cell->p;
    const int32_t n = p->size;
    const int16_t *u = cell->from_x, *v = cell->from_h;
    int16_t *state = cell->state + b * n;
    uint8_t *out = ember_cell_result(cell, y, t, b);
    for (int32_t k = 0; k < n; k++) {
        const int32_t i = ember_cell_look_up(p->gate, ember_clamp_s16(u[k] + v[k]));
        const int32_t o = ember_cell_look_up(p->gate, ember_clamp_s16(u[n + k] + v[n + k]));
        const int32_t f = ember_cell_look_up(p->gate, ember_clamp_s16(u[2 * n + k] + v[2 * n + k]));
        const int32_t g = ember_cell_look_up(p->candidate, ember_clamp_s16(u[3 * n + k] + v[3 * n + k]));
        const int32_t c = ember_clamp_s16((f * state[k] + ((i * g) >> (15 - p->bits)) + EMBER_CELL_HALF) >> 15);
        state[k] = (int16_t)c;
        const int32_t squashed = ember_cell_look_up(p->output, ember_cell_rescale(c, p->bits));
        ember_cell_keep(cell, out, b, k, (o * squashed + EMBER_CELL_HALF) >> 15);
    }
}

/* The first part of a step of a GRU for row b: z and r take the places of what x adds to them, and r h is laid out. */
static inline void ember_gru_gates(const ember_cell *cell, int32_t b)
{
    const ember_cell_params *p = cell->p;
    const uint8_t *hidden = ember_cell_hidden(cell, b);
    for (int32_t k = 0; k < 2 * p->size; k++)
        cell->from_x[k] = (int16_t)ember_cell_look_up(p->gate, ember_clamp_s16(cell->from_x[k] + cell->from_h[k]));
    for (int32_t k = 0; p->late == 0 && k < p->size; k++) {
        const int32_t v = cell->from_x[p->size + k] * ember_cell_get(hidden, k, cell->x_size);
        ember_cell_put(cell->reset, k, (v + EMBER_CELL_HALF) >> 15, cell->x_size);
    }
}

/* What the product with the weights of n reads. */
static inline const void *ember_gru_inner(const ember_cell *cell, int32_t b)
{
    return cell->p->late != 0 ? ember_cell_hidden(cell, b) : cell->reset;
}

/* The rest of the step, the product for n being at from_h. */
static inline void ember_gru_step(const ember_cell *cell, void *y, int32_t t, int32_t b)
{
    const ember_cell_params *p = cell->p;
    const int32_t n = p->size, down = 15 - p->bits;
    int16_t *state = cell->state + b * n;
    uint8_t *out = ember_cell_result(cell, y, t, b);
    for (int32_t k = 0; k < n; k++) {
        const int32_t z = cell->from_x[k], r = cell->from_x[n + k];
        const int32_t inner = p->late != 0 ? (r * cell->from_h[k] + EMBER_CELL_HALF) >> 15 : cell->from_h[k];
        const int32_t fresh = ember_cell_look_up(p->candidate, ember_clamp_s16(cell->from_x[2 * n + k] + inner));
        const int32_t scaled = (fresh + (1 << down >> 1)) >> down;
        const int32_t s = ((32768 - z) * scaled + z * state[k] + EMBER_CELL_HALF) >> 15;
        state[k] = (int16_t)s;
        ember_cell_keep(cell, out, b, k, s);
    }
}

#endif
