"""What the parts of a pruning method are (their protocols), and what they may look at when they are asked."""
