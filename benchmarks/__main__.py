"""`make bench`: every benchmark, one after the other."""

import runpy

_ALL = ("cold_start", "warm_path", "sign_in", "scale", "sweep")

for name in _ALL:
    print(f"== {name}", flush=True)
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
