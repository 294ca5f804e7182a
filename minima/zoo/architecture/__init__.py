"""Networks by name: of the zoo, of other libraries, or of the user's own code."""
