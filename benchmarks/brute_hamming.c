/* Every pair of 64-bit hashes within a Hamming distance, by comparing all: the peer of benchmarks/duplicates.py.

   brute_hamming HASHES ROWS DISTANCE THREADS PAIRS
     HASHES  file of uint64
     ROWS    file of uint32, ascending: each of these is compared with all hashes after it
     PAIRS   file to write: two uint32 a pair

   Prints the seconds that the comparing took. With -DTILE=1 each pair is compared by itself, as one writes it
   first; with a larger TILE the compiler can compare a tile at once, and looks closer only where something is near. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifndef TILE
#define TILE 64
#endif
enum { BLOCK_ROWS = 64, BLOCK_COLUMNS = 2048 };

static uint64_t *hashes;
static uint32_t *rows;
static size_t n, n_rows;
static int distance;
static atomic_size_t next_block;

typedef struct {
    uint32_t *pairs;
    size_t count, room;
} Found;

static void keep(Found *found, uint32_t first, uint32_t second) {
    if (found->count == found->room) {
        found->room = found->room ? 2 * found->room : 1 << 16;
        found->pairs = realloc(found->pairs, found->room * 2 * sizeof(uint32_t));
        if (!found->pairs) exit(3);
    }
    found->pairs[2 * found->count] = first;
    found->pairs[2 * found->count++ + 1] = second;
}

static void compare(Found *found, uint32_t row, size_t low, size_t high) {
    const uint64_t hash = hashes[row];
    size_t j = low;
    for (; j + TILE <= high; j += TILE) {
        uint64_t near = 0;
        for (size_t k = 0; k < TILE; k++) near |= __builtin_popcountll(hash ^ hashes[j + k]) <= distance;
        if (near)
            for (size_t k = j; k < j + TILE; k++)
                if (__builtin_popcountll(hash ^ hashes[k]) <= distance) keep(found, row, (uint32_t)k);
    }
    for (; j < high; j++)
        if (__builtin_popcountll(hash ^ hashes[j]) <= distance) keep(found, row, (uint32_t)j);
}

static void *work(void *argument) {
    for (;;) {
        size_t low = atomic_fetch_add(&next_block, 1) * BLOCK_ROWS;
        if (low >= n_rows) return NULL;
        size_t high = low + BLOCK_ROWS < n_rows ? low + BLOCK_ROWS : n_rows;
        for (size_t start = rows[low] + 1; start < n; start += BLOCK_COLUMNS) {
            size_t end = start + BLOCK_COLUMNS < n ? start + BLOCK_COLUMNS : n;
            for (size_t i = low; i < high; i++)
                if (rows[i] + 1 < end) compare(argument, rows[i], rows[i] + 1 > start ? rows[i] + 1 : start, end);
        }
    }
}

static void *read_all(const char *path, size_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    void *data = malloc(*bytes + 1);
    if (!data || fread(data, 1, *bytes, file) != *bytes) exit(2);
    fclose(file);
    return data;
}

int main(int argc, char **argv) {
    if (argc != 6) return 1;
    size_t bytes;
    hashes = read_all(argv[1], &bytes), n = bytes / sizeof *hashes;
    rows = read_all(argv[2], &bytes), n_rows = bytes / sizeof *rows;
    distance = atoi(argv[3]);
    int threads = atoi(argv[4]);
    pthread_t *ids = calloc(threads, sizeof *ids);
    Found *found = calloc(threads, sizeof *found);
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, work, &found[i])) return 3;
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    FILE *out = fopen(argv[5], "wb");
    if (!out) return 2;
    for (int i = 0; i < threads; i++) fwrite(found[i].pairs, 2 * sizeof(uint32_t), found[i].count, out);
    fclose(out);
    printf("%.6f\n", (end.tv_sec - begin.tv_sec) + 1e-9 * (end.tv_nsec - begin.tv_nsec));
    return 0;
}
