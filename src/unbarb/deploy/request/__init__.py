"""Asks models that are served, and lets nothing of their answers through that has not been checked.

>>> from unbarb.deploy.request.client import Client
>>> from unbarb.deploy.request.dialects import dialect
>>> from unbarb.deploy.request.http import Http
>>> client = Client(dialect("caikit", model="opt-350m-caikit"), Http("http://localhost:8080"))

``client.ask("Prompt: …")`` then gives an `Answer`; `Checked` takes that through a guard.
"""
