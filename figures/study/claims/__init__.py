"""The claims of the core paper's abstract, and what a study says of them."""
