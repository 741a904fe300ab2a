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
    EMBER_ERR_RANGE = 3, /* an id lies outside its table */
    EMBER_ERR_ARENA = 4  /* the arena is smaller than the model's header asks */
} ember_status;

/* Aligns a static object: EMBER_ALIGN(16) static unsigned char arena[N]; */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define EMBER_ALIGN(bytes) alignas(bytes)
#elif defined(__GNUC__) || defined(__clang__) || defined(__ICCARM__) || defined(__ARMCC_VERSION)
#define EMBER_ALIGN(bytes) __attribute__((aligned(bytes)))
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define EMBER_ALIGN(bytes) _Alignas(bytes)
#else
#error "define EMBER_ALIGN(bytes) for this compiler"
#endif

/* Puts a static object into a linker section, where names are those of ELF; elsewhere the linker's own choice is kept. */
#ifndef EMBER_SECTION
#if defined(__ELF__) || defined(__ICCARM__) || defined(__ARMCC_VERSION)
#define EMBER_SECTION(name) __attribute__((section(name)))
#else
#define EMBER_SECTION(name)
#endif
#endif

#endif
