// Softmax of rows of `length` values, a block for each.

extern "C" __global__ void softmax(T *y, const T *x, Int rows, Int length, double temperature) {
    __shared__ A room[THREADS];
    for (Int row = blockIdx.x; row < rows; row += gridDim.x) {
        const T *values = x + row * length;
        A largest = (A)-INFINITE;
        for (Int i = threadIdx.x; i < length; i += THREADS) {
            A value = value_of(values[i]) / (A)temperature;
            if (value > largest || value != value)
                largest = value;
        }
        largest = block_max(largest, room);
        A sum = 0;
        for (Int i = threadIdx.x; i < length; i += THREADS)
            sum += exp(value_of(values[i]) / (A)temperature - largest);
        sum = block_sum(sum, room);
        for (Int i = threadIdx.x; i < length; i += THREADS)
            y[row * length + i] = as_map(exp(value_of(values[i]) / (A)temperature - largest) / sum);
    }
}

// y (delta - sum(delta y)) / temperature
extern "C" __global__ void softmax_backward(T *x_delta, const T *delta, const T *y, Int rows,
                                            Int length, double temperature) {
    __shared__ A room[THREADS];
    for (Int row = blockIdx.x; row < rows; row += gridDim.x) {
        const T *deltas = delta + row * length, *outputs = y + row * length;
        A sum = 0;
        for (Int i = threadIdx.x; i < length; i += THREADS)
            sum += value_of(deltas[i]) * value_of(outputs[i]);
        sum = block_sum(sum, room);
        for (Int i = threadIdx.x; i < length; i += THREADS)
            x_delta[row * length + i] =
                as_map(value_of(outputs[i]) * (value_of(deltas[i]) - sum) / (A)temperature);
    }
}
