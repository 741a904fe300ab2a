/* my.q.running_max: y[t, c] = max(x[0..t, c]); x [steps, channels], any values; y may be x. */
#include "my_running_max.h"

void my_running_max_s8(const int8_t *x, int8_t *y, const my_running_max_params *p)
{
    for (int32_t c = 0; c < p->channels; c++) {
        int8_t top = x[c];
        for (int32_t t = 0; t < p->steps; t++) {
            const int32_t at = t * p->channels + c;
            top = x[at] > top ? x[at] : top;
            y[at] = top;
        }
    }
}
