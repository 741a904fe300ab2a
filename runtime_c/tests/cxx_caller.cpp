// A C++ program includes every header and links against the C kernels.
#include "ember_kernels.h"

int main()
{
    const int8_t x[3] = {-1, 0, 1};
    uint8_t y[3] = {9, 9, 9};
    const ember_nonzero_params p = {3};
    ember_nonzero_s8(x, y, &p);
    return y[0] == 1 && y[1] == 0 && y[2] == 1 ? EMBER_OK : 1;
}
