// Pooling. Maps are (n, h, w, c); a window begins at -front and never sees what is outside.

// The first largest value of a window, rows before columns; -1 where all are NaN.
__device__ inline Int winner(const T *x, Int h, Int w, Int c, Int top, Int left, Int size,
                             Int channel) {
    A best = (A)-INFINITE;
    Int found = -1;
    for (Int row = top < 0 ? 0 : top; row < top + size && row < h; row++)
        for (Int column = left < 0 ? 0 : left; column < left + size && column < w; column++) {
            A value = value_of(x[(row * w + column) * c + channel]);
            if (value > best) {
                best = value;
                found = row * w + column;
            }
        }
    return found;
}

extern "C" __global__ void maxpool(T *y, const T *x, Int n, Int h, Int w, Int c, Int out_h,
                                   Int out_w, Int size, Int stride, Int front) {
    EACH_PICTURE(p, n) EACH_PLACE(i, out_h * out_w * c) {
        Place channel = i % (Place)c, pixel = i / (Place)c;
        Int top = pixel / (Place)out_w * stride - front;
        Int left = pixel % (Place)out_w * stride - front;
        A best = (A)-INFINITE;
        for (Int row = top < 0 ? 0 : top; row < top + size && row < h; row++)
            for (Int column = left < 0 ? 0 : left; column < left + size && column < w; column++) {
                A value = value_of(x[((p * h + row) * w + column) * c + channel]);
                if (value > best || value != value)
                    best = value;
            }
        y[p * out_h * out_w * c + i] = as_map(best);
    }
}

// Each pixel asks the windows that see it whether it won: nothing is added up out of order.
extern "C" __global__ void maxpool_backward(T *x_delta, const T *delta, const T *x, Int n, Int h,
                                            Int w, Int c, Int out_h, Int out_w, Int size,
                                            Int stride, Int front) {
    EACH_PICTURE(p, n) EACH_PLACE(i, h * w * c) {
        Place channel = i % (Place)c, pixel = i / (Place)c;
        Int row = pixel / (Place)w, column = pixel % (Place)w;
        const T *picture = x + p * h * w * c;
        // the first window that reaches so far, and the last that begins so early
        Int first_row = row + front - size + 1, first_column = column + front - size + 1;
        first_row = first_row < 0 ? 0 : (first_row + stride - 1) / stride;
        first_column = first_column < 0 ? 0 : (first_column + stride - 1) / stride;
        A sum = 0;
        for (Int a = first_row; a < out_h && a * stride - front <= row; a++)
            for (Int b = first_column; b < out_w && b * stride - front <= column; b++)
                if (winner(picture, h, w, c, a * stride - front, b * stride - front, size, channel)
                    == (Int)pixel)
                    sum += value_of(delta[((p * out_h + a) * out_w + b) * c + channel]);
        x_delta[p * h * w * c + i] = as_map(sum);
    }
}

extern "C" __global__ void avgpool(T *y, const T *x, Int n, Int pixels, Int c) {
    EACH_PICTURE(p, n) EACH_PLACE(channel, c) {
        A sum = 0;
        for (Int pixel = 0; pixel < pixels; pixel++)
            sum += value_of(x[(p * pixels + pixel) * c + channel]);
        y[p * c + channel] = as_map(sum / (A)pixels);
    }
}

extern "C" __global__ void avgpool_backward(T *x_delta, const T *delta, Int n, Int pixels, Int c) {
    EACH_PICTURE(p, n) EACH_PLACE(i, pixels * c) {
        x_delta[p * pixels * c + i] = as_map(value_of(delta[p * c + i % (Place)c]) / (A)pixels);
    }
}
