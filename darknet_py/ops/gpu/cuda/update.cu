// Steps of the optimisers, over all parameters at once. See ops/update.py.
//
// A row of the table: the addresses of up to four arrays, their size, and two numbers of doubles.

#define ROW 7
#define EACH_PARAMETER(row, table, n) EACH_PICTURE(p, n) \
    for (const Int *row = (table) + p * ROW; row; row = nullptr)
#define ARRAY(row, k) ((A *)(row)[k])
#define SIZE(row) (row)[4]
#define NUMBER(row, k) ((A)__longlong_as_double((row)[5 + (k)]))

extern "C" __global__ void sgd_update(const Int *table, Int n, double momentum) {
    EACH_PARAMETER(row, table, n) {
        A *value = ARRAY(row, 0), *updates = ARRAY(row, 1);
        A step = NUMBER(row, 0), decay = NUMBER(row, 1);
        EACH_PLACE(i, SIZE(row)) {
            A update = updates[i] - decay * value[i];
            value[i] += step * update;
            updates[i] = (A)momentum * update;
        }
    }
}

extern "C" __global__ void adam_update(const Int *table, Int n, double beta1, double beta2,
                                       double epsilon, double m_bias, double v_bias) {
    EACH_PARAMETER(row, table, n) {
        A *value = ARRAY(row, 0), *updates = ARRAY(row, 1), *m = ARRAY(row, 2), *v = ARRAY(row, 3);
        A rate = NUMBER(row, 0), decay = NUMBER(row, 1);
        EACH_PLACE(i, SIZE(row)) {
            A update = updates[i] - decay * value[i];
            m[i] = m[i] * (A)beta1 + (A)(1 - beta1) * update;
            v[i] = v[i] * (A)beta2 + (A)(1 - beta2) * (update * update);
            A root = sqrt(v[i] / (A)v_bias) + (A)epsilon;
            value[i] += rate * (m[i] / (A)m_bias) / root;
            updates[i] = 0;
        }
    }
}

extern "C" __global__ void rmsprop_update(const Int *table, Int n, double rho, double epsilon) {
    EACH_PARAMETER(row, table, n) {
        A *value = ARRAY(row, 0), *updates = ARRAY(row, 1), *v = ARRAY(row, 2);
        A rate = NUMBER(row, 0), decay = NUMBER(row, 1);
        EACH_PLACE(i, SIZE(row)) {
            A update = updates[i] - decay * value[i];
            v[i] = v[i] * (A)rho + (A)(1 - rho) * (update * update);
            value[i] += rate * update / (sqrt(v[i]) + (A)epsilon);
            updates[i] = 0;
        }
    }
}

extern "C" __global__ void average_step(const Int *table, Int n, double share) {
    EACH_PARAMETER(row, table, n) {
        A *average = ARRAY(row, 0), *value = ARRAY(row, 1);
        EACH_PLACE(i, SIZE(row)) average[i] += (A)share * (value[i] - average[i]);
    }
}

// bad[0] becomes 1 where a value is infinite or no number
extern "C" __global__ void find_bad(const Int *table, Int n, double *bad) {
    EACH_PARAMETER(row, table, n) {
        T *x = (T *)row[0];
        EACH_PLACE(i, SIZE(row)) {
            A value = value_of(x[i]);
            if (!(value - value == 0))
                bad[0] = 1;
        }
    }
}
