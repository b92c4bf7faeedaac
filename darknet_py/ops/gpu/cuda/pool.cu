// Pooling. Maps are (n, h, w, c); a window begins at -front and never sees what is outside.
//
// Places within a picture fit 31 bits: only what is added to pointers needs more.

// Of each window and channel the largest value, and where it is first in the picture, rows before
// columns: -1 where all are NaN.
template <int W, class Found>
__device__ inline void each_window(const T *x, Int n, int h, int w, int c, int out_h, int out_w,
                                   int size, int down, int right, int front, Found found) {
    Place groups = c / W;
    EACH_PICTURE(p, n) {
        const T *picture = x + p * h * w * c;
        EACH_PLACE(i, out_h * out_w * (int)groups) {
            Place window = i / groups;
            int channel = (i % groups) * W;
            int top = (int)(window / (Place)out_w) * down - front;
            int left = (int)(window % (Place)out_w) * right - front;
            int bottom = top + size < h ? top + size : h, right = left + size < w ? left + size : w;
            A best[W];
            int place[W];
            bool is_nan[W];
            for (int k = 0; k < W; k++) {
                best[k] = (A)-INFINITE;
                place[k] = -1;
                is_nan[k] = false;
            }
            for (int row = top < 0 ? 0 : top; row < bottom; row++)
                for (int column = left < 0 ? 0 : left; column < right; column++) {
                    A value[W];
                    load<W>(value, picture + (Int)(row * w + column) * c + channel);
                    for (int k = 0; k < W; k++) {
                        if (value[k] > best[k]) {
                            best[k] = value[k];
                            place[k] = row * w + column;
                        }
                        is_nan[k] |= value[k] != value[k];
                    }
                }
            found((p * out_h * out_w + window) * c + channel, best, place, is_nan);
        }
    }
}

template <int W>
__device__ inline void maxpool_of(T *y, const T *x, Int n, Int h, Int w, Int c, Int out_h,
                                  Int out_w, Int size, Int down, Int right, Int front) {
    each_window<W>(x, n, h, w, c, out_h, out_w, size, down, right, front,
                   [=](Int at, A(&best)[W], int(&)[W], bool(&is_nan)[W]) {
                       for (int k = 0; k < W; k++)
                           if (is_nan[k])
                               best[k] = INFINITE - INFINITE;
                       store<W>(y + at, best);
                   });
}

extern "C" __global__ void maxpool(T *y, const T *x, Int n, Int h, Int w, Int c, Int out_h,
                                   Int out_w, Int size, Int down, Int right, Int front, Int width) {
    FOR_WIDTH(width, maxpool_of<W>(y, x, n, h, w, c, out_h, out_w, size, down, right, front))
}

template <int W>
__device__ inline void maxpool_winners_of(int *winners, const T *x, Int n, Int h, Int w, Int c,
                                          Int out_h, Int out_w, Int size, Int down, Int right,
                                          Int front) {
    each_window<W>(x, n, h, w, c, out_h, out_w, size, down, right, front,
                   [=](Int at, A(&)[W], int(&place)[W], bool(&)[W]) {
                       Pack<int, W> pack;
                       for (int k = 0; k < W; k++)
                           pack.at[k] = place[k];
                       *(Pack<int, W> *)(winners + at) = pack;
                   });
}

extern "C" __global__ void maxpool_winners(int *winners, const T *x, Int n, Int h, Int w, Int c,
                                           Int out_h, Int out_w, Int size, Int down, Int right, Int front,
                                           Int width) {
    FOR_WIDTH(width, maxpool_winners_of<W>(winners, x, n, h, w, c, out_h, out_w, size, down, right,
                                           front))
}

template <int W>
__device__ inline void maxpool_backward_of(T *x_delta, const T *delta, const int *winners, Int n,
                                           int h, int w, int c, int out_h, int out_w, int size,
                                           int down, int right, int front) {
    Place groups = c / W;
    EACH_PICTURE(p, n) EACH_PLACE(i, h * w * (int)groups) {
        int pixel = i / groups, channel = (i % groups) * W;
        int row = (Place)pixel / (Place)w, column = (Place)pixel % (Place)w;
        // the first window that reaches so far, and the last that begins so early
        int first_row = row + front - size + 1, first_column = column + front - size + 1;
        first_row = first_row < 0 ? 0 : (first_row + down - 1) / down;
        first_column = first_column < 0 ? 0 : (first_column + right - 1) / right;
        A sum[W];
        for (int k = 0; k < W; k++)
            sum[k] = 0;
        for (int a = first_row; a < out_h && a * down - front <= row; a++)
            for (int b = first_column; b < out_w && b * right - front <= column; b++) {
                Int at = ((p * out_h + a) * out_w + b) * c + channel;
                Pack<int, W> winner = *(const Pack<int, W> *)(winners + at);
                A value[W];
                load<W>(value, delta + at);
                for (int k = 0; k < W; k++)
                    if (winner.at[k] == pixel)
                        sum[k] += value[k];
            }
        store<W>(x_delta + (p * h * w + pixel) * c + channel, sum);
    }
}

// Each pixel asks the windows that see it whether it won: nothing is added up out of order.
extern "C" __global__ void maxpool_backward(T *x_delta, const T *delta, const int *winners, Int n,
                                            Int h, Int w, Int c, Int out_h, Int out_w, Int size,
                                            Int down, Int right, Int front, Int width) {
    FOR_WIDTH(width, maxpool_backward_of<W>(x_delta, delta, winners, n, h, w, c, out_h, out_w, size,
                                            down, right, front))
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
