"""`python -m pruning.export`: a network as others read it: state dict, safetensors, exported program, ONNX."""
