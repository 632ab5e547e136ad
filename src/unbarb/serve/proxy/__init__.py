"""A chat proxy in parts: what of a request is text, the way upstream, and guarded deltas back."""
