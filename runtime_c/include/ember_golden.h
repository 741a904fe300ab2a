/* What a compiled model's golden vectors offer to the test program (ports/common/test_main.c).
 *
 * <model>_golden.c defines both. It owns the arena, the context and the I/O buffers, so that the test
 * program knows nothing of the model.
 */
#ifndef EMBER_GOLDEN_H
#define EMBER_GOLDEN_H

#ifdef __cplusplus
extern "C" {
#endif

/* Number of vectors, at least 1. */
extern const unsigned ember_golden_vectors;

/* Runs the model on one vector, 0 <= vector < ember_golden_vectors, and compares every output element.
 * Returns the number of elements that differ from the reference (0: bit-exact), or -status when the
 * model refused to run. */
int ember_golden_run(unsigned vector);

#ifdef __cplusplus
}
#endif
#endif
