// darknet's activations, numbered as in ops/activations.py, and their derivatives from the output.

enum {
    LINEAR, LOGISTIC, LOGGY, TANH, RELU, LEAKY, RELIE, RAMP, ELU, SELU, STAIR, HARDTAN, LHTAN, PLSE
};

// exp only of what is not positive: no overflow
__device__ inline A logistic(A x) {
    A small = exp(x < 0 ? x : -x);
    return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}

__device__ inline A activate(A x, Int activation) {
    switch (activation) {
    case LOGISTIC: return logistic(x);
    case LOGGY: return 2 * logistic(x) - 1;
    case TANH: return tanh(x);
    case RELU: return x < 0 ? (A)0 : x;
    case LEAKY: return x < 0 ? (A)0.1 * x : x;
    case RELIE: return x < 0 ? (A)0.01 * x : x;
    case RAMP: return (x < 0 ? (A)0 : x) + (A)0.1 * x;
    case ELU: return x >= 0 ? x : expm1(x);
    case SELU: return x >= 0 ? (A)1.0507 * x : (A)(1.0507 * 1.6732) * expm1(x);
    case STAIR: {
        A whole = floor(x);
        A odd = whole - 2 * floor(whole / 2);
        return floor(x / 2) + (odd == 1 ? x - whole : (A)0);
    }
    case HARDTAN: return x < -1 ? (A)-1 : x > 1 ? (A)1 : x;
    case LHTAN: return x < 0 ? (A)0.001 * x : x > 1 ? (A)0.001 * (x - 1) + 1 : x;
    case PLSE:
        return x < -4  ? (A)0.01 * (x + 4)
               : x > 4 ? (A)0.01 * (x - 4) + 1
                       : (A)0.125 * x + (A)0.5;
    default: return x;
    }
}

__device__ inline A slope(A y, Int activation) {
    switch (activation) {
    case LOGISTIC: return (1 - y) * y;
    case LOGGY: return (1 - y) * (1 + y) / 2;
    case TANH: return 1 - y * y;
    case RELU: return y > 0 ? 1 : 0;
    case LEAKY: return y > 0 ? (A)1 : (A)0.1;
    case RELIE: return y > 0 ? (A)1 : (A)0.01;
    case RAMP: return y > 0 ? (A)1.1 : (A)0.1;
    case ELU: return y >= 0 ? (A)1 : y + 1;
    case SELU: return y >= 0 ? (A)1.0507 : y + (A)(1.0507 * 1.6732);
    case STAIR: return floor(y) == y ? 0 : 1;
    case HARDTAN: return y > -1 && y < 1 ? 1 : 0;
    case LHTAN: return y > 0 && y < 1 ? (A)1 : (A)0.001;
    case PLSE: return y < 0 || y > 1 ? (A)0.01 : (A)0.125;
    default: return 1;
    }
}
