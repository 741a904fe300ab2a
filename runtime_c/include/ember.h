/* What a compiled model and its caller share: status codes and the version of the runtime. */
#ifndef EMBER_H
#define EMBER_H

#include <stdint.h>

#define EMBER_VERSION_MAJOR 0
#define EMBER_VERSION_MINOR 1

/* Result of every function that can fail. */
typedef enum {
    EMBER_OK = 0,
    EMBER_ERR_NULL = 1,  /* a required pointer is NULL */
    EMBER_ERR_ALIGN = 2, /* the arena or a buffer is not aligned as the model's header asks */
    EMBER_ERR_RANGE = 3  /* an id lies outside its table */
} ember_status;

#endif
