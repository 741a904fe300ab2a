/* q.table, int8 x, int16 y: a gather of eight halves. Measured at 128 x 128: 0.63 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_rows.h"

void ember_table_s8_s16_mve(const int8_t *x, int16_t *y, const ember_table_params *restrict p)
{
    const int16_t *table = p->table;
    int32_t n = p->count;
    for (; n >= 8; n -= 8, x += 8, y += 8) {
        const int16x8_t at = vaddq_n_s16(vldrbq_s16(x), 128);
        vstrhq_s16(y, vldrhq_gather_shifted_offset_s16(table, vreinterpretq_u16_s16(at)));
    }
    if (n > 0) {
        const mve_pred16_t inside = vctp16q((uint32_t)n);
        const int16x8_t at = vaddq_n_s16(vldrbq_z_s16(x, inside), 128);
        vstrhq_p_s16(y, vldrhq_gather_shifted_offset_z_s16(table, vreinterpretq_u16_s16(at), inside), inside);
    }
}

#else

void ember_table_s8_s16_mve(const int8_t *x, int16_t *y, const ember_table_params *restrict p)
{
    ember_table_s8_s16(x, y, p);
}

#endif
