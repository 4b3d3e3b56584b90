#!/usr/bin/env python3
"""Deterministic data for the benchmark.  usage: gen.py [W1 ... W10|all] [S M L XL]
Everything goes to $BENCH_DATA/<W>_<SIZE>/ ; each array is a raw file NAME.f64
(little-endian IEEE f64, no header); matrices are COLUMN-major unless meta.json says "row".
meta.json lists every array: {"n":..,"p":..,"arrays":{"X":{"shape":[n,p],"order":"col"},...}}"""
import json, os, sys
import numpy as np
OUT = os.environ.get("BENCH_DATA", os.path.expanduser(os.environ.get("BENCH_HOME", "~/.cache/armwise-peers")) + "/data")
SEED = 20260721
expit = lambda z: 1 / (1 + np.exp(-z))
DIM = {  # size -> dimensions
    "W1": {"S": (3500, 8), "M": (100_000, 10), "L": (1_000_000, 20), "XL": (5_000_000, 30)},
    "W2": {"S": 10_000, "M": 100_000, "L": 1_000_000},
    "W3": {"S": 6, "M": 100, "L": 10_000, "XL": (100_000, 18)},
    "W4": {"S": 1_000, "M": 10_000, "L": 100_000},       # number of permutations / resamples
    "W5": {"S": 1_000, "M": 10_000},
    "W7": {"S": (3500, 8), "M": (100_000, 10), "L": (1_000_000, 10)},
    "W8": {"S": (3500, 8), "M": (100_000, 10), "L": (1_000_000, 10)},
    "W9": {"S": 1_000, "M": 10_000},
    "W10": {"S": 100_000, "M": 1_000_000, "L": 10_000_000},
    "W11": {"S": (700, 4, 4), "M": (7000, 4, 4)},        # people, waves, arms
}


class D:
    def __init__(self, w, s):
        self.d = os.path.join(OUT, f"{w}_{s}"); os.makedirs(self.d, exist_ok=True)
        self.meta = {"workload": w, "size": s, "arrays": {}}

    def put(self, name, a, order="col"):
        a = np.asarray(a, dtype="<f8")
        b = a.T if (a.ndim == 2 and order == "col") else a
        with open(f"{self.d}/{name}.f64", "wb") as f:
            np.ascontiguousarray(b).tofile(f)
        self.meta["arrays"][name] = {"shape": list(a.shape), "order": order if a.ndim == 2 else "vec"}

    def close(self, **kw):
        self.meta.update(kw)
        json.dump(self.meta, open(f"{self.d}/meta.json", "w"), indent=1)


def rng_for(w, s):
    return np.random.Generator(np.random.PCG64([SEED, sum(map(ord, w)) * 7 + len(w), "S M L XL".split().index(s)]))


def design(g, n, p, intercept=True):
    """[1], arm1..arm3 dummies, then alternately N(0,1) and Bernoulli(.4), the normals mildly correlated."""
    X = np.empty((n, p), order="F"); j = 0
    if intercept:
        X[:, 0] = 1; j = 1
    arm = g.integers(0, 4, n)
    for a in (1, 2, 3):
        X[:, j] = arm == a; j += 1
    c = g.standard_normal(n)
    for k in range(j, p):
        X[:, k] = 0.4 * c + 0.9 * g.standard_normal(n) if (k - j) % 2 == 0 else g.random(n) < 0.4
    return X


def beta_for(p, intercept=True, sc=1.0):
    b = np.array([0.3, -0.2, 0.45, -0.15, 0.25, 0.1, -0.3, 0.05])[np.arange(p) % 8] * sc
    if intercept:
        b[0] = -0.8
    return b


def W1(s):
    n, p = DIM["W1"][s]; g = rng_for("W1", s); d = D("W1", s)
    X = design(g, n, p); y = (g.random(n) < expit(X @ beta_for(p))).astype(float)
    d.put("X", X); d.put("y", y); d.close(n=n, p=p)


