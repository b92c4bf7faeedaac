// Batch normalisation. Maps are `rows` pixels of c channels.
//
// Sums over pixels go in two stages, in an order that does not depend on the device: a block adds up
// a part of the rows for 32 channels, then one thread adds up a channel's parts. Threads add a few
// hundred numbers as A; what they found is added as doubles.

#define LANES 32
#define LINES (THREADS / LANES)

// first[part, c] = sum a, second[part, c] = sum b, where
//   kind 0: a = x            the mean
//   kind 1: a = (x - mean)^2 the variance
//   kind 2: a = delta, b = delta (x - mean)
extern "C" __global__ void channel_parts(double *first, double *second, const T *x, const T *delta,
                                         const A *mean, Int rows, Int c, Int part_rows, Int kind) {
    __shared__ double firsts[THREADS], seconds[THREADS];
    int lane = threadIdx.x % LANES, line = threadIdx.x / LANES;
    Int channel = blockIdx.x * (Int)LANES + lane;
    Int end = (blockIdx.y + 1) * part_rows;
    if (end > rows)
        end = rows;
    A a = 0, b = 0;
    if (channel < c) {
        A center = kind ? mean[channel] : (A)0;
        for (Int row = blockIdx.y * part_rows + line; row < end; row += LINES) {
            A value = value_of(x[row * c + channel]) - center;
            if (kind == 2) {
                A d = value_of(delta[row * c + channel]);
                a += d;
                b += d * value;
            } else
                a += kind ? value * value : value;
        }
    }
    firsts[threadIdx.x] = a;
    seconds[threadIdx.x] = b;
    __syncthreads();
    if (line == 0 && channel < c) {
        double one = 0, two = 0;
        for (int k = 0; k < LINES; k++) {
            one += firsts[k * LANES + lane];
            two += seconds[k * LANES + lane];
        }
        first[blockIdx.y * c + channel] = one;
        second[blockIdx.y * c + channel] = two;
    }
}

// total[c] = sum over parts / divisor
extern "C" __global__ void channel_total(A *total, const double *parts, Int count, Int c,
                                         double divisor) {
    EACH_PLACE(channel, c) {
        double sum = 0;
        for (Int k = 0; k < count; k++)
            sum += parts[k * c + channel];
        total[channel] = (A)(sum / divisor);
    }
}

#define EPSILON (A)1e-6

// as ops.normalize.deviation: rolling variances may be a hair below 0; NaN stays NaN
__device__ inline A deviation_of(A variance) { return sqrt(variance < 0 ? (A)0 : variance); }

extern "C" __global__ void batchnorm(T *y, const T *x, const A *scales, const A *biases,
                                     const A *mean, const A *variance, Int n, Int size, Int c,
                                     Int has_biases, Int activation) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Place k = i % (Place)c;
        A value = (value_of(x[p * size + i]) - mean[k]) * (scales[k] / (deviation_of(variance[k]) + EPSILON));
        if (has_biases)
            value += biases[k];
        y[p * size + i] = as_map(activate(value, activation));
    }
}

// product = sum delta (x - mean): updates of scales are this by the deviation
extern "C" __global__ void scale_updates(A *updates, const A *product, const A *variance, Int c) {
    EACH_PLACE(k, c) updates[k] = product[k] / (deviation_of(variance[k]) + EPSILON);
}

// r (d - mean(d)) - (x - mean) r^2 sum(d (x - mean)) / (s (m - 1)), see ops/normalize.py
extern "C" __global__ void batchnorm_backward(T *x_delta, const T *delta, const T *x,
                                              const A *scales, const A *mean, const A *variance,
                                              const A *total, const A *product, Int n, Int size,
                                              Int c, Int count) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Place k = i % (Place)c;
        Int at = p * size + i;
        A deviation = deviation_of(variance[k]);
        A inverse = 1 / (deviation + EPSILON);
        A spread = (deviation > 0 ? deviation : (A)1) * (A)(count > 1 ? count - 1 : 1);
        A result = (value_of(delta[at]) - total[k] / (A)count) * (scales[k] * inverse);
        A centered = value_of(x[at]) - mean[k];
        result -= centered * (scales[k] * inverse * inverse * product[k] / spread);
        x_delta[at] = as_map(result);
    }
}

// delta scales / (sqrt(variance) + epsilon): back through fixed statistics
extern "C" __global__ void scale_channels(T *x_delta, const T *delta, const A *scales,
                                          const A *variance, Int n, Int size, Int c) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Place k = i % (Place)c;
        A factor = scales[k] / (deviation_of(variance[k]) + EPSILON);
        x_delta[p * size + i] = as_map(value_of(delta[p * size + i]) * factor);
    }
}

extern "C" __global__ void moving_average(A *rolling, const A *value, Int c) {
    EACH_PLACE(k, c) rolling[k] = rolling[k] * (A)0.99 + (A)0.01 * value[k];
}
