"""What tables say of the errors of examples."""


def of_examples(used_share: float | None) -> str:
    """What "± of examples" means below a table, in words.

    `used_share`: sqrt(1 - n/N), 0 where the whole split is used; None where the first n of N examples are.

    >>> of_examples(0.8)
    'by how much it would differ on new examples, as many as these; from the whole split, 0.80 of that.'
    """
    if used_share is None:
        return "by how much it would differ on new examples like these; the first of a split need not be like the rest."
    of_split = f"; from the whole split, {used_share:.2f} of that." if used_share else "."
    return f"by how much it would differ on new examples, as many as these{of_split}"
