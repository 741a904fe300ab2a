/* q.lstm and q.gru: recurrent cells over a whole sequence. */
#ifndef EMBER_CELLS_H
#define EMBER_CELLS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What both cells have. w, r and rn are the parameters of the q.matmul kernel that the function calls, for one row. */
typedef struct {
    const void *w;            /* x to all gates */
    const void *r;            /* the hidden state to all gates; of a GRU to z and r */
    const void *rn;           /* of a GRU: to n; else NULL */
    const int16_t *gate;      /* [513], as q.table16 */
    const int16_t *candidate; /* [513] */
    const int16_t *output;    /* [513]; of a GRU NULL */
    int32_t steps;
    int32_t batch;
    int32_t width; /* of x */
    int32_t size;  /* of the state */
    int32_t reverse;
    int32_t late;    /* of a GRU: the reset gate after the product */
    int32_t bits;    /* fraction bits of the state that adds up, 0 .. 15 */
    int32_t h_m;     /* h to the hidden state of x's type */
    int32_t h_shift; /* 0 .. 15 */
    int32_t y_m;     /* h to y */
    int32_t y_shift;
    int32_t zero_point; /* of y */
    int32_t work;       /* bytes of scratch before the cell's own: what the q.matmul kernel takes, a multiple of 4 */
} ember_cell_params;

/* x [steps, batch, width], h0 and hidden [batch, size] of x's type, c0 and last [batch, size], y [steps, batch, size];
 * last (c) and hidden (h) are the states after the last step and may be c0 and h0. Scratch: work bytes, then int16
 * [2, 4, size] (LSTM) or [2, 3, size] and the hidden state [batch + 1, size] of x's type (GRU); aligned as the q.matmul
 * kernel asks. */
void ember_lstm_s8(const int8_t *x, const int8_t *h0, const int16_t *c0, int8_t *y, int16_t *last, int8_t *hidden,
                   void *scratch, const ember_cell_params *p);
void ember_lstm_s8_s16(const int8_t *x, const int8_t *h0, const int16_t *c0, int16_t *y, int16_t *last, int8_t *hidden,
                       void *scratch, const ember_cell_params *p);
void ember_lstm_s16(const int16_t *x, const int16_t *h0, const int16_t *c0, int16_t *y, int16_t *last, int16_t *hidden,
                    void *scratch, const ember_cell_params *p);
void ember_lstm_s16_s8(const int16_t *x, const int16_t *h0, const int16_t *c0, int8_t *y, int16_t *last,
                       int16_t *hidden, void *scratch, const ember_cell_params *p);

/* s0 and last [batch, size]: the state before the first step and after the last; last may be s0. */
void ember_gru_s8(const int8_t *x, const int16_t *s0, int8_t *y, int16_t *last, void *scratch,
                  const ember_cell_params *p);
void ember_gru_s8_s16(const int8_t *x, const int16_t *s0, int16_t *y, int16_t *last, void *scratch,
                      const ember_cell_params *p);
void ember_gru_s16(const int16_t *x, const int16_t *s0, int16_t *y, int16_t *last, void *scratch,
                   const ember_cell_params *p);
void ember_gru_s16_s8(const int16_t *x, const int16_t *s0, int8_t *y, int16_t *last, void *scratch,
                      const ember_cell_params *p);

/* The same with the q.matmul kernels of an instruction set. */
void ember_lstm_s8_armv7em(const int8_t *x, const int8_t *h0, const int16_t *c0, int8_t *y, int16_t *last,
                           int8_t *hidden, void *scratch, const ember_cell_params *p);
void ember_gru_s8_armv7em(const int8_t *x, const int16_t *s0, int8_t *y, int16_t *last, void *scratch,
                          const ember_cell_params *p);
void ember_lstm_s8_s16_armv7em(const int8_t *x, const int8_t *h0, const int16_t *c0, int16_t *y, int16_t *last,
                               int8_t *hidden, void *scratch, const ember_cell_params *p);
void ember_gru_s8_s16_armv7em(const int8_t *x, const int16_t *s0, int16_t *y, int16_t *last, void *scratch,
                              const ember_cell_params *p);
void ember_lstm_s8_mve(const int8_t *x, const int8_t *h0, const int16_t *c0, int8_t *y, int16_t *last, int8_t *hidden,
                       void *scratch, const ember_cell_params *p);
void ember_gru_s8_mve(const int8_t *x, const int16_t *s0, int8_t *y, int16_t *last, void *scratch,
                      const ember_cell_params *p);
void ember_lstm_s8_s16_mve(const int8_t *x, const int8_t *h0, const int16_t *c0, int16_t *y, int16_t *last,
                           int8_t *hidden, void *scratch, const ember_cell_params *p);
void ember_gru_s8_s16_mve(const int8_t *x, const int16_t *s0, int16_t *y, int16_t *last, void *scratch,
                          const ember_cell_params *p);
void ember_lstm_s8_rv32(const int8_t *x, const int8_t *h0, const int16_t *c0, int8_t *y, int16_t *last, int8_t *hidden,
                        void *scratch, const ember_cell_params *p);
void ember_gru_s8_rv32(const int8_t *x, const int16_t *s0, int8_t *y, int16_t *last, void *scratch,
                       const ember_cell_params *p);
void ember_lstm_s8_s16_rv32(const int8_t *x, const int8_t *h0, const int16_t *c0, int16_t *y, int16_t *last,
                            int8_t *hidden, void *scratch, const ember_cell_params *p);
void ember_gru_s8_s16_rv32(const int8_t *x, const int16_t *s0, int16_t *y, int16_t *last, void *scratch,
                           const ember_cell_params *p);

#ifdef __cplusplus
}
#endif
#endif
