"""Criteria for whole units, a file each: how much a channel, a neuron or a head is worth."""
