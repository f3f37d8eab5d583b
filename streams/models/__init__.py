"""Pure numerics, the only floats; what leaves a model is rounded to integers and recorded."""
