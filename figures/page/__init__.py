"""One self-contained HTML page that shows networks and studies; never imports torch."""
