"""The service: guards over HTTP. Needs ``pip install 'unbarb[serve]'``. See docs/serve.md."""