def W2(s):
    m = DIM["W2"][s]; g = rng_for("W2", s); d = D("W2", s)
    n1 = np.floor(np.exp(g.uniform(np.log(20), np.log(2000), m))); n2 = np.floor(n1 * g.uniform(0.6, 1.4, m)) + 5
    p2 = g.beta(1.2, 4, m); p1 = np.clip(p2 + g.normal(0, 0.08, m), 0, 1)
    d.put("x1", g.binomial(n1.astype(int), p1)); d.put("n1", n1)
    d.put("x2", g.binomial(n2.astype(int), p2)); d.put("n2", n2); d.close(m=m, level=0.95)


def W3(s):
    g = rng_for("W3", s); d = D("W3", s); k = DIM["W3"][s]
    shape = k if isinstance(k, tuple) else (1, k)
    v = np.exp(g.normal(np.log(0.0009), 0.5, shape)); tau = 0.03 * np.sqrt(g.chisquare(1, (shape[0], 1))) if s == "XL" else 0.03
    y = 0.08 + tau * g.standard_normal(shape) + np.sqrt(v) * g.standard_normal(shape)
    if s == "XL":
        d.put("y", y, "row"); d.put("v", v, "row")
    else:
        d.put("y", y[0]); d.put("v", v[0])
    d.close(k=shape[1], m=shape[0])


def trial(g):
    """one trial: 3500 people, 6 sites, 4 arms, rows sorted by site then arm"""
    n = 3500; site = np.sort(g.integers(0, 6, n)); arm = np.empty(n, int)
    for k in range(6):
        i = np.flatnonzero(site == k); arm[i] = g.permutation(np.arange(i.size) % 4)
    o = np.lexsort((arm, site)); site, arm = site[o], arm[o]
    age = g.standard_normal(n); base = (g.random(n) < 0.4) * 1.0; z = 0.4 * age + 0.9 * g.standard_normal(n)
    w = g.random(n) < 0.3
    eff = np.array([0, 0.25, 0.1, 0.4])[arm]
    eta = -1 + 0.15 * site - 0.3 + eff + 0.3 * age + 0.5 * base
    yb = (g.random(n) < expit(eta)) * 1.0; yc = eta + g.standard_normal(n)
    u = g.standard_normal(n)
    Y8 = np.column_stack([(g.random(n) < expit(-0.7 + s * eff + 0.4 * u + 0.2 * base)) * 1.0 for s in (1, .8, .6, .4, .2, 0, 0, 0)])
    X = np.column_stack([np.ones(n), arm == 1, arm == 2, arm == 3, base, age, z, w]).astype(float)
    return dict(site=site, arm=arm, yb=yb, yc=yc, Y8=Y8, X=X)


def W4(s, w="W4"):
    d = D(w, s); t = trial(rng_for("W4", "S"))   # the same trial at every size; only B changes
    for k, a in t.items():
        d.put(k, a)
    d.close(n=3500, sites=6, arms=4, B=DIM[w][s])


def W5(s): W4(s, "W5")


def W7(s):
    n, p = DIM["W7"][s]; g = rng_for("W7", s); d = D("W7", s)
    X = design(g, n, p, False); t = g.exponential(1, n) * np.exp(-X @ beta_for(p, False)) * 300
    c = g.uniform(50, 700, n); time = np.ceil(np.minimum(t, c)); status = (t <= c) * 1.0
    time = np.minimum(time, 500); status[(time == 500) & (np.minimum(t, c) > 500)] = 0   # <= 500 distinct times: heavy ties
    arm = X[:, 0] + 2 * X[:, 1] + 3 * X[:, 2]
    d.put("X", X); d.put("time", time); d.put("status", status); d.put("arm", arm); d.close(n=n, p=p)


