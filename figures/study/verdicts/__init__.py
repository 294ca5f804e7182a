"""From the views of claims to verdicts, in words and as a picture."""
