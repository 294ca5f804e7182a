"""What goes through a network and what comes out: inputs of any structure, outputs, loss and score over many."""
