"""A checkpoint's network in eval mode, with its masks and its data, ready to be measured."""
