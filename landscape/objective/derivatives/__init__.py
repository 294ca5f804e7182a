"""Whether gradients and products are the derivatives of the loss, checked before the work."""
