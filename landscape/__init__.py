"""The loss around a point: curvature, sharpness, surfaces, paths."""
