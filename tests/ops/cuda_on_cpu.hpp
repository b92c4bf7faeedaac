// CUDA C++ for a machine without a GPU: one thread after another, block after block. Threads of a
// block are contexts that take turns; each runs until it waits for the others.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <ucontext.h>

using namespace std;

struct Dim3 {
    unsigned int x, y, z;
};
static Dim3 gridDim, blockDim, blockIdx, threadIdx;

#define __global__
#define __device__
#define __shared__ static

static inline float __uint_as_float(unsigned int bits) {
    float x;
    memcpy(&x, &bits, 4);
    return x;
}
static inline unsigned int __float_as_uint(float x) {
    unsigned int bits;
    memcpy(&bits, &x, 4);
    return bits;
}
static inline double __longlong_as_double(long long bits) {
    double x;
    memcpy(&x, &bits, 8);
    return x;
}

static const int MOST = 1024, STACK = 32768;
static ucontext_t scheduler, turns[MOST];
static bool ended[MOST];
static void (*work)();

static void __syncthreads() { swapcontext(&turns[threadIdx.x], &scheduler); }

static void one_thread() {
    work();
    ended[threadIdx.x] = true;
}

static void one_block() {
    static char *stacks = (char *)malloc((size_t)MOST * STACK);
    int left = blockDim.x;
    for (int t = 0; t < (int)blockDim.x; t++) {
        ended[t] = false;
        getcontext(&turns[t]);
        turns[t].uc_stack.ss_sp = stacks + (size_t)t * STACK;
        turns[t].uc_stack.ss_size = STACK;
        turns[t].uc_link = &scheduler;
        makecontext(&turns[t], one_thread, 0);
    }
    while (left > 0)
        for (int t = 0; t < (int)blockDim.x; t++)
            if (!ended[t]) {
                threadIdx.x = t;
                swapcontext(&scheduler, &turns[t]);
                left -= ended[t];
            }
}

static void run_grid(unsigned int grid_x, unsigned int grid_y, unsigned int threads,
                     void (*kernel)()) {
    gridDim = {grid_x, grid_y, 1};
    blockDim = {threads, 1, 1};
    work = kernel;
    for (blockIdx.y = 0; blockIdx.y < grid_y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < grid_x; blockIdx.x++)
            one_block();
}
