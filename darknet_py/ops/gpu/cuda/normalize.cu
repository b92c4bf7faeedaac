// Batch normalisation. Maps are `rows` pixels of c channels.
//
// Sums over pixels go in two stages, in an order that does not depend on the device: a block adds up
// a part of the rows for up to 32 groups of W channels, then another one adds up the parts. Threads
// add a few hundred numbers as A; what they found is added as doubles.

#define LANES 32

template <int W>
__device__ inline void channel_parts_of(double *first, double *second, const T *x, const T *delta,
                                        const A *mean, Int rows, Int c, Int part_rows, Int kind) {
    __shared__ double firsts[THREADS * W], seconds[THREADS * W];
    int groups = (int)(c / W), lanes = groups < LANES ? groups : LANES, lines = THREADS / lanes;
    int lane = threadIdx.x % lanes, line = threadIdx.x / lanes;
    Int channel = (blockIdx.x * (Int)lanes + lane) * W;
    Int begin = blockIdx.y * part_rows, end = begin + part_rows;
    if (end > rows)
        end = rows;
    A a[W], b[W], center[W];
    for (int k = 0; k < W; k++)
        a[k] = b[k] = center[k] = 0;
    if (line < lines && channel < c) {
        for (int k = 0; k < W && kind; k++)
            center[k] = mean[channel + k];
#pragma unroll 4
        for (Int row = begin + line; row < end; row += lines) {
            A value[W], d[W];
            load<W>(value, x + row * c + channel);
            if (kind == 2)
                load<W>(d, delta + row * c + channel);
            for (int k = 0; k < W; k++) {
                value[k] -= center[k];
                if (kind == 2) {
                    a[k] += d[k];
                    b[k] += d[k] * value[k];
                } else
                    a[k] += kind ? value[k] * value[k] : value[k];
            }
        }
    }
    for (int k = 0; k < W; k++) {
        firsts[threadIdx.x * W + k] = a[k];
        seconds[threadIdx.x * W + k] = b[k];
    }
    __syncthreads();
    // a thread for each channel of the block
    int mine = threadIdx.x;
    channel = blockIdx.x * (Int)lanes * W + mine;
    if (mine < lanes * W && channel < c) {
        double one = 0, two = 0;
        for (int k = 0; k < lines; k++) {
            one += firsts[k * lanes * W + mine];
            two += seconds[k * lanes * W + mine];
        }
        first[blockIdx.y * c + channel] = one;
        second[blockIdx.y * c + channel] = two;
    }
}

// first[part, c] = sum a, second[part, c] = sum b, where
//   kind 0: a = x            the mean
//   kind 1: a = (x - mean)^2 the variance
//   kind 2: a = delta, b = delta (x - mean)
extern "C" __global__ void channel_parts(double *first, double *second, const T *x, const T *delta,
                                         const A *mean, Int rows, Int c, Int width, Int part_rows,
                                         Int kind) {
    FOR_WIDTH(width, channel_parts_of<W>(first, second, x, delta, mean, rows, c, part_rows, kind))
}

// total[c] = sum over parts / divisor
extern "C" __global__ void channel_total(A *total, const double *parts, Int count, Int c,
                                         double divisor) {
    __shared__ double sums[THREADS];
    int lane = threadIdx.x % LANES, line = threadIdx.x / LANES;
    Int channel = blockIdx.x * (Int)LANES + lane;
    double sum = 0;
    if (channel < c)
        for (Int k = line; k < count; k += THREADS / LANES)
            sum += parts[k * c + channel];
    sums[threadIdx.x] = sum;
    __syncthreads();
    if (line == 0 && channel < c) {
        sum = 0;
        for (int k = 0; k < THREADS / LANES; k++)
            sum += sums[k * LANES + lane];
        total[channel] = (A)(sum / divisor);
    }
}

// ops.normalize.Epsilon is two doubles: inside the root and beside it
// as ops.normalize.deviation: rolling variances may be a hair below 0; NaN stays NaN
__device__ inline A deviation_of(A variance, double inside) {
    return sqrt((variance < 0 ? (A)0 : variance) + (A)inside);
}

__device__ inline A divisor_of(A variance, double inside, double beside) {
    return deviation_of(variance, inside) + (A)beside;
}

