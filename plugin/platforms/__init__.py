"""One folder per platform, found by walking. Adding one touches nothing else."""
