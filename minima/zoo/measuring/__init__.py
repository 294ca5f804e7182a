"""What all measuring commands share: flags, reuse and resumption of results, the report."""
