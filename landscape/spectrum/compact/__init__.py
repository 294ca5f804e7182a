"""Eigenvalues where memory is short: a basis of few vectors, in float32."""
