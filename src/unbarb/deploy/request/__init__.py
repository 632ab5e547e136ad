"""Asks models that are served, and lets nothing of their answers through that has not been checked.

>>> from unbarb.deploy.request.client import Client
>>> from unbarb.deploy.request.dialects import dialect
>>> from unbarb.deploy.request.http import Http
>>> with Http("http://localhost:8080") as http:
...     client = Client(dialect("caikit", model="opt-350m-caikit"), http)

``client.ask("Prompt: …").answer`` is what came; `Checked` takes that through a guard.
"""
