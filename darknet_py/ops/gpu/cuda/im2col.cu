// Windows of a map (n, h, w, c) as rows of a matrix for each group:
// columns (groups, n, out_h, out_w, size, size, part), part = c / groups. Outside there are zeros.

extern "C" __global__ void im2col(T *columns, const T *x, Int n, Int h, Int w, Int c, Int out_h,
                                  Int out_w, Int size, Int down, Int right, Int padding,
                                  Int dilation, Int groups) {
    Int part = c / groups, length = size * size * part, picture = out_h * out_w * length;
    EACH_PICTURE(p, n) for (Int group = 0; group < groups; group++) EACH_PLACE(i, picture) {
        Place channel = i % (Place)part, rest = i / (Place)part;
        Place kx = rest % (Place)size, ky = rest / (Place)size % (Place)size;
        Place place = rest / (Place)(size * size);
        Int row = place / (Place)out_w * down + ky * dilation - padding;
        Int column = place % (Place)out_w * right + kx * dilation - padding;
        A value = 0;
        if (row >= 0 && row < h && column >= 0 && column < w)
            value = value_of(x[((p * h + row) * w + column) * c + group * part + channel]);
        columns[(group * n + p) * picture + i] = as_map(value);
    }
}

// The sum of all windows at their places: each pixel collects from those that see it.
extern "C" __global__ void col2im(T *x, const T *columns, Int n, Int h, Int w, Int c, Int out_h,
                                  Int out_w, Int size, Int down, Int right, Int padding,
                                  Int dilation, Int groups) {
    Int part = c / groups, reach = dilation * (size - 1) + 1;
    EACH_PICTURE(p, n) EACH_PLACE(i, h * w * c) {
        Place channel = i % (Place)c, pixel = i / (Place)c;
        Int row = pixel / (Place)w + padding, column = pixel % (Place)w + padding;
        Int group = channel / (Place)part, within = channel % (Place)part;
        Int first_row = row < reach ? 0 : (row - reach) / down + 1;
        Int first_column = column < reach ? 0 : (column - reach) / right + 1;
        A sum = 0;
        for (Int a = first_row; a < out_h && a * down <= row; a++)
            for (Int b = first_column; b < out_w && b * right <= column; b++) {
                Int y = row - a * down, x_at = column - b * right;
                if (y % dilation || x_at % dilation)
                    continue;
                Int window = ((group * n + p) * out_h + a) * out_w + b;
                Int at = ((window * size + y / dilation) * size + x_at / dilation) * part;
                sum += value_of(columns[at + within]);
            }
        x[p * h * w * c + i] = as_map(sum);
    }
}
