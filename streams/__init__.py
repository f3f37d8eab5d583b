"""The domain and the runtime: facts come in, a pure function decides, facts go out."""
