"""`python -m pruning easier` and its kin: rectifiers of little entropy are put out, and their layers merged."""
