"""How servers want a model to lie in a folder: what is added, and what is checked without loading it.

One file a layout. Each has ``refuse(facts)``, asked before any work; ``arrange(folder, facts)``, which
makes of an exported model what the server reads; ``problems(folder, base)``, which says what is wrong with
it; and ``serve(folder, facts)``, which says how it is served. Facts are those of the manifest, and where
the base of an adapter lies.
"""
