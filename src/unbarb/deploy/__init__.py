"""Puts trained models where they are served: layouts, object storage, manifests, requests."""
