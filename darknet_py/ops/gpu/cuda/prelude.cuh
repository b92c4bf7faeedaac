// What all kernels share. A module is compiled for one type of map: T are the values of maps, A is
// what they are computed in, and the type of parameters, statistics and sums that are handed on.
//
// Every argument is a pointer, a long long or a double, so that nothing of it depends on T. A grid
// has pictures in y and the values of one picture in x: places within a picture fit 32 bits, in
// which division is quick.

#if defined(MAP_BF16)
// bfloat16 by hand: the upper half of a float. No header, and the same bits everywhere.
struct T {
    unsigned short bits;
};
typedef float A;

__device__ inline A value_of(T x) { return __uint_as_float((unsigned int)x.bits << 16); }

// to the nearest, ties to even; a NaN stays one
__device__ inline T as_map(A x) {
    unsigned int bits = __float_as_uint(x);
    T y;
    if (x != x)
        y.bits = (unsigned short)((bits >> 16) | 0x40);
    else
        y.bits = (unsigned short)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    return y;
}
#else
typedef MAP_REAL T;
typedef MAP_REAL A;

__device__ inline A value_of(T x) { return x; }
__device__ inline T as_map(A x) { return x; }
#endif

typedef long long Int;
typedef unsigned int Place;

#define THREADS 256
#define INFINITE __longlong_as_double(0x7ff0000000000000ll)

// p: pictures, i: values of one
#define EACH_PICTURE(p, n) for (Int p = blockIdx.y; p < (n); p += gridDim.y)
#define EACH_PLACE(i, size) \
    for (Place i = blockIdx.x * blockDim.x + threadIdx.x; i < (Place)(size); \
         i += gridDim.x * blockDim.x)

// Values that lie side by side, read and written at once: W of them, 1 or 4.
template <class V, int W> struct alignas(W * sizeof(V)) Pack {
    V at[W];
};

template <int W> __device__ inline void load(A (&to)[W], const T *from) {
    Pack<T, W> pack = *(const Pack<T, W> *)from;
    for (int k = 0; k < W; k++)
        to[k] = value_of(pack.at[k]);
}

template <int W> __device__ inline void store(T *to, const A (&from)[W]) {
    Pack<T, W> pack;
    for (int k = 0; k < W; k++)
        pack.at[k] = as_map(from[k]);
    *(Pack<T, W> *)to = pack;
}

// Calls make(channel) for W channels, and what that gives for each place of theirs, in a map of
// `rows` pixels of c channels: what it computes of the channels alone is computed once a thread.
// Neighbours in a block have neighbouring channels, then the next pixel.
template <int W, class Make> __device__ inline void each_row(Int rows, Int c, Make make) {
    int groups = (int)(c / W);
    for (int first = 0; first < groups; first += THREADS) {
        int here = groups - first < THREADS ? groups - first : THREADS, lines = THREADS / here;
        int line = threadIdx.x / here;
        if (line >= lines)
            continue;
        Int channel = (Int)(first + threadIdx.x % here) * W;
        auto work = make(channel);
        for (Int row = blockIdx.x * (Int)lines + line; row < rows; row += gridDim.x * (Int)lines)
            work(row * c + channel);
    }
}

// A kernel's body for both widths
#define FOR_WIDTH(width, call) \
    if ((width) == 4) { constexpr int W = 4; call; } else { constexpr int W = 1; call; }

// The sum, or the largest, over a block of THREADS; every thread gets it.
__device__ inline A block_sum(A value, A *room) {
    room[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half)
            room[threadIdx.x] += room[threadIdx.x + half];
        __syncthreads();
    }
    A total = room[0];
    __syncthreads();
    return total;
}

__device__ inline A block_max(A value, A *room) {
    room[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            A other = room[threadIdx.x + half];
            // a NaN wins, so that it is seen
            if (other > room[threadIdx.x] || other != other)
                room[threadIdx.x] = other;
        }
        __syncthreads();
    }
    A largest = room[0];
    __syncthreads();
    return largest;
}
