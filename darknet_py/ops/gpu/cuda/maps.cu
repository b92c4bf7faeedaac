// What is done to each value of a map by itself. Maps are n pictures of `size` values.

// y = after(before(x + biases) + added): what follows a convolution. biases (c,) and added only
// where they are had.
extern "C" __global__ void epilogue(T *y, const T *x, const A *biases, const T *added, Int n,
                                    Int size, Int c, Int has_biases, Int has_added, Int before,
                                    Int after) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        A value = value_of(x[p * size + i]);
        if (has_biases)
            value += biases[i % (Place)c];
        value = activate(value, before);
        if (has_added)
            value += value_of(added[p * size + i]);
        y[p * size + i] = as_map(activate(value, after));
    }
}

extern "C" __global__ void activate_backward(T *x_delta, const T *delta, const T *y, Int n,
                                             Int size, Int activation) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Int at = p * size + i;
        x_delta[at] = as_map(value_of(delta[at]) * slope(value_of(y[at]), activation));
    }
}

// y = alpha x + beta other, of one shape
extern "C" __global__ void combine(T *y, const T *x, const T *other, Int n, Int size, double alpha,
                                   double beta) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Int at = p * size + i;
        y[at] = as_map((A)alpha * value_of(x[at]) + (A)beta * value_of(other[at]));
    }
}

// between the type of maps and floats
extern "C" __global__ void narrow(T *y, const float *x, Int n, Int size) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) y[p * size + i] = as_map((A)x[p * size + i]);
}

extern "C" __global__ void widen(float *y, const T *x, Int n, Int size) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) y[p * size + i] = (float)value_of(x[p * size + i]);
}
