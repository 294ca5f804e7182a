"""One page a question: what papers say, what each study found, and how far that goes."""
