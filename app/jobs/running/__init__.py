"""The one job that is being painted: GPU worker, result files and timings."""
