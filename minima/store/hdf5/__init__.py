"""Results files: labelled arrays with their provenance, found again, gone on with, compared."""
