// What is done to each value of a map by itself. Maps are `rows` pixels of c channels.

template <int W>
__device__ inline void epilogue_of(T *y, const T *x, const A *biases, const T *added, Int rows,
                                   Int c, Int has_biases, Int has_added, Int before, Int after) {
    each_row<W>(rows, c, [=](Int channel) {
        A shift[W];
        for (int k = 0; k < W; k++)
            shift[k] = has_biases ? biases[channel + k] : (A)0;
        return [=](Int at) {
            A value[W], other[W];
            load<W>(value, x + at);
            if (has_added)
                load<W>(other, added + at);
            for (int k = 0; k < W; k++) {
                if (has_biases)
                    value[k] += shift[k];
                value[k] = activate(value[k], before);
                if (has_added)
                    value[k] += other[k];
                value[k] = activate(value[k], after);
            }
            store<W>(y + at, value);
        };
    });
}

// y = after(before(x + biases) + added): what follows a convolution. biases (c,) and added only
// where they are had.
extern "C" __global__ void epilogue(T *y, const T *x, const A *biases, const T *added, Int rows,
                                    Int c, Int width, Int has_biases, Int has_added, Int before,
                                    Int after) {
    FOR_WIDTH(width, epilogue_of<W>(y, x, biases, added, rows, c, has_biases, has_added, before,
                                    after))
}

template <int W>
__device__ inline void activate_backward_of(T *x_delta, const T *delta, const T *y, Int rows,
                                            Int c, Int activation) {
    each_row<W>(rows, c, [=](Int) {
        return [=](Int at) {
            A value[W], output[W];
            load<W>(value, delta + at);
            load<W>(output, y + at);
            for (int k = 0; k < W; k++)
                value[k] *= slope(output[k], activation);
            store<W>(x_delta + at, value);
        };
    });
}

extern "C" __global__ void activate_backward(T *x_delta, const T *delta, const T *y, Int rows,
                                             Int c, Int width, Int activation) {
    FOR_WIDTH(width, activate_backward_of<W>(x_delta, delta, y, rows, c, activation))
}

template <int W>
__device__ inline void combine_of(T *y, const T *x, const T *other, Int rows, Int c, A alpha,
                                  A beta, Int activation) {
    each_row<W>(rows, c, [=](Int) {
        return [=](Int at) {
            A value[W], added[W];
            load<W>(value, x + at);
            load<W>(added, other + at);
            for (int k = 0; k < W; k++)
                value[k] = activate(alpha * value[k] + beta * added[k], activation);
            store<W>(y + at, value);
        };
    });
}

// y = activation(alpha x + beta other), of one shape
extern "C" __global__ void combine(T *y, const T *x, const T *other, Int rows, Int c, Int width,
                                   double alpha, double beta, Int activation) {
    FOR_WIDTH(width, combine_of<W>(y, x, other, rows, c, (A)alpha, (A)beta, activation))
}

// between the type of maps and floats
extern "C" __global__ void narrow(T *y, const float *x, Int n, Int size) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) y[p * size + i] = as_map((A)x[p * size + i]);
}

extern "C" __global__ void widen(float *y, const T *x, Int n, Int size) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) y[p * size + i] = (float)value_of(x[p * size + i]);
}
