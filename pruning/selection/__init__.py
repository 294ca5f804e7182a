"""Selection: how many to keep at a cut."""
