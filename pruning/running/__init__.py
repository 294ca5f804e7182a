"""From a command line to finished checkpoints: the job, the engine's loop, the run that can be killed."""
