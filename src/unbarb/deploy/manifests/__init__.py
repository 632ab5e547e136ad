"""Kubernetes manifests for served models and for unbarb itself, checked before they are written.

What is wanted (:mod:`wanted`) becomes objects (:mod:`kserve`, :mod:`service`), and these become files
(:mod:`written`). They are held against the published schemas (:mod:`schemas`, which needs the extra
``kubernetes``) and against one another (:mod:`references`). No credential is ever written: manifests name
Secrets.
"""
