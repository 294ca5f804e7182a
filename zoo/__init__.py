"""What is measured: models, datasets, training, evaluation, and a checkpoint made ready to measure."""
