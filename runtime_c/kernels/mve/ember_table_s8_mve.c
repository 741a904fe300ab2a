/* q.table, int8 x, int8 y: a gather of sixteen bytes; y may be x. Measured at 128 x 128: 0.31 an element. */
#include "ember_mve.h"

#if EMBER_HAS_MVE

#include "ember_mve_rows.h"

void ember_table_s8_mve(const int8_t *x, int8_t *y, const ember_table_params *restrict p)
{
    const int8_t *table = p->table;
    const uint8x16_t offset = vdupq_n_u8(128);
    int32_t n = p->count;
    for (; n >= 16; n -= 16, x += 16, y += 16) {
        const uint8x16_t at = veorq_u8(vreinterpretq_u8_s8(vldrbq_s8(x)), offset);
        vstrbq_s8(y, vldrbq_gather_offset_s8(table, at));
    }
    if (n > 0) {
        const mve_pred16_t inside = vctp8q((uint32_t)n);
        const uint8x16_t at = veorq_u8(vreinterpretq_u8_s8(vldrbq_z_s8(x, inside)), offset);
        vstrbq_p_s8(y, vldrbq_gather_offset_z_s8(table, at, inside), inside);
    }
}

#else

void ember_table_s8_mve(const int8_t *x, int8_t *y, const ember_table_params *restrict p)
{
    ember_table_s8(x, y, p);
}

#endif
