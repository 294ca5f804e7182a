"""Running a study's jobs: Snakemake's rules, its log told in a few lines, the lock of a run."""
