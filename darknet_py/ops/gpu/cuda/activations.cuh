// darknet's activations, numbered as in ops/activations.py, and their derivatives: from the
// output, but of swish, mish, hard_mish and gelu from the input.

enum {
    LINEAR, LOGISTIC, LOGGY, TANH, RELU, LEAKY, RELIE, RAMP, ELU, SELU, STAIR, HARDTAN, LHTAN, PLSE,
    RELU6, REVLEAKY, SWISH, MISH, HARD_MISH, GELU
};

// exp only of what is not positive: no overflow
__device__ inline A logistic(A x) {
    A small = exp(x < 0 ? x : -x);
    return x >= 0 ? 1 / (1 + small) : small / (1 + small);
}

__device__ inline A within(A x, A low, A high) { return x < low ? low : x > high ? high : x; }

// tanh(ln(1 + exp(x))) is n / (n + d)
__device__ inline void mish_parts(A x, A *n, A *d) {
    A small = exp(x < 0 ? x : -x);
    *n = x > 0 ? 1 + 2 * small : small * (small + 2);
    *d = x > 0 ? 2 * small * small : (A)2;
}

// the logistic of which gelu is a multiple
__device__ inline A gelu_share(A x) {
    return logistic(2 * x * ((A)0.797885 + (A)0.035677 * x * x));
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
    case RELU6: return within(x, 0, 6);
    case REVLEAKY: return x < 0 ? (A)0.1 * x : x;
    case SWISH: return (x < -1000 ? (A)-1000 : x) * logistic(x);
    case MISH: {
        A n, d;
        mish_parts(x, &n, &d);
        return (x < -1000 ? (A)-1000 : x) * (n / (n + d));
    }
    case HARD_MISH: {
        A near = within(x, -2, 0);
        return x > 0 ? x : near * near / 2 + near;
    }
    case GELU: return (x < -1000 ? (A)-1000 : x) * gelu_share(within(x, -1000, 1000));
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
    case RELU6: return y > 0 && y < 6 ? 1 : 0;
    case REVLEAKY: return y > 0 ? (A)1 : (A)0.1;
    case SWISH: {
        A share = logistic(y);
        return share + within(y, -1000, 1000) * share * (1 - share);
    }
    case MISH: {
        A n, d;
        mish_parts(y, &n, &d);
        A total = n + d;
        A part = d * (total + n) / (total * total);
        return n / total + within(y, -1000, 1000) * part * logistic(y);
    }
    case HARD_MISH: return y > -2 ? within(y + 1, -1, 1) : (A)0;
    case GELU: {
        A x = within(y, -1000, 1000);
        A share = gelu_share(x);
        return share + 2 * x * share * (1 - share) * ((A)0.797885 + 3 * (A)0.035677 * x * x);
    }
    default: return 1;
    }
}
