"""What is measured: data, networks, their training, and a checkpoint made ready to measure."""