def W8(s):
    n, p = DIM["W8"][s]; g = rng_for("W8", s); d = D("W8", s)
    X = design(g, n, p); b = beta_for(p); e1 = X @ b; e2 = X @ (b[::-1] * 0.8)
    P = np.column_stack([np.ones(n), np.exp(e1), np.exp(e2)]); P /= P.sum(1, keepdims=True)
    y3 = (g.random(n)[:, None] > P.cumsum(1)[:, :2]).sum(1)
    lat = X[:, 1:] @ b[1:] + g.logistic(0, 1, n); yo = np.digitize(lat, [-1.0, 0.3, 1.6])
    d.put("X", X); d.put("y3", y3); d.put("yo", yo); d.close(n=n, p=p)


def W9(s):
    m = DIM["W9"][s]; g = rng_for("W9", s); d = D("W9", s)
    nc = np.array([146, 146, 146, 146]); n = np.tile(nc, (6, 1)); n[:2] -= 1       # 6 x 4 cells, 3496 people
    base = np.array([.22, .26, .30, .34, .28, .24]); eff = np.array([0, .05, .03, .08])
    P = base[:, None] + eff[None, :]; P[:, 1:] += np.array([-.02, .01, .02, 0, -.01, 0])[:, None]
    x = g.binomial(n[None], P[None], (m, 6, 4))
    d.put("n", n.astype(float), "row"); d.put("P", P, "row"); d.put("x", x.reshape(m, 24), "row"); d.close(m=m, sites=6, arms=4)


def W11(s):
    """Long rows of people and waves, in that order; the first wave is always answered, later ones are missed by dropout and holes."""
    n, t, a = DIM["W11"][s]; g = rng_for("W11", s); d = D("W11", s)
    sd = np.array([9, 10, 11, 12.0]); lag = np.abs(np.subtract.outer(np.arange(t), np.arange(t)))
    arm = g.permutation(np.arange(n) % a); base = np.round(g.normal(50, 10, n), 1)
    e = g.multivariate_normal(np.zeros(t), np.outer(sd, sd) * 0.75 ** lag, n)
    y = np.round(20 + 0.6 * base[:, None] + np.arange(t) + arm[:, None] * 0.8 * np.arange(1, t + 1) / t + e, 1)
    gone = np.minimum.accumulate(np.column_stack([np.ones(n, bool), g.random((n, t - 1)) > 0.08]), axis=1)
    seen = gone & np.column_stack([np.ones(n, bool), g.random((n, t - 1)) > 0.05])
    i, w = np.nonzero(seen)
    for name, v in dict(id=i, wave=w + 1, arm=arm[i], baseline=base[i], y=y[i, w]).items():
        d.put(name, v.astype(float))
    d.close(n=n, waves=t, arms=a, rows=len(i))


def W10(s):
    import pyarrow as pa, pyarrow.csv as pc, pyarrow.parquet as pq
    n = DIM["W10"][s]; g = rng_for("W10", s); d = D("W10", s)
    parts = []
    for lo in range(0, n, 1_000_000):
        m = min(1_000_000, n - lo); site = g.integers(1, 7, m); arm = g.integers(0, 4, m)
        age = np.round(g.normal(45, 15, m), 2); base = g.integers(0, 2, m); inc = np.round(g.gamma(2, 500, m), 1)
        y = (g.random(m) < expit(-1 + .1 * site + .12 * arm + .01 * (age - 45) + .5 * base)) * 1
        parts.append(pa.table({"id": np.arange(lo, lo + m), "site": site, "arm": arm, "y": y, "base": base, "age": age, "inc": inc}))
    t = pa.concat_tables(parts); pc.write_csv(t, f"{d.d}/d.csv", pc.WriteOptions(quoting_style="none")); pq.write_table(t, f"{d.d}/d.parquet", compression="zstd")
    d.close(n=n, columns=["id", "site", "arm", "y", "base", "age", "inc"])


if __name__ == "__main__":
    a = sys.argv[1:]; ws = [x for x in a if x.startswith("W")] or list(DIM); ss = [x for x in a if x in ("S", "M", "L", "XL")] or ["S", "M", "L", "XL"]
    for w in ws:
        for s in ss:
            if w in DIM and s in DIM[w] and not os.path.exists(f"{OUT}/{w}_{s}/meta.json"):
                globals()[w](s); print("made", w, s, flush=True)
