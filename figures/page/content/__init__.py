"""What a page is made of: results read, networks, charts, tables, and what a section is."""
