#!/usr/bin/env python3
"""table.py [W...]: the results as a table; agreement = largest relative difference of the digest from the reference's
(the first 'library' peer's of that workload and size, or the one named REF below).  --md for markdown, --strongest for the best only."""
import glob, json, math, os, sys
RES = os.environ.get("BENCH_RESULTS", os.path.expanduser(os.environ.get("BENCH_HOME", "~/.cache/armwise-peers")) + "/results")
REF = {"W1": "R_glm.fit", "W1HC1": "R_glm_sandwich", "W2N": "statsmodels", "W2MN": "numpy_vectorised", "W3": "R_metafor", "W3BULK": "R_metafor", "W4": "numpy_permuted", "W4RW": "numpy_perm", "W5RD": "scipy", "W5G": "R_boot",
       "W6": "numpy_closed_form", "W7": "R_coxph", "W7KM": "R_survival", "W8M": "statsmodels_mnlogit", "W8O": "R_clm", "W9": "R_loop", "W11": "R_nlme_gls", "W10CSV": "polars", "W10PQ": "polars"}


def diff(a, b, mc=False):
    m = 0.0; seen = 0
    for k in a:
        if mc and k != "obs" or k.startswith("sim_"): continue
        if k in b and len(a[k]) == len(b[k]):
            s = max([abs(x) for x in a[k] if x is not None] or [1]); seen = 1
            for x, y in zip(a[k], b[k]):
                if x is not None and y is not None: m = max(m, abs(x - y) / max(abs(x), abs(y), 1e-3 * s, 1e-12))
    return m if seen else None


rows = []
for f in glob.glob(f"{RES}/*.t*.json"):
    try: rows.append(json.load(open(f)))
    except Exception as e: print("bad", f, e)
want = [a for a in sys.argv[1:] if a.startswith("W")]
key = lambda r: (int("".join(c for c in r["workload"][1:3] if c.isdigit())), r["workload"], "SMLX".index(r["size"][0]), r["median_s"])
rows = sorted((r for r in rows if not want or any(r["workload"] == w or (r["workload"].startswith(w) and not r["workload"][len(w):][:1].isdigit()) for w in want)), key=key)
groups = {}
for r in rows: groups.setdefault((r["workload"], r["size"]), []).append(r)
md = "--md" in sys.argv; fm = lambda t: "-" if t is None else (f"{t*1e6:.3g}us" if t < 1e-3 else f"{t*1e3:.4g}ms" if t < 1 else f"{t:.4g}s")
head = ["workload", "size", "peer", "kind", "thr", "median", "min", "max", "runs", "cpu", "others", "rssMB", "agree", "flags"]
out = [head]
for (w, s), g in groups.items():
    ref = next((r for r in g if r["peer"] == REF.get(w)), None) or next((r for r in g if r["kind"] == "library"), g[0])
    if "--strongest" in sys.argv: g = [min((r for r in g if r["kind"] == k), key=lambda r: r["min_s"]) for k in ("library", "tuned", "ours") if any(r["kind"] == k for r in g)]
    for r in g:
        d = diff(ref["digest"], r["digest"], r["mc"] and "obs" in r["digest"]); fl = ("x%g " % r["scale"] if r["extrapolated"] else "") + ("MC " if r["mc"] else "") + ("REF" if r is ref else "")
        out.append([w, s, r["peer"], r["kind"], r["threads"], fm(r["median_s"]), fm(r["min_s"]), fm(r["max_s"]), r["runs"], fm(r["cpu_median_s"]), r["others_cores"] if r["others_cores"] is None else round(r["others_cores"], 2), round(r["peak_rss_mb"]), "-" if d is None else f"{d:.1e}", fl])
out = [[("-" if c is None else str(c)) for c in r] for r in out]
if md:
    for i, r in enumerate(out):
        print("| " + " | ".join(r) + " |")
        if i == 0: print("|" + "---|" * len(r))
else:
    wd = [max(len(r[i]) for r in out) for i in range(len(head))]
    for r in out: print("  ".join(c.ljust(n) for c, n in zip(r, wd)))
