"""The benchmarks: every figure is a ratio or a share measured in one run on one machine, never an absolute promise."""