template <int W>
__device__ inline void batchnorm_of(T *y, const T *x, const A *scales, const A *biases,
                                    const A *mean, const A *variance, Int rows, Int c,
                                    double inside, double beside, Int has_biases, Int activation) {
    each_row<W>(rows, c, [=](Int channel) {
        A center[W], factor[W], shift[W];
        for (int k = 0; k < W; k++) {
            center[k] = mean[channel + k];
            factor[k] = scales[channel + k] / divisor_of(variance[channel + k], inside, beside);
            shift[k] = has_biases ? biases[channel + k] : (A)0;
        }
        return [=](Int at) {
            A value[W];
            load<W>(value, x + at);
            for (int k = 0; k < W; k++)
                value[k] = activate((value[k] - center[k]) * factor[k] + shift[k], activation);
            store<W>(y + at, value);
        };
    });
}

extern "C" __global__ void batchnorm(T *y, const T *x, const A *scales, const A *biases,
                                     const A *mean, const A *variance, Int rows, Int c, Int width,
                                     double inside, double beside, Int has_biases, Int activation) {
    FOR_WIDTH(width, batchnorm_of<W>(y, x, scales, biases, mean, variance, rows, c, inside, beside,
                                     has_biases, activation))
}

// product = sum delta (x - mean): updates of scales are this by the deviation
extern "C" __global__ void scale_updates(A *updates, const A *product, const A *variance, Int c,
                                         double inside, double beside) {
    EACH_PLACE(k, c) updates[k] = product[k] / divisor_of(variance[k], inside, beside);
}

template <int W>
__device__ inline void batchnorm_backward_of(T *x_delta, const T *delta, const T *x,
                                             const A *scales, const A *mean, const A *variance,
                                             const A *total, const A *product, Int rows, Int c,
                                             double inside, double beside) {
    each_row<W>(rows, c, [=](Int channel) {
        A center[W], average[W], factor[W], slant[W];
        for (int k = 0; k < W; k++) {
            A deviation = deviation_of(variance[channel + k], inside);
            A inverse = 1 / (deviation + (A)beside);
            A spread = (deviation > 0 ? deviation : (A)1) * (A)(rows > 1 ? rows - 1 : 1);
            center[k] = mean[channel + k];
            average[k] = total[channel + k] / (A)rows;
            factor[k] = scales[channel + k] * inverse;
            slant[k] = factor[k] * inverse * product[channel + k] / spread;
        }
        return [=](Int at) {
            A value[W], d[W];
            load<W>(value, x + at);
            load<W>(d, delta + at);
            for (int k = 0; k < W; k++)
                value[k] = (d[k] - average[k]) * factor[k] - (value[k] - center[k]) * slant[k];
            store<W>(x_delta + at, value);
        };
    });
}

// r (d - mean(d)) - (x - mean) r^2 sum(d (x - mean)) / (s (m - 1)), see ops/normalize.py
extern "C" __global__ void batchnorm_backward(T *x_delta, const T *delta, const T *x,
                                              const A *scales, const A *mean, const A *variance,
                                              const A *total, const A *product, Int rows, Int c,
                                              Int width, double inside, double beside) {
    FOR_WIDTH(width, batchnorm_backward_of<W>(x_delta, delta, x, scales, mean, variance, total,
                                              product, rows, c, inside, beside))
}

template <int W>
__device__ inline void scale_channels_of(T *x_delta, const T *delta, const A *scales,
                                         const A *variance, Int rows, Int c, double inside,
                                         double beside) {
    each_row<W>(rows, c, [=](Int channel) {
        A factor[W];
        for (int k = 0; k < W; k++)
            factor[k] = scales[channel + k] / divisor_of(variance[channel + k], inside, beside);
        return [=](Int at) {
            A value[W];
            load<W>(value, delta + at);
            for (int k = 0; k < W; k++)
                value[k] *= factor[k];
            store<W>(x_delta + at, value);
        };
    });
}

// delta scales / (sqrt(variance) + epsilon): back through fixed statistics
extern "C" __global__ void batchnorm_scale(T *x_delta, const T *delta, const A *scales,
                                          const A *variance, Int rows, Int c, Int width,
                                          double inside, double beside) {
    FOR_WIDTH(width, scale_channels_of<W>(x_delta, delta, scales, variance, rows, c, inside,
                                          beside))
}

extern "C" __global__ void moving_average(A *rolling, const A *value, Int c, double taken) {
    EACH_PLACE(k, c) rolling[k] = rolling[k] * (A)(1 - taken) + (A)taken * value[k];
}
