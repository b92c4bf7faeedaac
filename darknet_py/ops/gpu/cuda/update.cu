// Steps of the optimisers: one pass over a parameter and what belongs to it. See ops/update.py.

extern "C" __global__ void sgd_update(A *value, A *updates, Int n, Int size, double step,
                                      double momentum, double decay) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Int at = p * size + i;
        A update = updates[at] - (A)decay * value[at];
        value[at] += (A)step * update;
        updates[at] = (A)momentum * update;
    }
}

extern "C" __global__ void adam_update(A *value, A *updates, A *m, A *v, Int n, Int size,
                                       double rate, double beta1, double beta2, double epsilon,
                                       double decay, double m_bias, double v_bias) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Int at = p * size + i;
        A update = updates[at] - (A)decay * value[at];
        m[at] = m[at] * (A)beta1 + (A)(1 - beta1) * update;
        v[at] = v[at] * (A)beta2 + (A)(1 - beta2) * (update * update);
        A root = sqrt(v[at] / (A)v_bias) + (A)epsilon;
        value[at] += (A)rate * (m[at] / (A)m_bias) / root;
        updates[at] = 0;
    }
}

extern "C" __global__ void rmsprop_update(A *value, A *updates, A *v, Int n, Int size, double rate,
                                          double rho, double epsilon, double decay) {
    EACH_PICTURE(p, n) EACH_PLACE(i, size) {
        Int at = p * size + i;
        A update = updates[at] - (A)decay * value[at];
        v[at] = v[at] * (A)rho + (A)(1 - rho) * (update * update);
        value[at] += (A)rate * update / (sqrt(v[at]) + (A)epsilon);
        updates[at] = 0;
    }
}
