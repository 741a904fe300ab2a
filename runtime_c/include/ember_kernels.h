/* All kernels. A parameter struct is `static const` in the generated C, so that it stays in flash.
 *
 * Common to all kernels: no alignment beyond the element's own is needed unless the header comment says so;
 * rows are the leading dimensions of a tensor multiplied together; bool is uint8_t 0 or 1; `y` (or `z`) may be
 * the same buffer as an operand exactly where the op's class lists it in `inplace`. The definition of each op
 * is its class in compiler/emberc/ir/ops/, and the bits here are the same.
 * Suffixes: _s8 reads and writes int8; _s8_s16 reads int8 and writes int16; _s16s8 reads int16 and int8.
 */
#ifndef EMBER_KERNELS_H
#define EMBER_KERNELS_H

#include "ember.h"
#include "ember_attention.h"
#include "ember_cells.h"
#include "ember_elementwise.h"
#include "ember_embed.h"
#include "ember_index.h"
#include "ember_logic.h"
#include "ember_matmul.h"
#include "ember_movement.h"
#include "ember_norm.h"
#include "ember_packed.h"
#include "ember_reduce.h"
#include "ember_rows.h"
#include "ember_scan.h"
#include "ember_stream.h"
#include "ember_table.h"
#include "ember_window.h"

#endif
