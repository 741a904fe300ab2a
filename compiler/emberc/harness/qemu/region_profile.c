/* region_profile: counts what a bare-metal guest executes, by region, exactly and reproducibly; a QEMU TCG plugin.
 *
 * Use:  qemu-system-... -plugin region_profile.so,out=FILE[,memory=START-END]...  (hex; END is behind the last byte)
 * Out:  one line a region and block:  <region> <start, hex> <instructions> <times run> <times left by a jump>
 *       then, for every memory given, its loads and stores of up to 32 bits that the block made
 *
 * QEMU translates straight-line runs of guest code to blocks. The plugin counts how often each block ran, and how
 * often control left it for another place than the one behind it. Regions 0 to 63 are opened and closed by the
 * guest with architectural no-ops (runtime_c/ports/<architecture>/region.S); -1 is what lies outside. Joining the
 * counts with a disassembly is the reader's part, so that any instruction set QEMU knows works here.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_interface.h"
#include "region_markers.h"

enum { BUCKETS = 1 << 14, MEMORIES = 8 };

typedef struct Block {
    struct Block *next;
    uint64_t start, end; /* guest addresses; end is behind the last instruction */
    size_t instructions;
    struct {
        uint64_t runs, jumps;
        uint64_t (*accesses)[2]; /* [memories]: loads, stores; NULL before the first */
    } in[REGIONS + 1];
} Block;

static struct {
    uint64_t start, end;
} memories[MEMORIES];
static int memory_count;

/* An instruction that accesses memory. */
typedef struct {
    Block *block;
} Site;

static const Site *last_site; /* since the block was entered */
static uint64_t last_end;
static Block *buckets[BUCKETS];
static Block *last_block;
static int region = OUTSIDE, last_region = OUTSIDE;
static const char *out_path;

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p) {
        fputs("region_profile: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return p;
}

/* QEMU may translate the same block again; its counts go on in the same record. */
static Block *find_block(uint64_t start, uint64_t end, size_t instructions)
{
    Block **bucket = &buckets[((start >> 1) ^ (start >> 15)) % BUCKETS];
    for (Block *b = *bucket; b; b = b->next)
        if (b->start == start && b->end == end && b->instructions == instructions)
            return b;
    Block *b = zeroed(1, sizeof *b);
    b->start = start;
    b->end = end;
    b->instructions = instructions;
    b->next = *bucket;
    return *bucket = b;
}

static void on_block(unsigned cpu, void *data)
{
    Block *b = data;
    (void)cpu;
    if (last_block && last_block->end != b->start)
        last_block->in[last_region].jumps++;
    b->in[region].runs++;
    last_site = NULL;
    last_block = b;
    last_region = region;
}

/* QEMU makes an access for every element of a vector, the core one for every 32 bits: elements of one word that one
 * instruction takes one after the other count once. */
static void on_access(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
    const Site *const site = data;
    Block *const b = site->block;
    const unsigned shift = qemu_plugin_mem_size_shift(info);
    const int same_word = site == last_site && address == last_end && address % 4 != 0;
    (void)cpu;
    last_site = site;
    last_end = address + (1u << shift);
    if (same_word)
        return;
    for (int m = 0; m < memory_count; m++)
        if (address >= memories[m].start && address < memories[m].end) {
            if (!b->in[region].accesses)
                b->in[region].accesses = zeroed(MEMORIES, sizeof *b->in[region].accesses);
            b->in[region].accesses[m][qemu_plugin_mem_is_store(info)] += shift > 2 ? 1u << (shift - 2) : 1u;
            return;
        }
}

static void on_marker(unsigned cpu, void *data)
{
    (void)cpu;
    region = (int)(intptr_t)data;
}

static void on_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    const size_t n = qemu_plugin_tb_n_insns(tb);
    const struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, n - 1);
    const uint64_t end = qemu_plugin_insn_vaddr(last) + qemu_plugin_insn_size(last);
    Block *const block = find_block(qemu_plugin_tb_vaddr(tb), end, n);
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const int m = insn_marker(insn);
        if (m != NO_MARKER)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker, QEMU_PLUGIN_CB_NO_REGS, (void *)(intptr_t)m);
        if (memory_count) {
            Site *const site = zeroed(1, sizeof *site);
            site->block = block;
            qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, site);
        }
    }
}

static void write_row(FILE *out, const Block *b, int r)
{
    fprintf(out, "%d %" PRIx64 " %zu %" PRIu64 " %" PRIu64, r == OUTSIDE ? -1 : r, b->start, b->instructions,
            b->in[r].runs, b->in[r].jumps);
    for (int m = 0; m < memory_count; m++) {
        static const uint64_t none[2];
        const uint64_t *const count = b->in[r].accesses ? b->in[r].accesses[m] : none;
        fprintf(out, " %" PRIu64 " %" PRIu64, count[0], count[1]);
    }
    fputc('\n', out);
}

static void on_exit_write(qemu_plugin_id_t id, void *data)
{
    (void)id;
    (void)data;
    FILE *out = fopen(out_path, "w");
    if (!out) {
        perror(out_path);
        return;
    }
    for (int k = 0; k < BUCKETS; k++)
        for (const Block *b = buckets[k]; b; b = b->next)
            for (int r = 0; r <= OUTSIDE; r++)
                if (b->in[r].runs)
                    write_row(out, b, r);
    fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "out=", 4) == 0)
            out_path = strdup(argv[i] + 4);
        else if (memory_count < MEMORIES && sscanf(argv[i], "memory=%" SCNx64 "-%" SCNx64,
                                                   &memories[memory_count].start, &memories[memory_count].end) == 2)
            memory_count++;
    if (!out_path) {
        fputs("region_profile: give out=FILE\n", stderr);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
    qemu_plugin_register_atexit_cb(id, on_exit_write, NULL);
    return 0;
}
