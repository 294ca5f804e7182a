"""Results of studies that are kept, one file a job: figures, tables and pages are redrawn from them."""
