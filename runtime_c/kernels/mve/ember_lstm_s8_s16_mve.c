/* q.lstm, int8 x and hidden state, int16 y: each product a q.matmul on Helium, the rest in ember_cell.h.
 *
 * Measured, one step of 128 inputs and 128 units: 0.293 a MAC.
 */
#include "ember_cell.h"
#include "ember_mve.h"

void ember_lstm_s8_s16_mve(const int8_t *x, const int8_t *h0, const int16_t *c0, int16_t *y, int16_t *last,
                           int8_t *hidden, void *scratch, const ember_cell_params *p)
{
    ember_cell cell = {p, 1, 2, NULL, NULL, NULL, NULL, NULL};
    const size_t states = (size_t)(p->batch * p->size);
    ember_cell_start(&cell, 4, last, hidden, scratch);
    memmove(hidden, h0, states * sizeof *h0);
    memmove(last, c0, states * sizeof *c0);
    for (int32_t i = 0; i < p->steps; i++) {
        const int32_t t = ember_cell_step(i, p);
        for (int32_t b = 0; b < p->batch; b++) {
            ember_matmul_s8_s16_mve(ember_cell_row(&cell, x, t, b), cell.from_x, scratch, p->w);
            ember_matmul_s8_s16_mve(ember_cell_hidden(&cell, b), cell.from_h, scratch, p->r);
            ember_lstm_step(&cell, y, t, b);
        }
    }
}
